//! Shards of a model, for pipelines (some layers) and tensor parallelism (some heads and columns).

use std::ops::Range;

use gollm_tensor::Tensor;

use crate::config::Config;
use crate::error::{Error, Result};

/// The part of a model that one of several devices or machines holds.
///
/// - Some `layers`: a pipeline. The first shard embeds, the last one has the output head, and
///   activations go from shard to shard.
/// - Some `kv_heads` (with the query heads that read them) and some columns of the feed-forward's
///   `hidden` layer: tensor parallelism. Every shard embeds and has the head; each layer's two
///   outputs are partial sums, which an [`AllReduce`] adds up over all shards.
///
/// Splits need not be even.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    /// Which layers, counted from 0.
    pub layers: Range<usize>,
    /// Which key/value heads of each layer.
    pub kv_heads: Range<usize>,
    /// Which of the `hidden_dim` columns of each feed-forward layer; with experts, of each of them.
    /// Every shard has the whole router, so that all of them route alike.
    pub hidden: Range<usize>,
}

impl Shard {
    /// The whole model.
    #[must_use]
    pub fn whole(config: &Config) -> Self {
        Self {
            layers: 0..config.n_layers,
            kv_heads: 0..config.n_kv_heads,
            hidden: 0..config.hidden_dim,
        }
    }

    /// Whether token ids enter the model here.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.layers.start == 0
    }

    /// Whether logits leave the model here.
    #[must_use]
    pub fn is_last(&self, config: &Config) -> bool {
        self.layers.end == config.n_layers
    }

    /// Checks that every range lies inside the model and none but `layers` is empty.
    ///
    /// # Errors
    ///
    /// With the name of the range, what it is, and how far it may reach.
    pub fn validate(&self, config: &Config) -> Result<()> {
        let ranges = [
            ("layers", &self.layers, config.n_layers),
            ("kv_heads", &self.kv_heads, config.n_kv_heads),
            ("hidden", &self.hidden, config.hidden_dim),
        ];
        for (name, range, limit) in ranges {
            if range.start >= range.end || range.end > limit {
                return Err(Error::Shard {
                    name,
                    range: range.clone(),
                    limit,
                });
            }
        }
        Ok(())
    }
}

/// All-reduce: adds up the partial sums of tensor-parallel shards.
///
/// Called twice a layer, after attention's output projection and after `down_proj`, with
/// `[n_tokens, emb_dim]` each time. A decoder that holds all heads needs none.
pub trait AllReduce: Send + Sync {
    /// Returns the sum of every shard's `partial`, the same on every shard.
    ///
    /// # Errors
    ///
    /// If another shard is lost.
    fn sum(&self, partial: Tensor) -> Result<Tensor>;
}
