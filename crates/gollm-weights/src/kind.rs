//! Which kind of model file some bytes are: by their start, never by a name.

use crate::{distributed_llama, gguf, llama2c};

/// The kinds of single files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A `.gollm` file, or none that is read; its own reader says what it looks like.
    Gollm,
    Gguf,
    Llama2c,
    DistributedLlama,
}

impl Kind {
    /// The kind of a file of `length` bytes that begins with `start`.
    pub(crate) fn of(start: &[u8], length: u64) -> Self {
        if start.starts_with(&gguf::MAGIC) {
            Self::Gguf
        } else if start.starts_with(&distributed_llama::MAGIC) {
            Self::DistributedLlama
        } else if llama2c::looks_like(start, length) {
            Self::Llama2c
        } else {
            Self::Gollm
        }
    }
}
