//! Which Unicode categories a character belongs to, as far as pre-tokenization asks.

use std::sync::OnceLock;

use regex_syntax::hir::{Class, HirKind};

use crate::{Error, Result};

/// `\p{L}`: letters of every script.
pub(crate) const LETTER: u8 = 1;
/// `\p{N}`: digits, letter-like numbers (Ⅷ), fractions.
pub(crate) const NUMBER: u8 = 1 << 1;
/// `\s`: the White_Space property, line breaks and U+0085 included.
pub(crate) const SPACE: u8 = 1 << 2;
/// `[\r\n]`.
pub(crate) const NEWLINE: u8 = 1 << 3;
/// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`: what may stand where o200k expects upper case.
pub(crate) const UPPER: u8 = 1 << 4;
/// `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`: what may stand where o200k expects lower case.
pub(crate) const LOWER: u8 = 1 << 5;

/// `[^\s\p{L}\p{N}]`: whether these category bits are those of a symbol.
pub(crate) fn is_symbol(class: u8) -> bool {
    class & (SPACE | LETTER | NUMBER) == 0
}

const CATEGORIES: [(&str, u8); 6] = [
    (r"\p{L}", LETTER),
    (r"\p{N}", NUMBER),
    (r"\s", SPACE),
    (r"[\r\n]", NEWLINE),
    (r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", UPPER),
    (r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]", LOWER),
];

/// One byte of category bits for each of the 1,114,112 code points.
///
/// A flat table is 1.1 MB, of which only the pages of scripts in use are ever touched; it
/// answers in one load. The categories come from the tables of the regex crates, the same
/// that tiktoken-rs uses, so both follow the same version of Unicode.
pub(crate) struct CharClasses {
    bits: Vec<u8>,
    /// The first of them once more, in a place of their own, by byte; 0 above 127.
    ascii: [u8; 256],
}

impl CharClasses {
    /// The table, made on first use and shared by every tokenizer.
    ///
    /// # Errors
    ///
    /// [`Error::UnicodeTable`] if regex-syntax was built without its Unicode tables.
    pub(crate) fn shared() -> Result<&'static CharClasses> {
        static TABLE: OnceLock<CharClasses> = OnceLock::new();
        if let Some(table) = TABLE.get() {
            return Ok(table);
        }
        let table = CharClasses::build()?;
        Ok(TABLE.get_or_init(|| table))
    }

    fn build() -> Result<CharClasses> {
        let mut bits = vec![0; char::MAX as usize + 1];
        for (category, bit) in CATEGORIES {
            let missing = || Error::UnicodeTable { category };
            let hir = regex_syntax::parse(category).map_err(|_| missing())?;
            let HirKind::Class(Class::Unicode(class)) = hir.kind() else {
                return Err(missing());
            };
            for range in class.ranges() {
                for slot in &mut bits[range.start() as usize..=range.end() as usize] {
                    *slot |= bit;
                }
            }
        }
        let mut ascii = [0; 256];
        ascii[..128].copy_from_slice(&bits[..128]);
        Ok(CharClasses { bits, ascii })
    }

    /// The category bits of the ASCII character that is this byte.
    #[inline]
    pub(crate) fn of_ascii(&self, byte: u8) -> u8 {
        self.ascii[usize::from(byte)]
    }

    /// The category bits of `character`.
    #[inline]
    pub(crate) fn of(&self, character: char) -> u8 {
        self.bits[character as usize]
    }
}
