//! The shape of a model: the numbers from which every tensor, count and cost follows.
//!
//! The same keys stand in the YAML files under `configs/`, in the metadata of a `.gollm` file (as
//! JSON) and in Python's `config.py`. Notes: `notes/ch04-model.md`.

mod experts;
mod nearest;
mod read;
mod validate;

use std::path::Path;

use gollm_tensor::DType;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::error::{Error, Result};

/// The shape of a decoder and the type its weights are stored in.
///
/// Read with [`Config::from_yaml`] or [`Config::from_json`], which check everything; a config that
/// is built or changed field by field is checked by [`Config::validate`].
///
/// `n_heads · head_dim` need not be `emb_dim`: the query projection leads from `emb_dim` to
/// `n_heads · head_dim`, and the output projection leads back.
///
/// # Examples
///
/// ```
/// # fn main() -> gollm_model::Result<()> {
/// let config = gollm_model::Config::from_yaml(
///     "{vocab_size: 256, context_length: 64, emb_dim: 32, n_heads: 4, n_kv_heads: 2,
///       hidden_dim: 96, n_layers: 2}",
/// )?;
/// assert_eq!(config.head_dim, 8); // emb_dim / n_heads, because it was left out
/// assert_eq!(config.heads_per_kv(), 2);
/// # Ok(())
/// # }
/// ```
///
/// Source: "Build a Large Language Model (From Scratch)", S. Raschka, 2024, section 4.1
/// (`GPT_CONFIG_124M`), with the names of LLaMA's parts added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value")]
pub struct Config {
    /// How many different token ids there are; the rows of the embedding table.
    pub vocab_size: usize,
    /// The longest sequence, in tokens.
    pub context_length: usize,
    /// The width of the stream of vectors that runs through all layers.
    pub emb_dim: usize,
    /// Query heads in each layer.
    pub n_heads: usize,
    /// Key/value heads in each layer (the book's `n_kv_groups`); divides `n_heads`.
    pub n_kv_heads: usize,
    /// Numbers in one head; even, since RoPE turns pairs. `emb_dim / n_heads` when left out.
    pub head_dim: usize,
    /// The inner width of the feed-forward part; with experts, of each of them.
    pub hidden_dim: usize,
    /// Transformer blocks, one after the other.
    pub n_layers: usize,
    /// The base of RoPE's wavelengths: larger turns the slow pairs more slowly. 10,000 when left
    /// out, as in the RoFormer paper and LLaMA 1 and 2; Llama 3 uses 500,000.
    pub rope_theta: f64,
    /// Llama 3's stretching of the slow wavelengths; `None` when left out.
    pub rope_scaling: Option<RopeScaling>,
    /// Added to the mean square before its root, so that a zero vector stays one. 1e-5 when left out.
    pub norm_eps: f32,
    /// Whether the output head is the embedding table itself. True when left out.
    pub tie_embeddings: bool,
    /// The type in which an export stores the matrices (norm weights are always f32). f32 when left
    /// out. Arithmetic is f32 whatever it says.
    #[serde(serialize_with = "dtype_name")]
    pub dtype: DType,
    /// Whether queries, keys and values get a learned bias, as in Qwen2. False when left out.
    #[serde(skip_serializing_if = "is_default")]
    pub qkv_bias: bool,
    /// Whether each head of the queries and keys is normalized before RoPE, as in Qwen3. False when
    /// left out.
    #[serde(skip_serializing_if = "is_default")]
    pub qk_norm: bool,
    /// Experts in each feed-forward part; 0, one feed-forward for all tokens, when left out.
    #[serde(skip_serializing_if = "is_default")]
    pub n_experts: usize,
    /// How many experts are active for each token. 0, as it must be without experts, when left out.
    #[serde(skip_serializing_if = "is_default")]
    pub n_experts_per_token: usize,
    /// Whether the weights of a token's active experts are made to sum to 1. False when left out.
    #[serde(skip_serializing_if = "is_default")]
    pub norm_topk_prob: bool,
}

/// Llama 3's way to reach a longer context than the model was first trained on.
///
/// Wavelengths shorter than `original_context_length / high_freq_factor` tokens are kept, those
/// longer than `original_context_length / low_freq_factor` are stretched by `factor`, and those
/// between are mixed smoothly.
///
/// Source: "The Llama 3 Herd of Models", 2024, <https://arxiv.org/abs/2407.21783>, section 3.2, and
/// the formula in Meta's published model code (`apply_scaling`).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RopeScaling {
    /// How many times longer the slow wavelengths become; 8 in Llama 3.1.
    pub factor: f64,
    /// The wavelengths stretched in full begin at this divisor; 1 in Llama 3.1.
    pub low_freq_factor: f64,
    /// The wavelengths left alone end at this divisor; 4 in Llama 3.1.
    pub high_freq_factor: f64,
    /// The context of the first training, in tokens; 8,192 in Llama 3.1.
    pub original_context_length: usize,
}

impl Config {
    /// Reads and checks a config from the text of a YAML file.
    ///
    /// A `training:` section is accepted and not looked into: it is for Python's trainer.
    ///
    /// # Errors
    ///
    /// If the text is not YAML, a key is unknown, missing or given twice, a value is of the wrong
    /// kind, or [`Config::validate`] finds a mistake.
    pub fn from_yaml(text: &str) -> Result<Self> {
        let value = serde_saphyr::from_str::<Value>(text).map_err(|error| Error::ConfigSyntax {
            format: "YAML",
            message: error.to_string(),
        })?;
        Self::from_value(&value)
    }

    /// Reads and checks the YAML file at `path`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read as text, and as [`Config::from_yaml`].
    pub fn from_yaml_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = read::read_text(path).map_err(|source| Error::ConfigFile {
            path: path.to_owned(),
            source,
        })?;
        Self::from_yaml(&text)
    }

    /// Reads and checks a config from JSON text, as a `.gollm` file's metadata holds it.
    ///
    /// # Errors
    ///
    /// As [`Config::from_yaml`], for JSON; of a key given twice the last value counts.
    pub fn from_json(text: &str) -> Result<Self> {
        let value = serde_json::from_str::<Value>(text).map_err(|error| Error::ConfigSyntax {
            format: "JSON",
            message: error.to_string(),
        })?;
        Self::from_value(&value)
    }

    /// Reads and checks a config from parsed JSON, such as one entry of a larger object.
    ///
    /// # Errors
    ///
    /// As [`Config::from_yaml`].
    pub fn from_value(value: &Value) -> Result<Self> {
        let config = read::config(value)?;
        config.validate()?;
        Ok(config)
    }

    /// Writes the config as YAML that [`Config::from_yaml`] reads back to an equal one.
    ///
    /// # Errors
    ///
    /// If the config does not pass [`Config::validate`].
    pub fn to_yaml(&self) -> Result<String> {
        self.validate()?;
        serde_saphyr::to_string(self).map_err(|error| Error::ConfigSyntax {
            format: "YAML",
            message: error.to_string(),
        })
    }

    /// Writes the config as one JSON object that [`Config::from_json`] reads back to an equal one.
    ///
    /// # Errors
    ///
    /// If the config does not pass [`Config::validate`].
    pub fn to_json(&self) -> Result<String> {
        self.validate()?;
        serde_json::to_string(self).map_err(|error| Error::ConfigSyntax {
            format: "JSON",
            message: error.to_string(),
        })
    }

    /// How many query heads read the same key/value head: `n_heads / n_kv_heads`.
    #[must_use]
    pub fn heads_per_kv(&self) -> usize {
        self.n_heads / self.n_kv_heads.max(1)
    }

    /// The width of all queries of a token together: `n_heads · head_dim`.
    #[must_use]
    pub fn q_dim(&self) -> usize {
        self.n_heads.saturating_mul(self.head_dim)
    }

    /// The width of all keys (or values) of a token together: `n_kv_heads · head_dim`.
    #[must_use]
    pub fn kv_dim(&self) -> usize {
        self.n_kv_heads.saturating_mul(self.head_dim)
    }
}

impl TryFrom<Value> for Config {
    type Error = Error;

    fn try_from(value: Value) -> Result<Self> {
        Self::from_value(&value)
    }
}

/// Keys that say nothing new are not written, so that a model without them has a config that every
/// release reads.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature is serde's"
)]
fn dtype_name<S: Serializer>(dtype: &DType, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(dtype.name())
}
