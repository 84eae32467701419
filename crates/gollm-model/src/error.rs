//! What can go wrong in a model: a config that makes no sense, a tensor of the wrong shape, a number
//! that is not one.

use std::path::PathBuf;

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A model, or a part of one, that could not be described, built or run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An operation on tensors failed; the message is the operation's own.
    #[error(transparent)]
    Tensor(#[from] gollm_tensor::Error),
    /// A config file that could not be read.
    #[error("config file `{}` could not be read: {source}", path.display())]
    ConfigFile {
        /// The file that was asked for.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A config that is not well-formed YAML or JSON.
    #[error("config: not well-formed {format}: {message}")]
    ConfigSyntax {
        /// `YAML` or `JSON`.
        format: &'static str,
        /// What the parser said, with the place where it stopped.
        message: String,
    },
    /// A key that no config has, usually a slip of the pen.
    #[error("config: unknown key `{key}`{}", did_you_mean(nearest.as_deref()))]
    ConfigUnknownKey {
        /// The key that was found, with its section: `rope_scaling.facter`.
        key: String,
        /// The known key that is written most like it, if one is near.
        nearest: Option<String>,
    },
    /// A key that every config must have.
    #[error("config: `{key}` is missing, expected {expected}; add it to the file")]
    ConfigMissingKey {
        /// The key, with its section.
        key: String,
        /// What its value should be.
        expected: String,
    },
    /// A value that is of the wrong kind, out of its range, or at odds with another one.
    #[error("config: `{key}` is {found}, expected {expected}; {hint}")]
    ConfigValue {
        /// The key, with its section.
        key: String,
        /// The value that was found.
        found: String,
        /// What it should be.
        expected: String,
        /// What to do about it, and why it matters.
        hint: String,
    },
    /// A number that is NaN or infinite where arithmetic needs a finite one.
    #[error("{operation}: `{name}` at {index} is {found}, expected a finite number; {hint}")]
    NotFinite {
        /// The function that met the number.
        operation: &'static str,
        /// The argument it was in.
        name: &'static str,
        /// Its place in that argument, such as `[3, 17]`.
        index: String,
        /// The number.
        found: f32,
        /// Where such numbers usually come from.
        hint: &'static str,
    },
}

fn did_you_mean(nearest: Option<&str>) -> String {
    match nearest {
        Some(key) => format!("; did you mean `{key}`?"),
        None => "; remove it (docs of `gollm_model::Config` list every key)".to_owned(),
    }
}
