//! A model file that becomes another one: what is refused before, and whose fault an error is.

use std::fs;
use std::path::Path;

use gollm_weights::Error;

use crate::cli_error::CliError;
use crate::input;

/// The file that is read and the one that is written.
pub(crate) struct Rewrite<'a> {
    pub(crate) from: &'a Path,
    pub(crate) to: &'a Path,
}

impl Rewrite<'_> {
    /// Refuses what would be lost by writing there, before anything is read.
    pub(crate) fn check_target(&self, force: bool) -> Result<(), CliError> {
        input::check_target(self.to)?;
        let to = self.to.display();
        if self.is_in_place() {
            return Err(CliError::usage(format!(
                "IN and OUT are the same file, {to}; the one would be lost, so give another name"
            )));
        }
        if !force && self.to.symlink_metadata().is_ok() {
            return Err(CliError::usage(format!(
                "{to} is there already; --force replaces it"
            )));
        }
        Ok(())
    }

    /// Errors that name a file are about the one being written, others about the one being read.
    pub(crate) fn failure(&self, error: Error) -> CliError {
        match (&error, error.without_path()) {
            (_, Error::Io { .. } | Error::NotAFile(_)) => {
                CliError::write(self.to, error.without_path())
            }
            (Error::InFile { .. }, _) => error.into(),
            _ => CliError::from(error).context(self.from.display()),
        }
    }

    /// Whether both paths lead to one file, symbolic links followed.
    fn is_in_place(&self) -> bool {
        match (fs::canonicalize(self.from), fs::canonicalize(self.to)) {
            (Ok(from), Ok(to)) => from == to,
            _ => false,
        }
    }
}
