//! GGUF files: lists of values and tensors, blocks that are dequantized, a vocabulary.

use super::model;

/// Anything with the magic bytes in front, so that no run is wasted on another kind of file.
pub(crate) fn run(bytes: &[u8]) {
    if bytes.starts_with(b"GGUF") {
        model::run(bytes);
    }
}
