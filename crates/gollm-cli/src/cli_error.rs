//! What went wrong, and the exit code that says which kind of thing it was.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done |
//! | 1 | something failed while running |
//! | 2 | the command line is wrong |
//! | 3 | a file is missing, unreadable or not what it should be |
//! | 4 | not enough memory, or a file or stdout could not be written |
//! | 130 | interrupted with Ctrl-C |

mod of_library_errors;

use std::error::Error;
use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::process::ExitCode;

use crate::output;

/// How a command ended, when nothing failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Done,
    /// By Ctrl-C: 128 and the number of the signal, as a shell reports it.
    Interrupted,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        match status {
            Status::Done => Self::SUCCESS,
            Status::Interrupted => Self::from(130),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Runtime,
    Usage,
    BadFile,
    Resources,
    /// The reader of stdout has gone away, as `head` does. It has what it wanted.
    ClosedPipe,
}

/// One message and its kind: what every command returns when it fails.
#[derive(Debug)]
pub(crate) struct CliError {
    kind: Kind,
    message: String,
}

impl CliError {
    /// Something went wrong while running.
    pub(crate) fn runtime(message: impl Into<String>) -> Self {
        Self::new(Kind::Runtime, message)
    }

    /// The command line asks for something that cannot be.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// A file is not what it should be.
    pub(crate) fn bad_file(message: impl Into<String>) -> Self {
        Self::new(Kind::BadFile, message)
    }

    /// There is not enough memory or disk.
    pub(crate) fn resources(message: impl Into<String>) -> Self {
        Self::new(Kind::Resources, message)
    }

    /// A file could not be read.
    pub(crate) fn read(path: &Path, error: &io::Error) -> Self {
        let message = format!("cannot read {}: {error}", path.display());
        Self::new(kind_of_io(error, Kind::BadFile), message)
    }

    /// A file could not be written.
    pub(crate) fn write(path: &Path, error: impl Display) -> Self {
        Self::resources(format!("cannot write {}: {error}", path.display()))
    }

    /// Writing to stdout failed.
    pub(crate) fn stdout(error: &io::Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::BrokenPipe => Kind::ClosedPipe,
            _ => Kind::Resources,
        };
        Self::new(kind, format!("cannot write to stdout: {error}"))
    }

    /// Says where it happened.
    pub(crate) fn context(mut self, place: impl Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// Whether nothing that is tried next can go better: nobody reads stdout any more.
    pub(crate) fn is_final(&self) -> bool {
        self.kind == Kind::ClosedPipe
    }

    /// What went wrong.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    fn new(kind: Kind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { kind, message }
    }

    /// Prints the message to stderr and returns the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        let code = match self.kind {
            Kind::ClosedPipe => return ExitCode::SUCCESS,
            Kind::Runtime => 1,
            Kind::Usage => 2,
            Kind::BadFile => 3,
            Kind::Resources => 4,
        };
        output::error(&self.message);
        ExitCode::from(code)
    }
}

/// Prints what clap has to say: help and version to stdout, mistakes to stderr.
pub(crate) fn from_clap(message: &clap::Error) -> ExitCode {
    match message.print() {
        Err(error) if !message.use_stderr() => CliError::stdout(&error).report(),
        _ => ExitCode::from(message.exit_code().clamp(0, 255) as u8),
    }
}

/// A full disk or memory is that, wherever it is met.
fn kind_of_io(error: &io::Error, otherwise: Kind) -> Kind {
    match error.kind() {
        ErrorKind::OutOfMemory | ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            Kind::Resources
        }
        _ => otherwise,
    }
}

/// The error's message, and the messages of its causes that it does not already contain.
fn with_causes(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        cause = error.source();
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Told(&'static str, Option<Box<Told>>);
    impl Display for Told {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }
    impl Error for Told {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|cause| cause as _)
        }
    }

    #[test]
    fn causes_are_told_once() {
        let disk = || Box::new(Told("disk full", None));
        let silent = Told("cannot write", Some(disk()));
        assert_eq!(with_causes(&silent), "cannot write: disk full");
        let telling = Told("cannot write: disk full", Some(disk()));
        assert_eq!(with_causes(&telling), "cannot write: disk full");
    }

    #[test]
    fn a_full_disk_is_a_lack_of_resources_even_while_reading() {
        let full = io::Error::from(ErrorKind::StorageFull);
        assert_eq!(CliError::read(Path::new("x"), &full).kind, Kind::Resources);
        let missing = io::Error::from(ErrorKind::NotFound);
        assert_eq!(CliError::read(Path::new("x"), &missing).kind, Kind::BadFile);
    }
}
