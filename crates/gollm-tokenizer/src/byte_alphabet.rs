//! GPT-2's way to write any bytes as printable text: each byte as one character.
//!
//! Bytes that are printable in Latin-1 stand for themselves; the other 68 take the characters from
//! U+0100 on, in their order. So a space is `Ġ` and a line feed `Ċ`, and a token written like this holds
//! neither spaces nor line ends, which files use to separate tokens.
//!
//! Source: `bytes_to_unicode` in `encoder.py` of <https://github.com/openai/gpt-2>.

/// Whether a byte stands for itself.
fn is_plain(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF)
}

/// The character of each byte.
fn characters() -> [char; 256] {
    let mut others = '\u{100}'..;
    let mut table = ['\0'; 256];
    for (byte, character) in (0u8..=255).zip(&mut table) {
        *character = match is_plain(byte) {
            true => char::from(byte),
            false => others.next().unwrap_or(char::REPLACEMENT_CHARACTER),
        };
    }
    table
}

/// Both directions, made once and used for a whole vocabulary.
pub(crate) struct ByteAlphabet {
    characters: [char; 256],
    /// Indexed by the character's number; all are below U+0180.
    bytes: [Option<u8>; 0x180],
}

impl ByteAlphabet {
    pub(crate) fn new() -> Self {
        let characters = characters();
        let mut bytes = [None; 0x180];
        for (byte, character) in (0u8..=255).zip(characters) {
            if let Some(slot) = bytes.get_mut(character as usize) {
                *slot = Some(byte);
            }
        }
        ByteAlphabet { characters, bytes }
    }

    /// Bytes as text.
    pub(crate) fn write(&self, bytes: &[u8]) -> String {
        let characters = bytes.iter().map(|byte| self.characters[usize::from(*byte)]);
        characters.collect()
    }

    /// The bytes that were written as `text`, or the first character that stands for no byte.
    pub(crate) fn read(&self, text: &str) -> Result<Vec<u8>, char> {
        let byte = |character: char| {
            let byte = self.bytes.get(character as usize).copied().flatten();
            byte.ok_or(character)
        };
        text.chars().map(byte).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_gpt_2s() {
        let alphabet = ByteAlphabet::new();
        assert_eq!(alphabet.write(b" a\n!"), "ĠaĊ!");
        assert_eq!(alphabet.write(&[0, 0x7F, 0xA0, 0xAD, 0xFF]), "ĀġłŃÿ");
    }

    #[test]
    fn every_byte_comes_back_and_nothing_else_is_read() {
        let alphabet = ByteAlphabet::new();
        let all: Vec<u8> = (0..=255).collect();
        let text = alphabet.write(&all);
        assert!(!text.contains(char::is_whitespace));
        assert_eq!(alphabet.read(&text), Ok(all));
        for other in [' ', '\n', '\u{AD}', '\u{144}', '\u{17F}', '▁', '😀'] {
            assert_eq!(alphabet.read(&format!("a{other}")), Err(other));
        }
    }
}
