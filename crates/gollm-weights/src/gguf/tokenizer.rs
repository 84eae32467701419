//! The vocabulary of a GGUF file as the JSON of a `.gollm` file's tokenizer (`docs/format.md`,
//! section 3, version 2). Nothing is encoded here: texts are copied, and gollm-tokenizer judges them.

use serde_json::{Map, Value as Json, json};

use super::container::{Container, text, wrong_kind};
use super::error::{GgufError, Result};
use super::value::Value;

const MODEL: &str = "tokenizer.ggml.model";
const TOKENS: &str = "tokenizer.ggml.tokens";
const TYPES: &str = "tokenizer.ggml.token_type";
const MERGES: &str = "tokenizer.ggml.merges";
const PRE: &str = "tokenizer.ggml.pre";
const BEGIN: &str = "tokenizer.ggml.bos_token_id";
const ADD_BEGIN: &str = "tokenizer.ggml.add_bos_token";
/// Any of these ends a text: the end of a document, of a turn, of a message.
const ENDS: [&str; 3] = [
    "tokenizer.ggml.eos_token_id",
    "tokenizer.ggml.eot_token_id",
    "tokenizer.ggml.eom_token_id",
];

/// A token's type 1 is ordinary; 3, 4 and 5 are control, user-defined and unused ones.
/// Source: `enum llama_token_type`, <https://github.com/ggml-org/llama.cpp>, `include/llama.h`.
const ORDINARY: i128 = 1;
const NEVER_FROM_TEXT: [i128; 3] = [3, 4, 5];

/// The names of pre-tokenizers (`tokenizer.ggml.pre`) and what our patterns call them, whether a piece
/// that is a token is taken whole, and whether a text begins with the beginning-of-text token.
/// Source: the list of names in llama.cpp's `src/llama-vocab.cpp`.
const PATTERNS: [(&str, &str, bool, bool); 8] = [
    ("gpt-2", "gpt2", false, false),
    ("gpt2", "gpt2", false, false),
    ("default", "gpt2", false, false),
    ("llama-bpe", "llama3", true, true),
    ("llama3", "llama3", true, true),
    ("llama-v3", "llama3", true, true),
    ("qwen2", "qwen2", false, false),
    ("gpt-4o", "o200k", false, false),
];

/// The tokenizer's JSON, `None` for a file of weights alone.
pub(crate) fn tokenizer(file: &Container<'_>, vocab_size: usize) -> Result<Option<Json>> {
    match file.string(MODEL)? {
        None => return Ok(None),
        Some("gpt2") => {}
        Some(other) => {
            let known = match other {
                "llama" => "`llama` (SentencePiece)".to_owned(),
                other => format!("`{}`", other.escape_debug()),
            };
            return Err(GgufError::Tokenizer(format!(
                "it is of kind {known}, which is not read; byte-level BPE (`gpt2`) is"
            )));
        }
    }
    let pre = file.string(PRE)?.unwrap_or("gpt-2");
    let pattern = PATTERNS.iter().find(|(name, ..)| *name == pre);
    let Some((_, pattern, whole_pieces, begins)) = pattern else {
        let known: Vec<&str> = PATTERNS.iter().map(|(name, ..)| *name).collect();
        return Err(GgufError::Tokenizer(format!(
            "its pre-tokenizer is `{}`, which is not known; {} are",
            pre.escape_debug(),
            known.join(", ")
        )));
    };
    let (tokens, special) = tokens(file, vocab_size)?;
    let mut json = json!({
        "kind": "bpe",
        "version": 2,
        "pattern": pattern,
        "whole_pieces": whole_pieces,
        "special": special,
        "tokens": tokens,
        "merges": merges(file)?,
        "end": ends(file)?,
    });
    let begins = file.bool(ADD_BEGIN)?.unwrap_or(*begins);
    if let Some(id) = file.size(BEGIN)?.filter(|_| begins) {
        json["begin"] = id.into();
    }
    Ok(Some(json))
}

/// The ordinary tokens, one on each line, an empty line where there is none; and the special ones.
fn tokens(file: &Container<'_>, vocab_size: usize) -> Result<(String, Map<String, Json>)> {
    let missing = |key: &str| GgufError::MissingKey(key.to_owned());
    let texts = file.array(TOKENS)?.ok_or_else(|| missing(TOKENS))?;
    let types = file.array(TYPES)?;
    if texts.len() != vocab_size {
        let problem = format!(
            "it has {} tokens where the embedding table has {vocab_size} rows",
            texts.len()
        );
        return Err(GgufError::key(TOKENS, problem));
    }
    if let Some(types) = types.filter(|types| types.len() != texts.len()) {
        let problem = format!("it has {} entries for {} tokens", types.len(), texts.len());
        return Err(GgufError::key(TYPES, problem));
    }
    let mut types = types.map(|types| types.iter(TYPES));
    let (mut ordinary, mut special) = (String::new(), Map::new());
    for (id, token) in texts.iter(TOKENS).enumerate() {
        let token = string(TOKENS, token?)?;
        let kind = match types.as_mut().and_then(Iterator::next) {
            Some(kind) => int(TYPES, kind?)?,
            None => ORDINARY,
        };
        if NEVER_FROM_TEXT.contains(&kind) {
            if special.insert(token.to_owned(), id.into()).is_some() {
                let shown = token.escape_debug();
                return Err(GgufError::key(TOKENS, format!("`{shown}` is there twice")));
            }
        } else if kind == ORDINARY {
            check_line(TOKENS, id, token)?;
            ordinary.push_str(token);
        } else {
            let problem = format!("token {id} is of type {kind}, expected 1, 3, 4 or 5");
            return Err(GgufError::key(TYPES, problem));
        }
        ordinary.push('\n');
    }
    Ok((ordinary, special))
}

/// The merges, one on each line.
fn merges(file: &Container<'_>) -> Result<String> {
    let missing = || GgufError::MissingKey(MERGES.to_owned());
    let merges = file.array(MERGES)?.ok_or_else(missing)?;
    let mut lines = String::new();
    for (index, merge) in merges.iter(MERGES).enumerate() {
        let merge = string(MERGES, merge?)?;
        check_line(MERGES, index, merge)?;
        lines.push_str(merge);
        lines.push('\n');
    }
    Ok(lines)
}

fn ends(file: &Container<'_>) -> Result<Vec<usize>> {
    let mut ids = Vec::new();
    for key in ENDS {
        ids.extend(file.size(key)?);
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// A text that is to be a line of its own must be one line.
fn check_line(key: &str, index: usize, text: &str) -> Result<()> {
    if text.is_empty() || text.contains(['\n', '\r']) {
        let problem =
            format!("entry {index} is empty or holds a line end, which no byte is written as");
        return Err(GgufError::key(key, problem));
    }
    Ok(())
}

fn string<'a>(key: &str, value: Value<'a>) -> Result<&'a str> {
    match value {
        Value::String(bytes) => text(key, bytes),
        other => Err(wrong_kind(key, other, "a string in each place")),
    }
}

fn int(key: &str, value: Value<'_>) -> Result<i128> {
    match value {
        Value::Int(value) => Ok(value),
        other => Err(wrong_kind(key, other, "a whole number in each place")),
    }
}
