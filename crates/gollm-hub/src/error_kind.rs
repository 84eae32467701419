//! Error kinds, from which a caller derives its exit code or exception.

#[cfg(feature = "download")]
use std::time::Duration;

use crate::error::Error;

/// What sort of thing went wrong, for whoever turns it into an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// An argument or a variable has a value that cannot be used.
    Usage,
    /// A file is missing, or not what it should be, here or there.
    BadFile,
    /// The network, or what is behind it.
    Network,
    /// There is not enough disk, or it cannot be written.
    Resources,
    /// Ctrl-C.
    Interrupted,
}

impl Error {
    /// What sort of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoHome | Self::Name(_) | Self::Setting { .. } | Self::Address { .. } => {
                ErrorKind::Usage
            }
            Self::Io { action, .. } if *action == "read" => ErrorKind::BadFile,
            Self::Io { .. } | Self::NoSpace { .. } => ErrorKind::Resources,
            Self::Status { status: 404, .. } => ErrorKind::BadFile,
            Self::Status { .. }
            | Self::Connection { .. }
            | Self::Stalled { .. }
            | Self::CutShort { .. }
            | Self::Response { .. }
            | Self::Redirect { .. }
            | Self::Offline { .. } => ErrorKind::Network,
            Self::Interrupted => ErrorKind::Interrupted,
            _ => ErrorKind::BadFile,
        }
    }
}

#[cfg(feature = "download")]
impl Error {
    /// Whether the same request may succeed a moment later.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Stalled { .. } | Self::CutShort { .. } => true,
            Self::Connection { is_transient, .. } | Self::Response { is_transient, .. } => {
                *is_transient
            }
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500 | 502 | 503 | 504),
            _ => false,
        }
    }

    /// How long the server asks to wait before the next request.
    pub(crate) fn wait(&self) -> Option<Duration> {
        match self {
            Self::Status { wait, .. } => *wait,
            _ => None,
        }
    }
}
