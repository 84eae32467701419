//! Metadata that cannot be used, and tensors that do not fit it.

use super::{BadFile, edited};
use crate::support::tiny_config;

pub(super) fn metadata(table: &mut Vec<BadFile>) {
    let cases: [(&'static str, Vec<u8>, &str); 11] = [
        (
            "metadata that is not UTF-8",
            b"{\"a\":\"\xFF\"}".to_vec(),
            "it is not UTF-8 from byte 6 on",
        ),
        (
            "no metadata",
            Vec::new(),
            "its JSON cannot be read: EOF while parsing a value at line 1 column 0",
        ),
        (
            "half an object",
            b"{\"config\":".to_vec(),
            "its JSON cannot be read: EOF while parsing a value at line 1 column 10",
        ),
        (
            "two objects",
            b"{}{}".to_vec(),
            "its JSON cannot be read: trailing characters at line 1 column 3",
        ),
        (
            "an array",
            b"[]".to_vec(),
            "the whole is an array, expected an object",
        ),
        ("no config", b"{}".to_vec(), "key `config` is missing"),
        (
            "a key given twice",
            b"{\"a\":1,\"a\":2}".to_vec(),
            "its JSON cannot be read: key `a` is given twice at line 1 column 10",
        ),
        (
            "deep nesting",
            b"[".repeat(5000),
            "its JSON cannot be read: nested deeper than 16 levels at line 1 column 17",
        ),
        (
            "a list of a million zeros",
            [b"[".to_vec(), b"0,".repeat(1_000_000), b"0]".to_vec()].concat(),
            "its JSON cannot be read: too many small values for the length of the text; store \
             them as one string at line 1 column 672127",
        ),
        (
            "a tokenizer that is text",
            with_key("tokenizer", "\"bpe\""),
            "key `tokenizer` is a string, expected an object",
        ),
        (
            "a template that is a number",
            with_key("chat_template", "7"),
            "key `chat_template` is a number, expected a string",
        ),
    ];
    for (wrong, metadata, message) in cases {
        let message = format!("metadata: {message}");
        edited(table, wrong, |f| f.metadata = metadata, message);
    }
}

/// The tiny file's metadata with one more key.
fn with_key(key: &str, value: &str) -> Vec<u8> {
    let config = tiny_config().to_json().unwrap();
    format!(r#"{{"config":{config},"{key}":{value}}}"#).into_bytes()
}

/// The tiny file's metadata with one value of its config replaced.
fn with_config(from: &str, to: &str) -> Vec<u8> {
    let config = tiny_config().to_json().unwrap();
    assert!(config.contains(from), "{config}");
    format!(r#"{{"config":{}}}"#, config.replace(from, to)).into_bytes()
}

pub(super) fn misfits(table: &mut Vec<BadFile>) {
    let cases = [
        (
            "a config of zero heads",
            "\"n_heads\":1",
            "\"n_heads\":0",
            "metadata: config: `n_heads` is 0, expected a whole number from 1 to 1048576; a model \
             needs at least one",
        ),
        (
            "a config key of the future",
            "\"n_layers\":1",
            "\"n_layers\":1,\"n_reflections\":8",
            "metadata: config: unknown key `n_reflections`; remove it (docs of \
             `gollm_model::Config` list every key)",
        ),
        (
            "more layers than tensors",
            "\"n_layers\":1",
            "\"n_layers\":1000",
            "the tensors do not fit the config: the config has 1000 layers, but there are only 11 \
             tensors",
        ),
        (
            "one layer too many",
            "\"n_layers\":1",
            "\"n_layers\":2",
            "the tensors do not fit the config: `blocks.1.attn.k_proj.weight` is missing (9 of 20 \
             are)",
        ),
        (
            "another vocabulary",
            "\"vocab_size\":4",
            "\"vocab_size\":5",
            "the tensors do not fit the config: `tok_emb.weight` has shape [4, 2], expected [5, 2]",
        ),
        (
            "an untied head that is not there",
            "\"tie_embeddings\":true",
            "\"tie_embeddings\":false",
            "the tensors do not fit the config: `out_head.weight` is missing (1 of 12 are)",
        ),
    ];
    for (wrong, from, to, message) in cases {
        edited(
            table,
            wrong,
            |f| f.metadata = with_config(from, to),
            message,
        );
    }
    edited(
        table,
        "a tensor of another model",
        |f| f.tensors[0].name = b"transformer.wte.weight".to_vec(),
        "the tensors do not fit the config: `transformer.wte.weight` does not belong to a model of \
         this config",
    );
    edited(
        table,
        "a transposed matrix",
        |f| f.tensors[7].shape.reverse(),
        "the tensors do not fit the config: `blocks.0.ffn.gate_proj.weight` has shape [2, 3], \
         expected [3, 2]",
    );
}
