//! Hugging Face folders: `config.json`, safetensors files, their index, templates.
//!
//! The input is a JSON object with an entry for each file. A text is the file's bytes; `{"header": …, "data": n}`
//! is a safetensors file with this head (`"length"` is a lie about its length) and `n` bytes of data; anything
//! else is written as JSON.

use std::fs;

use gollm_weights::{ModelFile, OpenOptions};
use serde_json::{Map, Value};

use super::model;

const MAX_FILES: usize = 6;
const MAX_DATA_BYTES: u64 = 4096;

/// Writes the folder and opens it.
pub(crate) fn run(bytes: &[u8]) {
    let Ok(Value::Object(files)) = serde_json::from_slice(bytes) else {
        return;
    };
    let Ok(folder) = tempfile::tempdir() else {
        return;
    };
    for (name, content) in files
        .iter()
        .take(MAX_FILES)
        .filter(|(name, _)| is_plain(name))
    {
        let _ = fs::write(folder.path().join(name), contents(content));
    }
    let chosen = super::chosen(bytes);
    let options = OpenOptions {
        map: chosen,
        verify: false,
    };
    if let Ok(file) = ModelFile::open(folder.path(), &options) {
        model::check(&file, chosen);
        // What the program looks for beside a model; a name that leads elsewhere must not be followed.
        let _ = file.beside("tokenizer.json", 1 << 20);
        assert!(file.beside("../tokenizer.json", 1 << 20).is_err());
    }
}

/// A name under which the target itself may write. What names inside the files say is the reader's concern.
fn is_plain(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    (1..=64).contains(&name.len()) && !name.starts_with('.') && name.chars().all(is_letter)
}

fn contents(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.as_bytes().to_vec(),
        Value::Object(parts) if parts.contains_key("header") => safetensors(parts),
        other => other.to_string().into_bytes(),
    }
}

fn safetensors(parts: &Map<String, Value>) -> Vec<u8> {
    let header = match &parts["header"] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let number = |key: &str| parts.get(key).and_then(Value::as_u64);
    let length = number("length").unwrap_or(header.len() as u64);
    let n_bytes = number("data").unwrap_or(0).min(MAX_DATA_BYTES);
    let data = (0..n_bytes).map(|i| (i % 61) as u8);
    let head = length.to_le_bytes().into_iter().chain(header.into_bytes());
    head.chain(data).collect()
}
