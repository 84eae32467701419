//! From parsed YAML or JSON to a [`Config`], one key at a time, so that every mistake has a name.

use std::io::Read;
use std::path::Path;

use gollm_tensor::DType;
use serde_json::{Map, Value};

use super::nearest::nearest;
use super::{Config, RopeScaling};
use crate::error::{Error, Result};

const KEYS: [&str; 18] = [
    "vocab_size",
    "context_length",
    "emb_dim",
    "n_heads",
    "n_kv_heads",
    "head_dim",
    "hidden_dim",
    "n_layers",
    "rope_theta",
    "rope_scaling",
    "norm_eps",
    "tie_embeddings",
    "dtype",
    "qkv_bias",
    "qk_norm",
    "n_experts",
    "n_experts_per_token",
    "norm_topk_prob",
];

const SCALING_KEYS: [&str; 4] = [
    "factor",
    "low_freq_factor",
    "high_freq_factor",
    "original_context_length",
];

/// Python's section of a config file; not ours to judge.
const TRAINING: &str = "training";

/// A config is a few hundred bytes; whatever is larger than this is another file.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Reads a text file, refusing one that is too large to be a config.
pub(super) fn read_text(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    let n_bytes = file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text)? as u64;
    if n_bytes > MAX_FILE_BYTES {
        let message = format!("it is larger than {MAX_FILE_BYTES} bytes, too large for a config");
        return Err(std::io::Error::new(
            std::io::ErrorKind::FileTooLarge,
            message,
        ));
    }
    Ok(text)
}

/// Reads every key; relations between values are left to `validate`.
pub(super) fn config(value: &Value) -> Result<Config> {
    let section = Section::new("", value, &KEYS, &[TRAINING])?;
    let emb_dim = section.size("emb_dim")?;
    let n_heads = section.size("n_heads")?;
    Ok(Config {
        vocab_size: section.size("vocab_size")?,
        context_length: section.size("context_length")?,
        emb_dim,
        n_heads,
        n_kv_heads: section.size("n_kv_heads")?,
        head_dim: head_dim(&section, emb_dim, n_heads)?,
        hidden_dim: section.size("hidden_dim")?,
        n_layers: section.size("n_layers")?,
        rope_theta: section.optional_number("rope_theta")?.unwrap_or(10_000.0),
        rope_scaling: section.get("rope_scaling").map(rope_scaling).transpose()?,
        norm_eps: section.optional_number("norm_eps")?.unwrap_or(1e-5) as f32,
        tie_embeddings: section.flag("tie_embeddings", true)?,
        dtype: dtype(&section)?,
        qkv_bias: section.flag("qkv_bias", false)?,
        qk_norm: section.flag("qk_norm", false)?,
        n_experts: section.optional_size("n_experts")?,
        n_experts_per_token: section.optional_size("n_experts_per_token")?,
        norm_topk_prob: section.flag("norm_topk_prob", false)?,
    })
}

fn head_dim(section: &Section<'_>, emb_dim: usize, n_heads: usize) -> Result<usize> {
    if section.get("head_dim").is_some() {
        return section.size("head_dim");
    }
    // With no heads there is nothing to divide by; `validate` names that mistake.
    if n_heads == 0 || emb_dim.is_multiple_of(n_heads) {
        return Ok(emb_dim.checked_div(n_heads).unwrap_or(0));
    }
    Err(Error::ConfigValue {
        key: "emb_dim".to_owned(),
        found: emb_dim.to_string(),
        expected: format!("a multiple of n_heads = {n_heads}, since head_dim is left out"),
        hint: "change one of the two or give head_dim".to_owned(),
    })
}

fn rope_scaling(value: &Value) -> Result<RopeScaling> {
    let section = Section::new("rope_scaling.", value, &SCALING_KEYS, &[])?;
    Ok(RopeScaling {
        factor: section.number("factor")?,
        low_freq_factor: section.number("low_freq_factor")?,
        high_freq_factor: section.number("high_freq_factor")?,
        original_context_length: section.size("original_context_length")?,
    })
}

fn dtype(section: &Section<'_>) -> Result<DType> {
    let Some(value) = section.get("dtype") else {
        return Ok(DType::F32);
    };
    let named = value.as_str().and_then(|name| name.parse().ok());
    named.ok_or_else(|| section.wrong_kind("dtype", value, "one of f32, f16, bf16, q8_0, q4_0"))
}

/// One level of the file: the whole of it, or a named section inside.
struct Section<'a> {
    /// What stands before a key in messages: nothing, or `rope_scaling.`.
    prefix: &'static str,
    map: &'a Map<String, Value>,
}

impl<'a> Section<'a> {
    fn new(
        prefix: &'static str,
        value: &'a Value,
        known: &[&'static str],
        ignored: &[&str],
    ) -> Result<Self> {
        let Value::Object(map) = value else {
            return Err(Error::ConfigValue {
                key: if prefix.is_empty() {
                    "(the whole config)"
                } else {
                    "rope_scaling"
                }
                .into(),
                found: describe(value),
                expected: "a list of `key: value` lines".to_owned(),
                hint: format!("give {}", known.join(", ")),
            });
        };
        let is_known = |key: &str| known.contains(&key) || ignored.contains(&key);
        match map.keys().find(|key| !is_known(key)) {
            None => Ok(Self { prefix, map }),
            Some(key) => Err(Error::ConfigUnknownKey {
                key: format!("{prefix}{}", shorten(key)),
                nearest: nearest(key, known).map(|near| format!("{prefix}{near}")),
            }),
        }
    }

    /// The value of a key; an explicit `null` is the same as no value.
    fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    fn required(&self, key: &str, expected: &str) -> Result<&'a Value> {
        self.get(key).ok_or_else(|| Error::ConfigMissingKey {
            key: format!("{}{key}", self.prefix),
            expected: expected.to_owned(),
        })
    }

    fn size(&self, key: &str) -> Result<usize> {
        let expected = "a whole number of at least 1";
        let value = self.required(key, expected)?;
        let size = value.as_u64().and_then(|size| usize::try_from(size).ok());
        size.ok_or_else(|| self.wrong_kind(key, value, expected))
    }

    /// A whole number, 0 when left out.
    fn optional_size(&self, key: &str) -> Result<usize> {
        let Some(value) = self.get(key) else {
            return Ok(0);
        };
        let size = value.as_u64().and_then(|size| usize::try_from(size).ok());
        size.ok_or_else(|| self.wrong_kind(key, value, "a whole number of at least 0"))
    }

    fn flag(&self, key: &str, absent: bool) -> Result<bool> {
        match self.get(key) {
            None => Ok(absent),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(self.wrong_kind(key, other, "true or false")),
        }
    }

    fn number(&self, key: &str) -> Result<f64> {
        self.required(key, "a number")?;
        // `required` has seen to it that there is a value.
        self.optional_number(key).map(Option::unwrap_or_default)
    }

    fn optional_number(&self, key: &str) -> Result<Option<f64>> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        value
            .as_f64()
            .map(Some)
            .ok_or_else(|| self.wrong_kind(key, value, "a number"))
    }

    fn wrong_kind(&self, key: &str, value: &Value, expected: &str) -> Error {
        Error::ConfigValue {
            key: format!("{}{key}", self.prefix),
            found: describe(value),
            expected: expected.to_owned(),
            hint: "correct the value".to_owned(),
        }
    }
}

/// A value as a message can show it: in full when short, otherwise by its kind.
fn describe(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a section".to_owned(),
        Value::Null => "empty".to_owned(),
        Value::String(text) => format!("the text \"{}\"", shorten(text)),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// The beginning of a text that may be anything, with its control characters made visible.
fn shorten(text: &str) -> String {
    let start: String = text.chars().take(40).flat_map(char::escape_debug).collect();
    if text.chars().nth(40).is_some() {
        format!("{start}…")
    } else {
        start
    }
}
