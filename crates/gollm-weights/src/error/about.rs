//! Which file an error is about, and what is behind it.

use std::io;
use std::path::Path;

use super::Error;

impl Error {
    /// Says which file the error is about, if it does not say so already.
    pub(crate) fn in_file(self, path: &Path) -> Self {
        match self {
            Self::InFile { .. } => self,
            error => Self::InFile {
                path: path.to_owned(),
                error: Box::new(error),
            },
        }
    }

    /// The error itself, without the path around it.
    #[must_use]
    pub fn without_path(&self) -> &Self {
        match self {
            Self::InFile { error, .. } => error.without_path(),
            other => other,
        }
    }

    /// The operating system's error, where that is the cause: a missing file, a full disk.
    #[must_use]
    pub fn io_error(&self) -> Option<&io::Error> {
        match self.without_path() {
            Self::Io { error, .. } => Some(error),
            _ => None,
        }
    }
}
