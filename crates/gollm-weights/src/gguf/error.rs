//! What can be wrong with a GGUF file.

/// Why a GGUF file was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GgufError {
    /// A version that this reader does not know.
    #[error(
        "GGUF version {0}; versions 2 and 3 are read: convert the model again with a newer tool"
    )]
    Version(u32),
    /// Numbers stored with the most significant byte first.
    #[error(
        "a big-endian GGUF file; only little-endian ones are read: convert it for this machine"
    )]
    BigEndian,
    /// A file that ends too early, or a length in it that is a lie.
    #[error(
        "{what} at byte {at} needs {needed} bytes but the file ends after {left}: it is cut short or \
         damaged; copy or download it again"
    )]
    Cut {
        /// What was being read.
        what: String,
        /// Where it starts.
        at: usize,
        /// How many bytes it asks for.
        needed: u128,
        /// How many there are.
        left: usize,
    },
    /// A count that the rest of the file cannot hold.
    #[error(
        "the file claims {count} {what}, each of {smallest} bytes or more, with {left} bytes left: \
         it is cut short or damaged; copy or download it again"
    )]
    Count {
        /// What is counted.
        what: &'static str,
        /// The count that the file gives.
        count: u64,
        /// The fewest bytes that one of them takes.
        smallest: usize,
        /// The bytes that are left of the file.
        left: usize,
    },
    /// One of the files of a model that lacks the others, or does not go with them.
    #[error("it is one file of a model in several: {0}")]
    Part(String),
    /// A value of the metadata that cannot be used.
    #[error("key `{}`: {problem}", key.escape_debug())]
    Key {
        /// The key.
        key: String,
        /// What is wrong.
        problem: String,
    },
    /// A key that is needed and not there.
    #[error("key `{0}` is missing; without it the model's shape is not known")]
    MissingKey(String),
    /// A model of a kind that this program does not compute.
    #[error(
        "its architecture is `{}`, which is not supported; models of architecture `llama` (Llama, \
         Mistral and others of their shape), `qwen2`, `qwen3` and `qwen3moe` are",
        .0.escape_debug()
    )]
    Architecture(String),
    /// A model that no architecture of these files describes.
    #[error(
        "no architecture of GGUF files computes a model with {0}; `llama` has none of these, `qwen2` \
         qkv_bias, `qwen3` qk_norm, `qwen3moe` qk_norm and experts with norm_topk_prob: true"
    )]
    NoArchitecture(String),
    /// A tensor that cannot be used.
    #[error("tensor `{}`: {problem}", name.escape_debug())]
    Tensor {
        /// Its name in the file.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// A vocabulary that cannot be used.
    #[error("its tokenizer cannot be used: {0}")]
    Tokenizer(String),
}

impl GgufError {
    pub(crate) fn key(key: &str, problem: impl Into<String>) -> Self {
        Self::Key {
            key: key.to_owned(),
            problem: problem.into(),
        }
    }

    pub(crate) fn tensor(name: &str, problem: impl Into<String>) -> Self {
        Self::Tensor {
            name: name.to_owned(),
            problem: problem.into(),
        }
    }
}

/// Shorthand for results of reading a GGUF file.
pub(crate) type Result<T, E = GgufError> = std::result::Result<T, E>;
