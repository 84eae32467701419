//! Hugging Face's `tokenizer.json`, read and written again.

use gollm_tokenizer::{Roles, Tokenizer};
use serde_json::Value;

use super::tokenizer;

/// A JSON text; the key `config`, which the file itself does not have, is the `tokenizer_config.json` beside it.
pub(crate) fn run(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
        return;
    };
    let Ok(read) = Tokenizer::from_hf_json(&value, value.get("config"), &[1]) else {
        return;
    };
    let text = String::from_utf8_lossy(&bytes[bytes.len() / 2..]);
    tokenizer::check(&read, text.get(..200).unwrap_or(&text));
    if let Ok(files) = read.to_hf_json(&Roles::default(), None) {
        let again = Tokenizer::from_hf_json(&files.tokenizer, Some(&files.config), &[]);
        assert!(again.is_ok(), "{:?}", again.err());
    }
}
