//! llama2.c's `tokenizer.bin`: scores, lengths and bytes.

use gollm_tokenizer::Tokenizer;

use super::tokenizer;

/// Any bytes.
pub(crate) fn run(bytes: &[u8]) {
    if let Ok(read) = Tokenizer::from_llama2c(bytes) {
        tokenizer::check(&read, " <0x41> </s>");
    }
}
