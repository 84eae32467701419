//! Checkpoints of llama2.c and distributed-llama: a few numbers, and tensors that have neither names nor places.

use super::model;

/// Anything that is none of the files that say more about themselves.
pub(crate) fn run(bytes: &[u8]) {
    if !bytes.starts_with(b"GGUF") && !bytes.starts_with(b"\x89GOLLM") {
        model::run(bytes);
    }
}
