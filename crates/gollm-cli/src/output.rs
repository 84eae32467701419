//! The two outputs: results on stdout, everything else on stderr.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};

use crate::cli_error::CliError;
use crate::escape;

/// Writes to stdout and waits until it has been taken, so that a full disk is noticed here.
pub(crate) fn print(bytes: impl AsRef<[u8]>) -> Result<(), CliError> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(bytes.as_ref());
    written
        .and_then(|()| stdout.flush())
        .map_err(|error| CliError::stdout(&error))
}

/// Writes a report to stdout: text for people, in which a file's own words are made harmless.
pub(crate) fn print_report(text: &str) -> Result<(), CliError> {
    print(escape::text(text))
}

/// Writes one JSON value to stdout, on lines of its own.
pub(crate) fn print_json(value: &impl serde::Serialize) -> Result<(), CliError> {
    let json = serde_json::to_string_pretty(value);
    let json = json.map_err(|error| CliError::runtime(format!("cannot write JSON: {error}")))?;
    print(escape::json(&json) + "\n")
}

/// Whether stdout shows colours: a terminal, and neither NO_COLOR nor TERM=dumb speaks against it;
/// or CLICOLOR_FORCE speaks for it.
pub(crate) fn stdout_has_colour() -> bool {
    AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

/// Whether a person is reading both outputs.
pub(crate) fn is_watched() -> bool {
    io::stdout().is_terminal() && io::stderr().is_terminal()
}

/// Prints an error message. It may quote a file that we did not write.
pub(crate) fn error(message: &str) {
    let message = escape::message(message.trim_end());
    let style = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
    to_stderr(format_args!("{style}error:{style:#} {message}\n"));
}

/// Prints what a person has asked for to stderr, also with `--quiet`.
pub(crate) fn say(text: impl Display) {
    to_stderr(format_args!("{}\n", escape::text(&text.to_string())));
}

/// What a person may want to know besides the result; silent with `--quiet`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Notes {
    pub(crate) quiet: bool,
}

impl Notes {
    /// Prints one line to stderr, dimmed where there are colours, so that it stands back behind the
    /// result.
    pub(crate) fn say(self, line: impl Display) {
        if !self.quiet {
            let (dim, line) = (Style::new().dimmed(), line.to_string());
            to_stderr(format_args!("{dim}{}{dim:#}\n", escape::message(&line)));
        }
    }

    /// Shows how far something is, where stderr is a terminal: each call replaces the line of the one
    /// before, and an empty one removes it.
    pub(crate) fn progress(self, line: &str) {
        if !self.quiet && io::stderr().is_terminal() {
            to_stderr(format_args!("\r\x1b[K{}", escape::line(line)));
        }
    }

    /// Prints text to stderr, dimmed where there are colours, without ending the line.
    pub(crate) fn dimmed(self, text: &str) {
        if !self.quiet {
            let style = Style::new().dimmed();
            to_stderr(format_args!("{style}{}{style:#}", escape::text(text)));
        }
    }
}

/// Where stderr cannot be written, there is nobody left to tell.
fn to_stderr(text: std::fmt::Arguments<'_>) {
    let _ = AutoStream::auto(io::stderr().lock()).write_fmt(text);
}
