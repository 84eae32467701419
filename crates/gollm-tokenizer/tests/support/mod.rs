//! Vocabularies that several tests begin with.

#![allow(dead_code, reason = "each test file uses some of these")]

use serde_json::{Map, Value, json};

/// GPT-2's byte alphabet, written out apart from the crate's: byte by byte.
pub(crate) fn alphabet() -> Vec<String> {
    let plain = |byte: u32| matches!(byte, 0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF);
    let mut next = 0x100;
    (0..256)
        .map(|byte| {
            let code = if plain(byte) { byte } else { next };
            next += u32::from(!plain(byte));
            char::from_u32(code).unwrap().to_string()
        })
        .collect()
}

/// A `tokenizer.json` of GPT-2's kind: bytes, then `tokens`, then the added ones.
pub(crate) fn gpt2_file(tokens: &[&str], merges: &Value, added: &[(&str, bool)]) -> Value {
    let mut vocab = Map::new();
    let texts = alphabet();
    let texts = texts
        .iter()
        .map(String::as_str)
        .chain(tokens.iter().copied());
    for text in texts {
        vocab.insert(text.to_owned(), vocab.len().into());
    }
    let added: Vec<Value> = (vocab.len()..)
        .zip(added)
        .map(|(id, (text, special))| json!({"id": id, "content": text, "special": special}))
        .collect();
    json!({
        "added_tokens": added,
        "normalizer": null,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false},
        "post_processor": null,
        "decoder": {"type": "ByteLevel"},
        "model": {"type": "BPE", "vocab": vocab, "merges": merges},
    })
}

/// The JSON form of a SentencePiece vocabulary: `<unk>`, `<s>`, `</s>`, the bytes if asked for, and
/// `tokens` with their scores.
pub(crate) fn pieces(tokens: &[(&str, f32)], with_bytes: bool) -> Value {
    let mut texts = vec![String::new(); 3];
    let n_bytes = if with_bytes { 256 } else { 0 };
    texts.resize(3 + n_bytes, String::new());
    let mut scores = vec![0.0; 3 + n_bytes];
    for (token, score) in tokens {
        texts.push((*token).to_owned());
        scores.push(*score);
    }
    json!({
        "kind": "sentencepiece", "version": 1,
        "special": {"<unk>": 0, "<s>": 1, "</s>": 2},
        "tokens": texts, "scores": scores,
        "bytes": (3..3 + n_bytes).collect::<Vec<_>>(),
        "unknown": 0, "fuses_unknown": true,
        "first_space": "each_part", "strips_first_space": true,
        "begin": 1, "end": [2],
    })
}

/// llama2.c's `tokenizer.bin` with these tokens behind the marks and the bytes.
pub(crate) fn llama2c_file(tokens: &[(&str, f32)]) -> Vec<u8> {
    let marks = ["<unk>", "\n<s>\n", "\n</s>\n"].map(|mark| (mark.to_owned(), 0.0));
    let bytes = (0..256).map(|byte| (format!("<0x{byte:02X}>"), 0.0));
    let texts = tokens
        .iter()
        .map(|(text, score)| ((*text).to_owned(), *score));
    let mut file = 27i32.to_le_bytes().to_vec();
    for (text, score) in marks.into_iter().chain(bytes).chain(texts) {
        file.extend(score.to_le_bytes());
        file.extend((text.len() as i32).to_le_bytes());
        file.extend(text.as_bytes());
    }
    file
}
