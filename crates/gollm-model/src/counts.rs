//! What a model costs, from its config alone: parameters, bytes, floating-point operations.
//!
//! All counts are exact for this project's decoder, not estimates; `tests/counts.rs` compares them with
//! counts made another way. Notes: `notes/ch04-model.md`.

mod sizes;

use gollm_tensor::DType;

use crate::config::Config;
use crate::error::Result;
use crate::tensor_names::{expected_tensors, is_router};
use sizes::Sizes;

/// The trained numbers of a model, by part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParameterCounts {
    /// The embedding table: `vocab_size · emb_dim`.
    pub embedding: u64,
    /// The four attention projections of one layer, and the biases of three of them if there are any.
    pub attention_per_layer: u64,
    /// The three feed-forward matrices of one layer; with experts, those of all of them and the router.
    pub feed_forward_per_layer: u64,
    /// The part of it that one token does not use: the inactive experts.
    pub inactive_per_layer: u64,
    /// The two norms of one layer, and those of queries and keys if there are any.
    pub norms_per_layer: u64,
    /// How many layers there are.
    pub n_layers: u64,
    /// The norm after the last layer.
    pub final_norm: u64,
    /// The output head; 0 when it is the embedding table itself.
    pub head: u64,
}

impl ParameterCounts {
    /// Counts the parameters of a model.
    ///
    /// # Errors
    ///
    /// If the config does not pass [`Config::validate`].
    pub fn new(config: &Config) -> Result<Self> {
        config.validate()?;
        let sizes = Sizes::of(config);
        let table = sizes.vocab * sizes.emb;
        Ok(Self {
            embedding: table,
            attention_per_layer: sizes.attention() + sizes.biases,
            feed_forward_per_layer: sizes.experts * sizes.expert() + sizes.router(),
            inactive_per_layer: (sizes.experts - sizes.active) * sizes.expert(),
            norms_per_layer: 2 * sizes.emb + sizes.head_norms,
            n_layers: sizes.layers,
            final_norm: sizes.emb,
            head: if config.tie_embeddings { 0 } else { table },
        })
    }

    /// The parameters of one layer.
    #[must_use]
    pub fn per_layer(&self) -> u64 {
        self.attention_per_layer + self.feed_forward_per_layer + self.norms_per_layer
    }

    /// All layers and the final norm: everything but the embedding table and the output head.
    #[must_use]
    pub fn without_embeddings(&self) -> u64 {
        self.n_layers * self.per_layer() + self.final_norm
    }

    /// Every trained number; a table that is tied to the head counts once.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.embedding + self.without_embeddings() + self.head
    }

    /// What one token uses of them: all but the inactive experts.
    #[must_use]
    pub fn active(&self) -> u64 {
        self.total() - self.n_layers * self.inactive_per_layer
    }
}

/// The bytes of all weights with their matrices stored in `dtype` and their vectors and routers in f32.
///
/// # Units
///
/// Bytes of data, without the padding and the header of a file.
///
/// # Errors
///
/// If the config does not pass [`Config::validate`], or a row of a matrix is not a whole number of
/// `dtype`'s blocks.
pub fn weight_bytes(config: &Config, dtype: DType) -> Result<u64> {
    let mut total = 0;
    for spec in expected_tensors(config)? {
        let stored = if is_router(&spec.name) {
            DType::F32
        } else {
            dtype
        };
        total += tensor_bytes(&spec.shape, stored)?;
    }
    Ok(total)
}

/// The bytes that decoding one token reads, after `context` tokens: every weight once (of the
/// embedding table one row, unless it serves as the head; of the experts the active ones), and the
/// keys and values of the context, which the device keeps in `cache`.
///
/// Decoding one sequence does about two operations a weight, so memory bandwidth divided by this
/// number bounds the tokens a second of any implementation.
///
/// # Units
///
/// Bytes.
///
/// # Errors
///
/// As [`weight_bytes`], and if `context` is more than `context_length`.
pub fn bytes_read_per_token(
    config: &Config,
    dtype: DType,
    cache: DType,
    context: usize,
) -> Result<u64> {
    config.validate()?;
    check_context("bytes read per token", context, 0, config.context_length)?;
    let row = tensor_bytes(&[1, config.emb_dim], dtype)?;
    let table = row * config.vocab_size as u64;
    // A tied table is read whole by the head, an untied one only in the token's row.
    let unread = if config.tie_embeddings { 0 } else { table };
    let cached = kv_bytes_per_token(config, cache)? * context as u64;
    let sizes = Sizes::of(config);
    let inward = tensor_bytes(&[config.hidden_dim, config.emb_dim], dtype)?;
    let outward = tensor_bytes(&[config.emb_dim, config.hidden_dim], dtype)?;
    let inactive = sizes.layers * (sizes.experts - sizes.active) * (2 * inward + outward);
    Ok(weight_bytes(config, dtype)? - unread - inactive + row + cached)
}

/// The bytes that one token leaves in the key/value cache: `2 · n_layers · n_kv_heads · head_dim`
/// numbers, each in `cache`.
///
/// The type is the device's choice and not the config's: the reference and the CPU keep f32 unless
/// f16 is asked for, CUDA keeps f16 unless f32 is.
///
/// # Units
///
/// Bytes for one token of one sequence.
///
/// # Errors
///
/// If the config does not pass [`Config::validate`], or the keys of a token are not a whole number
/// of `cache`'s blocks.
pub fn kv_bytes_per_token(config: &Config, cache: DType) -> Result<u64> {
    config.validate()?;
    Ok(cache.n_bytes(&[2 * config.n_layers, config.kv_dim()])? as u64)
}

/// The bytes of one sequence's key/value cache for the whole of `context_length`, kept in `cache`.
///
/// # Units
///
/// Bytes for one sequence.
///
/// # Errors
///
/// As [`kv_bytes_per_token`].
pub fn kv_bytes(config: &Config, cache: DType) -> Result<u64> {
    Ok(kv_bytes_per_token(config, cache)? * config.context_length as u64)
}

/// The floating-point operations of one token's forward pass, a multiply-add as two.
///
/// Only matrix products are counted. Norms, softmax, RoPE and the feed-forward's gate grow with the
/// width and not with its square, so their share shrinks as models grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlopCounts {
    /// The query, key, value and output projections of all layers.
    pub projections: u64,
    /// Scores and weighted sums over the tokens attended to, in all layers: the only part that
    /// grows with the context.
    pub attention: u64,
    /// The three feed-forward matrices of all layers; with experts, those of the active ones and the
    /// router.
    pub feed_forward: u64,
    /// The projection to the vocabulary.
    pub head: u64,
}

impl FlopCounts {
    /// Counts one token that attends to `context` tokens, itself among them.
    ///
    /// # Errors
    ///
    /// If the config does not pass [`Config::validate`], or `context` is not within 1 and
    /// `context_length`.
    pub fn per_token(config: &Config, context: usize) -> Result<Self> {
        config.validate()?;
        check_context("FLOPs per token", context, 1, config.context_length)?;
        let sizes = Sizes::of(config);
        Ok(Self {
            projections: 2 * sizes.layers * sizes.attention(),
            // One product for the scores and one for the weighted sum, over all query heads.
            attention: 2 * 2 * sizes.layers * sizes.q * context as u64,
            feed_forward: 2 * sizes.layers * (sizes.active * sizes.expert() + sizes.router()),
            head: 2 * sizes.vocab * sizes.emb,
        })
    }

    /// All parts together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.projections + self.attention + self.feed_forward + self.head
    }
}

fn tensor_bytes(shape: &[usize], dtype: DType) -> Result<u64> {
    // Norms and biases are vectors and stay exact: they are a ten-thousandth of a model.
    let stored = if shape.len() == 1 { DType::F32 } else { dtype };
    Ok(stored.n_bytes(shape)? as u64)
}

fn check_context(operation: &'static str, context: usize, least: usize, most: usize) -> Result<()> {
    if (least..=most).contains(&context) {
        return Ok(());
    }
    Err(gollm_tensor::Error::Length {
        operation,
        name: if context < least {
            "context (too short)"
        } else {
            "context (too long)"
        },
        found: context,
        expected: if context < least { least } else { most },
    }
    .into())
}
