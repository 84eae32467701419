//! Where the continuation goes while it comes.

use std::io::{self, IsTerminal};
use std::ops::ControlFlow;

use crate::cli_error::CliError;
use crate::escape;
use crate::output::{self, Notes};

/// Prints pieces of text as they come, and remembers how the last line stands.
pub(super) struct Sink {
    /// With `--json` nothing is shown until the end.
    is_silent: bool,
    /// A model may draw any bytes, and some of them move the cursor or worse. A terminal is shown
    /// what they are; a file or a pipe gets them.
    is_terminal: bool,
    line_is_open: bool,
    failure: Option<CliError>,
}

impl Sink {
    pub(super) fn new(is_silent: bool) -> Self {
        Self {
            is_silent,
            is_terminal: io::stdout().is_terminal(),
            line_is_open: false,
            failure: None,
        }
    }

    /// Shows a person what is continued, on stderr, so that the text reads as one.
    pub(super) fn show_prompt(&mut self, prompt: &str, notes: Notes) {
        if !notes.quiet && !prompt.is_empty() {
            notes.dimmed(prompt);
            self.line_is_open = true;
        }
    }

    /// Shows what is continued where the continuation goes.
    pub(super) fn echo(&mut self, prompt: &str) -> Result<(), CliError> {
        match self.push(prompt) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => self.take_failure(),
        }
    }

    /// Shows a piece of text; breaks the generation off if nobody takes it.
    pub(super) fn push(&mut self, text: &str) -> ControlFlow<()> {
        if self.is_silent || text.is_empty() {
            return ControlFlow::Continue(());
        }
        self.line_is_open = !text.ends_with('\n');
        let printed = match self.is_terminal {
            true => output::print(escape::text(text)),
            false => output::print(text),
        };
        match printed {
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => {
                self.line_is_open = false;
                self.failure = Some(failure);
                ControlFlow::Break(())
            }
        }
    }

    /// The failure that broke the generation off, if one did.
    pub(super) fn take_failure(&mut self) -> Result<(), CliError> {
        self.failure.take().map_or(Ok(()), Err)
    }

    /// Ends the last line, so that the shell's prompt starts on a new one.
    pub(super) fn end_line(&mut self) -> Result<(), CliError> {
        match std::mem::take(&mut self.line_is_open) {
            true => output::print("\n"),
            false => Ok(()),
        }
    }
}
