//! The vocabulary of a GGUF file as the JSON of a `.gollm` file's tokenizer (`docs/format.md`,
//! section 3). Nothing is encoded here: texts are copied, and gollm-tokenizer judges them.

use serde_json::{Map, Value as Json, json};

use super::container::Container;
use super::error::{GgufError, Result};
use super::keys::{text, wrong_kind};
use super::sentence_piece;
use super::value::{Array, Value};

const MODEL: &str = "tokenizer.ggml.model";
pub(super) const TOKENS: &str = "tokenizer.ggml.tokens";
pub(super) const TYPES: &str = "tokenizer.ggml.token_type";
const MERGES: &str = "tokenizer.ggml.merges";
const PRE: &str = "tokenizer.ggml.pre";
pub(super) const BEGIN: &str = "tokenizer.ggml.bos_token_id";
pub(super) const ADD_BEGIN: &str = "tokenizer.ggml.add_bos_token";
/// Any of these ends a text: the end of a document, of a turn, of a message.
pub(super) const ENDS: [&str; 3] = [
    "tokenizer.ggml.eos_token_id",
    "tokenizer.ggml.eot_token_id",
    "tokenizer.ggml.eom_token_id",
];

/// A token's type 1 is ordinary; 4 is user-defined: found in any text; 3 and 5 are control and unused.
/// Source: `enum llama_token_type`, <https://github.com/ggml-org/llama.cpp>, `include/llama.h`.
const ORDINARY: i128 = 1;
const USER_DEFINED: i128 = 4;
const NEVER_FROM_TEXT: [i128; 2] = [3, 5];

/// The names of pre-tokenizers (`tokenizer.ggml.pre`) and what our patterns call them, whether a piece
/// that is a token is taken whole, and whether a text begins with the beginning-of-text token.
/// Source: the list of names in llama.cpp's `src/llama-vocab.cpp`.
const PATTERNS: [(&str, &str, bool, bool); 9] = [
    ("gpt-2", "gpt2", false, false),
    ("gpt2", "gpt2", false, false),
    ("default", "gpt2", false, false),
    ("llama-bpe", "llama3", true, true),
    ("llama3", "llama3", true, true),
    ("llama-v3", "llama3", true, true),
    ("qwen2", "qwen2", false, false),
    ("gpt-4o", "o200k", false, false),
    ("smollm", "smollm", false, false),
];

/// The tokenizer's JSON, `None` for a file of weights alone.
pub(crate) fn tokenizer(file: &Container<'_>, vocab_size: usize) -> Result<Option<Json>> {
    match file.string(MODEL)? {
        None => Ok(None),
        Some("gpt2") => byte_level(file, vocab_size).map(Some),
        Some("llama") => sentence_piece::tokenizer(file, vocab_size).map(Some),
        Some(other) => Err(GgufError::Tokenizer(format!(
            "it is of kind `{}`, which is not read; byte-level BPE (`gpt2`) and SentencePiece \
             (`llama`) are",
            other.escape_debug()
        ))),
    }
}

fn byte_level(file: &Container<'_>, vocab_size: usize) -> Result<Json> {
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
    let tokens = tokens(file, vocab_size)?;
    // Version 3 is version 2 with tokens that are found in any text.
    let version = if tokens.added.is_empty() { 2 } else { 3 };
    let mut json = json!({
        "kind": "bpe",
        "version": version,
        "pattern": pattern,
        "whole_pieces": whole_pieces,
        "special": tokens.special,
        "tokens": tokens.ordinary,
        "merges": merges(file)?,
        "end": ends(file)?,
    });
    if !tokens.added.is_empty() {
        json["added"] = tokens.added.into();
    }
    let begins = file.bool(ADD_BEGIN)?.unwrap_or(*begins);
    if let Some(id) = file.size(BEGIN)?.filter(|_| begins) {
        json["begin"] = id.into();
    }
    Ok(json)
}

/// The list of tokens and of their types, compared with each other and with the embedding table.
pub(super) fn tokens_of<'a>(
    file: &Container<'a>,
    vocab_size: usize,
) -> Result<(Array<'a>, Option<Array<'a>>)> {
    let missing = || GgufError::MissingKey(TOKENS.to_owned());
    let texts = file.array(TOKENS)?.ok_or_else(missing)?;
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
    Ok((texts, types))
}

/// What the list of tokens says, each kind apart.
#[derive(Default)]
struct Tokens {
    /// One on each line, an empty line where there is none.
    ordinary: String,
    special: Map<String, Json>,
    added: Map<String, Json>,
}

fn tokens(file: &Container<'_>, vocab_size: usize) -> Result<Tokens> {
    let (texts, types) = tokens_of(file, vocab_size)?;
    let mut types = types.map(|types| types.iter(TYPES));
    let mut tokens = Tokens::default();
    for (id, token) in texts.iter(TOKENS).enumerate() {
        let token = string(TOKENS, token?)?;
        let kind = match types.as_mut().and_then(Iterator::next) {
            Some(kind) => int(TYPES, kind?)?,
            None => ORDINARY,
        };
        let twice = if NEVER_FROM_TEXT.contains(&kind) {
            tokens.special.insert(token.to_owned(), id.into())
        } else if kind == USER_DEFINED {
            // Merges may make it as well, if it is written the same in both ways.
            if token.bytes().all(|byte| byte.is_ascii_graphic()) {
                tokens.ordinary.push_str(token);
            }
            tokens.added.insert(token.to_owned(), id.into())
        } else if kind == ORDINARY {
            check_line(TOKENS, id, token)?;
            tokens.ordinary.push_str(token);
            None
        } else {
            let problem = format!("token {id} is of type {kind}, expected 1, 3, 4 or 5");
            return Err(GgufError::key(TYPES, problem));
        };
        if twice.is_some() {
            let shown = token.escape_debug();
            return Err(GgufError::key(TOKENS, format!("`{shown}` is there twice")));
        }
        tokens.ordinary.push('\n');
    }
    Ok(tokens)
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

pub(super) fn string<'a>(key: &str, value: Value<'a>) -> Result<&'a str> {
    match value {
        Value::String(bytes) => text(key, bytes),
        other => Err(wrong_kind(key, other, "a string in each place")),
    }
}

pub(super) fn int(key: &str, value: Value<'_>) -> Result<i128> {
    match value {
        Value::Int(value) => Ok(value),
        other => Err(wrong_kind(key, other, "a whole number in each place")),
    }
}

pub(super) fn float(key: &str, value: Value<'_>) -> Result<f64> {
    match value {
        Value::Float(value) => Ok(value),
        other => Err(wrong_kind(key, other, "a number in each place")),
    }
}
