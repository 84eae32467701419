//! File and revision names, checked before they become paths and parts of URLs.
//!
//! One alphabet for all of them: `A-Z a-z 0-9 . _ -`. Nothing in it can leave a directory, end a
//! header, start an escape sequence or name a stream of a file, on any system; what a repository
//! may hold besides is refused by name instead of being translated.

use std::fmt;
use std::str::FromStr;

/// The longest path of a file in a repository.
const MAX_FILE_NAME: usize = 512;
/// The longest part of a path: what file systems take, less what we append (`.incomplete`).
const MAX_PART: usize = 200;
/// How deep files may lie.
const MAX_PARTS: usize = 8;

/// A name that is not used, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} `{found}` is refused: {problem}")]
pub struct NameError {
    what: &'static str,
    /// The name, made harmless and short.
    found: String,
    problem: &'static str,
}

impl NameError {
    pub(crate) fn new(what: &'static str, found: &str, problem: &'static str) -> Self {
        let found = shown(found);
        Self {
            what,
            found,
            problem,
        }
    }
}

/// Text we did not write, for a message: at most 80 characters, none of them a control character.
pub(crate) fn shown(text: &str) -> String {
    let short: String = text.chars().take(80).collect();
    let dots = if short.len() < text.len() { "…" } else { "" };
    format!("{}{dots}", short.escape_debug())
}

pub(crate) fn check_part(part: &str) -> Result<(), &'static str> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if part.is_empty() {
        Err("a part of it is empty")
    } else if part.len() > MAX_PART {
        Err("a part of it has more than 200 characters")
    } else if !part.bytes().all(is_allowed) {
        Err("expected only A-Z a-z 0-9 . _ - in each part")
    } else if part.bytes().all(|byte| byte == b'.') {
        Err("a part of dots leads to another directory")
    } else if part.ends_with('.') {
        Err("a part ends with a dot, which Windows leaves out")
    } else {
        Ok(())
    }
}

fn check_path(what: &'static str, text: &str) -> Result<(), NameError> {
    let refused = |problem| Err(NameError::new(what, text, problem));
    if text.len() > MAX_FILE_NAME {
        return refused("it has more than 512 characters");
    }
    if text.split('/').count() > MAX_PARTS {
        return refused("it lies more than 8 directories deep");
    }
    text.split('/').try_for_each(check_part).or_else(refused)
}

/// A branch, a tag or a commit of a repository; `main` unless another is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision(String);

impl Revision {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the hash of a commit, so that it always means the same files.
    #[must_use]
    pub fn is_commit(&self) -> bool {
        is_commit(&self.0)
    }
}

/// Whether a text is the full hash of a commit, by SHA-1 or SHA-256.
pub(crate) fn is_commit(text: &str) -> bool {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    matches!(text.len(), 40 | 64) && text.bytes().all(is_hex)
}

impl Default for Revision {
    fn default() -> Self {
        Self("main".to_owned())
    }
}

impl FromStr for Revision {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        check_path("revision", text)?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A file of a repository, its directories in front of it: `config.json`, `gguf/model.Q4_0.gguf`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName(String);

impl FileName {
    /// The name, with `/` between its parts.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its parts: directories, then the file.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

impl FromStr for FileName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        check_path("file name", text)?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_their_directory_are_refused() {
        let long = "a/".repeat(300) + "a";
        let deep = "a/".repeat(8) + "a";
        for name in [
            "",
            "/",
            "/etc/passwd",
            "..",
            "../x",
            "a/../b",
            "a/..",
            ".",
            "a//b",
            "a/",
            "a\0b",
            "a b",
            "a\\b",
            "C:x",
            "a\nb",
            "é",
            "a.",
            "...",
            "\u{1b}[2J",
            "a%2e",
            &long,
            &deep,
        ] {
            assert!(name.parse::<FileName>().is_err(), "{name:?}");
            assert!(name.parse::<Revision>().is_err(), "{name:?}");
        }
        for name in ["config.json", ".gitattributes", "a/b-c_d.gguf", "..a"] {
            assert_eq!(name.parse::<FileName>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn a_message_shows_no_control_character_and_no_novel() {
        let error = "\u{1b}]0;x\u{7}"
            .repeat(100)
            .parse::<FileName>()
            .unwrap_err();
        let message = error.to_string();
        assert!(
            message.len() < 500 && !message.contains('\u{1b}'),
            "{message}"
        );
    }

    #[test]
    fn a_commit_is_a_full_hash() {
        assert!(
            "0123456789abcdef0123456789abcdef01234567"
                .parse::<Revision>()
                .unwrap()
                .is_commit()
        );
        for branch in [
            "main",
            "0123456",
            "0123456789ABCDEF0123456789ABCDEF01234567",
        ] {
            assert!(!branch.parse::<Revision>().unwrap().is_commit());
        }
    }

    proptest::proptest! {
        #[test]
        fn any_name_that_is_taken_stays_below_its_directory(name in "[a-zA-Z0-9._/\\\\:%~ \\x00-]{0,40}") {
            if let Ok(file) = name.parse::<FileName>() {
                let path: std::path::PathBuf = file.parts().collect();
                let is_plain = |part| matches!(part, std::path::Component::Normal(_));
                assert!(path.components().all(is_plain), "{name:?}");
                assert_eq!(path.components().count(), file.parts().count());
            }
        }

        #[test]
        fn no_text_at_all_makes_a_name_panic(name in ".{0,300}") {
            let _ = (name.parse::<FileName>(), name.parse::<crate::ModelReference>());
            let shown = shown(&name);
            assert!(!shown.chars().any(char::is_control), "{shown:?}");
        }
    }
}
