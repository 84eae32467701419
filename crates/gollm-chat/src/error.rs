//! Errors of conversations, templates and saved files, and what sort each is.

use std::path::PathBuf;

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a conversation could not become ids, or could not be kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A template that cannot be read, or does not run, or says itself that it refuses.
    #[error(
        "chat template{}: {problem}",
        line.map_or_else(String::new, |line| format!(", line {line}"))
    )]
    Template {
        /// Where, if that is known.
        line: Option<usize>,
        /// What is wrong, in the engine's words or the template's own.
        problem: String,
    },

    /// More template than any model needs.
    #[error(
        "the chat template has {n_bytes} bytes, at most {} are read; \
         give another one with --template",
        crate::MAX_TEMPLATE_BYTES
    )]
    TemplateTooLong {
        /// Its length.
        n_bytes: usize,
    },

    /// A message that leaves no room for an answer, even alone.
    #[error(
        "the message does not fit: with the system message it takes {n_tokens} tokens, and the \
         context of {context_length} leaves {n_room} beside an answer; shorten it, or take a larger context"
    )]
    MessageTooLong {
        /// Tokens of the system message and the message alone.
        n_tokens: usize,
        /// Tokens that there is room for.
        n_room: usize,
        /// The model's context.
        context_length: usize,
    },

    /// Every character that could break the texts of special tokens occurs in the conversation.
    #[error(
        "the conversation holds all 32 noncharacters from U+FDD0 to U+FDEF; remove one of them, \
         since gollm needs one that does not occur"
    )]
    NoSentinel,

    /// A saved conversation that cannot be read.
    #[error("{}: {problem}", path.display())]
    Saved {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },

    /// A file could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },

    /// The model or its tokenizer failed; the message is its own.
    #[error(transparent)]
    Engine(#[from] gollm_engine::Error),
}

/// What sort of thing went wrong, for whoever turns it into an exit code or an exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A template or a file is missing, or not what it should be.
    BadFile,
    /// There is not enough disk or memory, or a file cannot be written.
    Resources,
    /// What was said cannot be answered with this model: everything else.
    Runtime,
}

impl Error {
    /// What sort of thing went wrong; for [`Error::Engine`] the error inside of it knows better.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Template { .. } | Self::TemplateTooLong { .. } | Self::Saved { .. } => {
                ErrorKind::BadFile
            }
            Self::Io { action, .. } if *action == "read" => ErrorKind::BadFile,
            Self::Io { .. } => ErrorKind::Resources,
            Self::MessageTooLong { .. } | Self::NoSentinel | Self::Engine(_) => ErrorKind::Runtime,
        }
    }
}
