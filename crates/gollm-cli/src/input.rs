//! Text from files and from stdin.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use crate::cli_error::CliError;

/// The name under which stdin is given as a file.
const STDIN: &str = "-";

/// Whether a path means stdin.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == STDIN
}

/// Reads a whole text file, or stdin for `-`.
pub(crate) fn text(path: &Path) -> Result<String, CliError> {
    if is_stdin(path) {
        return stdin();
    }
    let bytes = fs::read(path).map_err(|error| CliError::read(path, &error))?;
    utf8(bytes, &path.display().to_string())
}

/// Reads stdin to its end.
pub(crate) fn stdin() -> Result<String, CliError> {
    let mut bytes = Vec::new();
    let read = io::stdin().lock().read_to_end(&mut bytes);
    read.map_err(|error| CliError::read(Path::new("stdin"), &error))?;
    utf8(bytes, "stdin")
}

fn utf8(bytes: Vec<u8>, name: &str) -> Result<String, CliError> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let byte = error.as_bytes().get(at).copied().unwrap_or_default();
        CliError::bad_file(format!(
            "{name} is not UTF-8 text: byte {at} is {byte:#04x}; convert it to UTF-8 first"
        ))
    })
}

/// The text without the line end that editors and `echo` put after it.
pub(crate) fn without_line_end(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}

/// Refuses a path in a directory that is not there, before hours of work would end in that message.
pub(crate) fn check_target(path: &Path) -> Result<(), CliError> {
    if path.is_dir() {
        return Err(CliError::write(path, "it is a directory"));
    }
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() && !parent.is_dir() => {
            let reason = format!("there is no directory {}", parent.display());
            Err(CliError::write(path, reason))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_end_is_taken_away_and_nothing_else() {
        for (text, expected) in [
            ("a\n", "a"),
            ("a\r\n", "a"),
            ("a\n\n", "a\n"),
            ("a ", "a "),
            ("\n", ""),
            ("a\r", "a\r"),
        ] {
            assert_eq!(without_line_end(text.to_owned()), expected);
        }
    }
}
