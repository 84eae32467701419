//! What to continue: from the command line, a file or stdin.

use std::io::{self, IsTerminal};
use std::path::Path;

use crate::args::parse_ids;
use crate::cli_error::CliError;
use crate::input;

/// What to continue.
#[derive(Debug)]
pub(super) enum Prompt {
    /// Text, possibly none: then the model starts from the token that begins every text.
    Text(String),
    Ids(Vec<u32>),
}

/// Takes the prompt from wherever it was given.
pub(super) fn read(
    prompt: Option<&str>,
    file: Option<&Path>,
    ids: Option<&str>,
) -> Result<Prompt, CliError> {
    if let Some(ids) = ids {
        let ids = parse_ids(ids)
            .map_err(|problem| CliError::usage(format!("--prompt-ids: {problem}")))?;
        if ids.is_empty() {
            return Err(CliError::usage(
                "--prompt-ids is empty, expected at least one id",
            ));
        }
        return Ok(Prompt::Ids(ids));
    }
    let text = match (file, prompt) {
        (Some(path), _) => input::without_line_end(input::text(path)?),
        (None, Some("-")) => input::without_line_end(input::stdin()?),
        (None, Some(text)) => text.to_owned(),
        // A person at a terminal who gives no prompt should see a story, not a waiting cursor.
        (None, None) if io::stdin().is_terminal() => String::new(),
        (None, None) => input::without_line_end(input::stdin()?),
    };
    Ok(Prompt::Text(text))
}
