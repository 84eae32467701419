//! Everything that can go wrong in this crate, in the words of the person who must fix it.

use std::path::PathBuf;

/// The result of every fallible operation of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong: each message says what, where, what was expected and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The requested vocabulary cannot hold the 256 bytes and the special tokens.
    #[error(
        "vocab_size {vocab_size} is too small: 256 single bytes and {n_special} special tokens \
         need at least {minimum}"
    )]
    VocabSizeTooSmall {
        /// What was asked for.
        vocab_size: usize,
        /// How many special tokens were asked for.
        n_special: usize,
        /// The smallest size that can hold them.
        minimum: usize,
    },

    /// The vocabulary would hold more ids than this crate accepts.
    #[error(
        "vocab_size {vocab_size} is too large: a vocabulary may hold at most {maximum} ids; \
         language models use 32,768 to 262,144"
    )]
    VocabSizeTooLarge {
        /// What was asked for.
        vocab_size: usize,
        /// The largest size that is accepted.
        maximum: usize,
    },

    /// The training text has no pair left that occurs twice.
    #[error(
        "the training text is too small for vocab_size {vocab_size}: no pair occurs twice any \
         more at {reached} ids; give more text, or ask for vocab_size {reached} or less"
    )]
    CorpusTooSmall {
        /// What was asked for.
        vocab_size: usize,
        /// The largest `vocab_size` for which this text suffices.
        reached: usize,
    },

    /// A special token cannot be added to the vocabulary.
    #[error("special token {text:?}: {problem}")]
    SpecialToken {
        /// The token's text.
        text: String,
        /// What is wrong with it.
        problem: String,
    },

    /// A list of byte strings is not a byte-level vocabulary.
    #[error("the vocabulary is not usable: {problem}")]
    Vocabulary {
        /// What is wrong with it.
        problem: String,
    },

    /// A line of a rank file could not be read.
    #[error("rank file, line {line}: {problem}; a line is `<base64 of the bytes> <rank>`")]
    RankLine {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },

    /// The description beside the rank file, or the JSON form, is not a tokenizer.
    #[error("tokenizer metadata: {problem}")]
    Metadata {
        /// What is wrong with it.
        problem: String,
    },

    /// A file that belongs to the tokenizer is wrong; the source says how.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<Error>,
    },

    /// The operating system could not read or write a file.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// "read" or "write".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },

    /// A pre-tokenization pattern of this name is not known.
    #[error(
        "unknown pre-tokenization pattern {found:?}; expected gpt2, cl100k, o200k, llama3, qwen2 \
         or smollm"
    )]
    UnknownPattern {
        /// The name that was given.
        found: String,
    },

    /// An id that stands for nothing was to be decoded.
    #[error(
        "token id {id} stands for nothing in this vocabulary of {vocab_size} ids; \
         do the model and the tokenizer belong together?"
    )]
    UnknownId {
        /// The id.
        id: u32,
        /// One more than the largest id of the vocabulary.
        vocab_size: usize,
    },

    /// A sliding window of no length, or that does not move.
    #[error("{name} is 0; it must be at least 1")]
    ZeroLength {
        /// The parameter.
        name: &'static str,
    },

    /// The Unicode tables that this crate was built with lack a category.
    #[error(
        "Unicode category {category} is missing from this build; enable regex-syntax's `unicode-gencat` and `unicode-perl` features"
    )]
    UnicodeTable {
        /// The category, in regular-expression form.
        category: &'static str,
    },
}
