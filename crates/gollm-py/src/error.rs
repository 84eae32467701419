//! Which Python exception each error becomes.
//!
//! - `OSError` and its subclasses (`FileNotFoundError`, …), with `errno` and `filename`: the system
//!   refused to read or write a file.
//! - `ValueError`: the caller's argument is out of its range.
//! - `GollmError`: everything else, above all a file that is damaged or not what it should be.
//!
//! `GollmError` is a `RuntimeError`, so that programs which expect an extension to fail in Python's
//! usual ways need not know it.

use std::io::{self, ErrorKind};
use std::path::Path;

use pyo3::PyErr;
use pyo3::create_exception;
use pyo3::exceptions::{PyMemoryError, PyOSError, PyRuntimeError, PyValueError};

create_exception!(
    gollm,
    GollmError,
    PyRuntimeError,
    "A file, model or vocabulary that cannot be used; the message says what, where and what to do."
);

/// The result of a function that Python calls.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// An exception about to be raised. It exists because neither `PyErr` nor the errors of the other
/// crates belong to this one, so `?` could not convert between them.
#[derive(Debug)]
pub(crate) struct Failure(PyErr);

impl Failure {
    /// A `ValueError`.
    pub(crate) fn value(message: impl Into<String>) -> Self {
        Self(PyValueError::new_err(message.into()))
    }

    /// A `GollmError`.
    pub(crate) fn gollm(message: impl Into<String>) -> Self {
        Self(GollmError::new_err(message.into()))
    }

    /// The `OSError` that Python itself would raise for the same refusal.
    fn os(action: &str, path: &Path, error: &io::Error) -> Self {
        let reason = error.to_string();
        // Python shows the number itself.
        let reason = reason.split(" (os error").next().unwrap_or(&reason);
        Self(match errno(error) {
            Some(number) => {
                let message = format!("cannot {action}: {reason}");
                PyOSError::new_err((number, message, path.to_owned()))
            }
            None => PyOSError::new_err(format!("cannot {action} {}: {reason}", path.display())),
        })
    }
}

/// The number from which Python chooses the subclass of `OSError`.
///
/// The system's own, where there is one: on Windows it counts differently, and an error that
/// another crate has wrapped has lost it. Then from the kind; these numbers are the same on every
/// system that CPython runs on.
fn errno(error: &io::Error) -> Option<i32> {
    let number = error.raw_os_error().filter(|_| cfg!(unix));
    number.or(match error.kind() {
        ErrorKind::NotFound => Some(2),
        ErrorKind::PermissionDenied => Some(13),
        ErrorKind::AlreadyExists => Some(17),
        ErrorKind::NotADirectory => Some(20),
        ErrorKind::IsADirectory => Some(21),
        ErrorKind::StorageFull => Some(28),
        ErrorKind::ReadOnlyFilesystem => Some(30),
        _ => None,
    })
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self(error)
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        failure.0
    }
}

impl From<gollm_tokenizer::Error> for Failure {
    fn from(error: gollm_tokenizer::Error) -> Self {
        use gollm_tokenizer::Error as E;
        match &error {
            E::Io {
                action,
                path,
                source,
            } => Self::os(action, path, source),
            E::VocabSizeTooSmall { .. }
            | E::VocabSizeTooLarge { .. }
            | E::CorpusTooSmall { .. }
            | E::SpecialToken { .. }
            | E::UnknownPattern { .. }
            | E::UnknownId { .. } => Self::value(error.to_string()),
            _ => Self::gollm(error.to_string()),
        }
    }
}

impl From<gollm_sampler::Error> for Failure {
    fn from(error: gollm_sampler::Error) -> Self {
        Self::value(error.to_string())
    }
}

impl From<gollm_tensor::Error> for Failure {
    fn from(error: gollm_tensor::Error) -> Self {
        use gollm_tensor::Error as E;
        match &error {
            E::UnknownStorageType(_) | E::OutOfRange { .. } => Self::value(error.to_string()),
            _ => Self::gollm(error.to_string()),
        }
    }
}

impl From<gollm_model::Error> for Failure {
    fn from(error: gollm_model::Error) -> Self {
        use gollm_model::Error as E;
        match error {
            E::Tensor(error) => error.into(),
            E::ConfigSyntax { .. }
            | E::ConfigUnknownKey { .. }
            | E::ConfigMissingKey { .. }
            | E::ConfigValue { .. }
            | E::ContextFull { .. } => Self::value(error.to_string()),
            _ => Self::gollm(error.to_string()),
        }
    }
}

impl From<gollm_weights::Error> for Failure {
    fn from(error: gollm_weights::Error) -> Self {
        use gollm_weights::Error as E;
        match (&error, error.without_path()) {
            (E::InFile { path, .. }, E::Io { action, error }) => Self::os(action, path, error),
            (_, E::OutOfMemory { .. }) => Self(PyMemoryError::new_err(error.to_string())),
            _ => Self::gollm(error.to_string()),
        }
    }
}

impl From<gollm_engine::Error> for Failure {
    fn from(error: gollm_engine::Error) -> Self {
        use gollm_engine::Error as E;
        match error {
            E::Tokenizer(error) => error.into(),
            E::Transformer(error) => error.into(),
            E::File(error) => error.into(),
            E::Sampler(error) => error.into(),
            E::EmptyPrompt
            | E::PromptTooLong { .. }
            | E::UnknownPromptId { .. }
            | E::Option { .. }
            | E::TextTooShort { .. } => Self::value(error.to_string()),
            _ => Self::gollm(error.to_string()),
        }
    }
}
