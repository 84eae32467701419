//! Which part of a model this decoder holds: all of it, some layers, or a share of every layer.

use std::ops::Range;

use gollm_tensor::Tensor;

use crate::config::Config;
use crate::error::{Error, Result};

/// A part of a model, for models that several devices or machines hold together.
///
/// - Some `layers`: a pipeline. The first part embeds, the last one has the output head, and
///   activations go from part to part.
/// - Some `kv_heads` (with the query heads that read them) and some columns of the feed-forward's
///   `hidden` layer: tensor parallelism. Every part embeds and has the head; each layer's two outputs
///   are partial sums, which a [`Reduce`] adds up over all parts.
///
/// Splits need not be even.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Which layers, counted from 0.
    pub layers: Range<usize>,
    /// Which key/value heads of each layer.
    pub kv_heads: Range<usize>,
    /// Which of the `hidden_dim` columns of each feed-forward layer; with experts, of each of them. Their
    /// router is whole in every part, so that all parts choose alike.
    pub hidden: Range<usize>,
}

impl Part {
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
                return Err(Error::Part {
                    name,
                    range: range.clone(),
                    limit,
                });
            }
        }
        Ok(())
    }
}

/// Adds up the partial sums of tensor-parallel parts.
///
/// Called twice a layer, after attention's output projection and after `down_proj`, with
/// `[n_tokens, emb_dim]` each time. A decoder that holds all heads needs none.
pub trait Reduce: Send + Sync {
    /// Returns the sum of every part's `partial`, the same on every part.
    ///
    /// # Errors
    ///
    /// If another part is lost.
    fn sum(&self, partial: Tensor) -> Result<Tensor>;
}
