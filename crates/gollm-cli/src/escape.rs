//! Bytes on one line, so that no file and no token can disturb a terminal.

/// The bytes as text: control characters, quotes and backslashes as Rust writes them, what is not
/// UTF-8 as `\xE2`.
///
/// A token may be half a character, so a token is not always text.
pub(crate) fn escaped(bytes: &[u8]) -> String {
    let mut shown = String::new();
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' | '\\' => shown.extend(['\\', character]),
                _ => push_printable(&mut shown, character),
            }
        }
        for byte in chunk.invalid() {
            shown.push_str(&format!("\\x{byte:02X}"));
        }
    }
    shown
}

/// Text of a file we did not write, with its control characters made visible and nothing else
/// changed.
pub(crate) fn harmless(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        push_printable(&mut shown, character);
    }
    shown
}

/// As [`harmless`], for a text of several lines: line ends and tabs stay what they are.
pub(crate) fn harmless_text(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        match character {
            '\n' | '\t' => shown.push(character),
            _ => push_printable(&mut shown, character),
        }
    }
    shown
}

fn push_printable(shown: &mut String, character: char) {
    match character {
        // Reorders what follows on a terminal, so that a line can read as something else.
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
            shown.extend(character.escape_unicode());
        }
        _ if character.is_control() => shown.extend(character.escape_default()),
        _ => shown.push(character),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_visible() {
        assert_eq!(escaped(b" once"), " once");
        assert_eq!(escaped(b"a\n\t\"\\"), "a\\n\\t\\\"\\\\");
        assert_eq!(escaped("né😀".as_bytes()), "né😀");
        assert_eq!(escaped(&[0xE2, 0x80, b'!']), "\\xE2\\x80!");
    }

    #[test]
    fn a_terminal_never_sees_an_escape_sequence_or_a_change_of_direction() {
        assert_eq!(harmless("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(harmless("a\u{9b}2Jb\u{202E}c"), "a\\u{9b}2Jb\\u{202e}c");
        assert_eq!(harmless("\"say\" \\"), "\"say\" \\");
        assert_eq!(harmless_text("a\u{1b}c\r\n\tb"), "a\\u{1b}c\\r\n\tb");
    }
}
