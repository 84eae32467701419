//! `.gollm` files: header, metadata, descriptors, padding, checksums.

use super::model;

/// Anything, also what is no `.gollm` file: then the message says what it looks like.
pub(crate) fn run(bytes: &[u8]) {
    if !bytes.starts_with(b"GGUF") {
        model::run(bytes);
    }
}
