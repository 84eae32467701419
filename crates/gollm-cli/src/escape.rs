//! Escaping for terminals: the one place through which text of files, arguments and models is shown.
//!
//! Whatever was not written by us may hold sequences that move the cursor, clear the screen or
//! reverse the reading order. The crates below keep such text as it is; here, where it leaves the
//! program, every control character becomes visible.

use std::borrow::Cow;

/// Characters of the longest message. A name in a file may be a megabyte long.
const LONGEST_MESSAGE: usize = 4096;
/// Characters that are kept of the end of a longer message, where it says what to do.
const KEPT_END: usize = 1024;

/// A token's bytes between quotes: control characters, quotes and backslashes as Rust writes them,
/// what is not UTF-8 as `\xE2`.
///
/// A token may be half a character, so a token is not always text.
pub(crate) fn token(bytes: &[u8]) -> String {
    let mut shown = String::new();
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' | '\\' => shown.extend(['\\', character]),
                _ => push(&mut shown, character),
            }
        }
        for byte in chunk.invalid() {
            shown.push_str(&format!("\\x{byte:02X}"));
        }
    }
    shown
}

/// Text on one line: control characters are made visible, line ends too, and nothing else changes.
pub(crate) fn line(text: &str) -> String {
    let mut shown = String::new();
    text.chars()
        .for_each(|character| push(&mut shown, character));
    shown
}

/// As [`line()`], for a text of several lines: line ends and tabs stay what they are.
pub(crate) fn text(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        match character {
            '\n' | '\t' => shown.push(character),
            _ => push(&mut shown, character),
        }
    }
    shown
}

/// As [`text()`], for a message that may quote anything: the middle of a long one is left out.
pub(crate) fn message(message: &str) -> String {
    text(&shortened(message))
}

/// JSON with every special character of a terminal as `\u009b`, which is the same JSON.
///
/// Outside of its strings JSON is ASCII, and control characters below U+0020 cannot be in one, so
/// what is found here is inside a string.
pub(crate) fn json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if is_special(character) && character != '\n' {
            escaped.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            escaped.push(character);
        }
    }
    escaped
}

fn shortened(message: &str) -> Cow<'_, str> {
    let n_more = message.chars().count().saturating_sub(LONGEST_MESSAGE);
    if n_more == 0 {
        return Cow::Borrowed(message);
    }
    let start: String = message.chars().take(LONGEST_MESSAGE - KEPT_END).collect();
    let end: String = message
        .chars()
        .skip(LONGEST_MESSAGE - KEPT_END + n_more)
        .collect();
    format!("{start}… ({n_more} characters are left out) …{end}").into()
}

fn push(shown: &mut String, character: char) {
    if !is_special(character) {
        shown.push(character);
    } else if character.is_ascii_control() {
        shown.extend(character.escape_default());
    } else {
        shown.extend(character.escape_unicode());
    }
}

/// C0, DEL, C1, and what Unicode calls `Bidi_Control`: it reorders what follows, so that a line can
/// read as something else.
fn is_special(character: char) -> bool {
    let is_bidi_control = matches!(
        character,
        '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
    );
    is_bidi_control || character.is_control()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_of_a_token_is_visible() {
        assert_eq!(token(b" once"), " once");
        assert_eq!(token(b"a\n\t\"\\"), "a\\n\\t\\\"\\\\");
        assert_eq!(token("né😀".as_bytes()), "né😀");
        assert_eq!(token(&[0xE2, 0x80, b'!']), "\\xE2\\x80!");
    }

    #[test]
    fn a_terminal_never_sees_an_escape_sequence_or_a_change_of_direction() {
        assert_eq!(line("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(line("a\u{9b}2Jb\u{202E}c"), "a\\u{9b}2Jb\\u{202e}c");
        assert_eq!(line("\u{7f}\u{61c}\u{200f}"), "\\u{7f}\\u{61c}\\u{200f}");
        assert_eq!(line("\"say\" \\"), "\"say\" \\");
        assert_eq!(text("a\u{1b}c\r\n\tb"), "a\\u{1b}c\\r\n\tb");
        assert_eq!(line("a\n\u{1b}b"), "a\\n\\u{1b}b");
    }

    #[test]
    fn no_character_that_a_terminal_obeys_is_left_in_any_form() {
        let all: String = ('\0'..='\u{2fff}').collect();
        for shown in [line(&all), text(&all), message(&all), token(all.as_bytes())] {
            let left = shown
                .chars()
                .find(|c| is_special(*c) && !"\n\t".contains(*c));
            assert_eq!(left, None);
        }
    }

    #[test]
    fn json_stays_the_same_json() {
        let value = serde_json::json!({ "a\u{202e}": "\u{1b}\u{7f}\u{9b}é\u{2066}\n\"\\" });
        let escaped = json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(escaped.chars().all(|c| !is_special(c) || c == '\n'));
        assert!(
            escaped.contains("\\u001b\\u007f\\u009bé\\u2066\\n"),
            "{escaped}"
        );
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&escaped).unwrap(),
            value
        );
    }

    #[test]
    fn a_long_message_keeps_its_beginning_and_its_end() {
        let long = format!("its name is `{}`; rename it", "é".repeat(1 << 20));
        let shown = message(&long);
        assert!(shown.chars().count() < LONGEST_MESSAGE + 50);
        assert!(shown.starts_with("its name is `é") && shown.ends_with("é`; rename it"));
        assert!(shown.contains(" characters are left out"), "{shown}");
        let fits = "a".repeat(LONGEST_MESSAGE);
        assert_eq!(message(&fits), fits);
    }
}
