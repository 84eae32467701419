//! The line that a person types on: editing, history, several lines.

use rustyline::completion::Completer;
use rustyline::config::{Behavior, Config};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Editor, Helper};

use super::slash::COMMANDS;
use crate::cli_error::CliError;

/// Around a message of several lines.
const FENCE: &str = "\"\"\"";

/// What came of waiting for a person.
pub(super) enum Read {
    Text(String),
    /// Ctrl-D on an empty line.
    End,
    /// Ctrl-C.
    Interrupt,
}

/// A line editor on the terminal itself, so that stdout holds nothing but answers.
pub(super) struct LineEditor(Editor<Lines, MemHistory>);

impl LineEditor {
    pub(super) fn new() -> Result<Self, CliError> {
        let config = Config::builder()
            .behavior(Behavior::PreferTerm)
            .auto_add_history(true)
            .build();
        // Kept in memory only: what people say to a model is written nowhere unless they ask.
        let history = MemHistory::with_config(&config);
        let mut editor = Editor::with_history(config, history).map_err(failed)?;
        editor.set_helper(Some(Lines));
        Ok(Self(editor))
    }

    /// Waits for a message or a command.
    pub(super) fn read(&mut self) -> Result<Read, CliError> {
        match self.0.readline("> ") {
            Ok(text) => Ok(Read::Text(unfenced(&text))),
            Err(ReadlineError::Eof) => Ok(Read::End),
            Err(ReadlineError::Interrupted) => Ok(Read::Interrupt),
            Err(error) => Err(failed(error)),
        }
    }
}

fn failed(error: ReadlineError) -> CliError {
    CliError::runtime(format!("cannot read from the terminal: {error}"))
}

/// Knows when a message goes on in the next line, and the names of commands.
struct Lines;

/// Whether Enter ends the line and not the message.
fn goes_on(text: &str) -> bool {
    match text.strip_prefix(FENCE) {
        Some(rest) => !rest.trim_end().ends_with(FENCE),
        None => text.ends_with('\\'),
    }
}

/// The message without what only said that it goes on.
fn unfenced(text: &str) -> String {
    match text.strip_prefix(FENCE) {
        Some(rest) => {
            let rest = rest.trim_end();
            let rest = rest.strip_suffix(FENCE).unwrap_or(rest);
            rest.trim_matches('\n').to_owned()
        }
        None => text.replace("\\\n", "\n"),
    }
}

impl Validator for Lines {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match goes_on(context.input()) {
            true => ValidationResult::Incomplete,
            false => ValidationResult::Valid(None),
        })
    }
}

impl Completer for Lines {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let typed = &line[..position];
        let names = COMMANDS.iter().map(|(name, ..)| *name);
        let matching = names.filter(|name| !typed.is_empty() && name.starts_with(typed));
        Ok((0, matching.map(str::to_owned).collect()))
    }
}

impl Hinter for Lines {
    type Hint = String;
}

impl Highlighter for Lines {}

impl Helper for Lines {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_goes_on_until_its_fence_is_closed_or_no_backslash_ends_a_line() {
        for (text, expected) in [
            ("hello", Some("hello")),
            ("hello \\", None),
            ("hello \\\nyou", Some("hello \nyou")),
            ("\"\"\"", None),
            ("\"\"\"a", None),
            ("\"\"\"a\nb \\\n", None),
            ("\"\"\"a\n b\"\"\"", Some("a\n b")),
            ("\"\"\"\na\n\nb\n\"\"\" ", Some("a\n\nb")),
            ("\"\"\"\"\"\"", Some("")),
            ("say \"\"\"", Some("say \"\"\"")),
        ] {
            let found = (!goes_on(text)).then(|| unfenced(text));
            assert_eq!(found.as_deref(), expected, "{text:?}");
        }
    }
}
