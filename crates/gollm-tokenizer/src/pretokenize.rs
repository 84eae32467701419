//! Cutting text into pieces, by hand and in one pass; `scanner.rs` knows where each piece ends.

use crate::char_class::{CharClasses, NUMBER};
use crate::scanner::Scanner;
use crate::{Pattern, Result};

/// Cuts `text` into pieces; concatenated they are `text` again.
///
/// # Errors
///
/// [`crate::Error::UnicodeTable`] if this build lacks the Unicode tables.
///
/// # Examples
///
/// ```
/// use gollm_tokenizer::{Pattern, pretokenize};
///
/// let pieces: Vec<&str> = pretokenize(Pattern::Cl100k, "I'll pay 12345!\n")?.collect();
/// assert_eq!(pieces, ["I", "'ll", " pay", " ", "123", "45", "!\n"]);
/// # Ok::<(), gollm_tokenizer::Error>(())
/// ```
pub fn pretokenize(pattern: Pattern, text: &str) -> Result<Pieces<'_>> {
    Ok(Pieces::new(pattern, text, CharClasses::shared()?))
}

/// The pieces of a text, in order; made by [`pretokenize`].
#[derive(Clone)]
pub struct Pieces<'a> {
    pattern: Pattern,
    rest: &'a str,
    /// How much of `rest` is without digits, for [`Pattern::SmolLm`].
    without_digits: usize,
    classes: &'static CharClasses,
}

impl<'a> Pieces<'a> {
    pub(crate) fn new(pattern: Pattern, text: &'a str, classes: &'static CharClasses) -> Self {
        Pieces {
            pattern,
            rest: text,
            without_digits: 0,
            classes,
        }
    }

    /// Each digit is a piece. What lies between two digits is cut as if it were a text of its own.
    fn smollm(&mut self) -> usize {
        let is_digit = |character: char| self.classes.of(character) & NUMBER != 0;
        if self.without_digits == 0 {
            let first = self.rest.chars().next();
            if let Some(digit) = first.filter(|first| is_digit(*first)) {
                return digit.len_utf8();
            }
            self.without_digits = self.rest.find(is_digit).unwrap_or(self.rest.len());
        }
        let scan = Scanner {
            text: &self.rest[..self.without_digits],
            classes: self.classes,
        };
        let end = scan.gpt2();
        self.without_digits -= end;
        end
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let scan = Scanner {
            text: self.rest,
            classes: self.classes,
        };
        let end = match self.pattern {
            Pattern::Gpt2 => scan.gpt2(),
            Pattern::Cl100k => scan.cl100k(),
            Pattern::O200k => scan.o200k(),
            Pattern::Llama3 => scan.llama3(3),
            Pattern::Qwen2 => scan.llama3(1),
            Pattern::SmolLm => self.smollm(),
        };
        let (piece, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(piece)
    }
}
