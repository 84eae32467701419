//! What can be wrong with a Hugging Face folder, a llama2.c checkpoint or a distributed-llama file.

/// Why a model file of another project was refused. GGUF files have [`GgufError`](crate::GgufError).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForeignError {
    /// A value that cannot be used.
    #[error("key `{}`: {problem}", key.escape_debug())]
    Key {
        /// The key, with those that it lies under before it.
        key: String,
        /// What is wrong.
        problem: String,
    },
    /// A key that is needed and not there.
    #[error("key `{0}` is missing; without it the model's shape is not known")]
    MissingKey(String),
    /// A model of a kind that this program does not compute.
    #[error("its architecture is `{}`, which is not supported; {supported} are", found.escape_debug())]
    Architecture {
        /// What the file calls it.
        found: String,
        /// Those that are read.
        supported: String,
    },
    /// A tensor that cannot be used.
    #[error("tensor `{}`: {problem}", name.escape_debug())]
    Tensor {
        /// Its name in the file.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// Text that is not JSON, or more deeply nested or more finely divided than any reader needs.
    #[error("its JSON cannot be read: {0}")]
    Json(String),
    /// Anything else about the layout of a file or folder.
    #[error("{0}")]
    Layout(String),
}

/// Shorthand for results of reading another project's file.
pub(crate) type Result<T, E = ForeignError> = std::result::Result<T, E>;

impl ForeignError {
    pub(crate) fn key(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Key {
            key: key.into(),
            problem: problem.into(),
        }
    }

    pub(crate) fn tensor(name: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Tensor {
            name: name.into(),
            problem: problem.into(),
        }
    }

    pub(crate) fn layout(problem: impl Into<String>) -> Self {
        Self::Layout(problem.into())
    }
}
