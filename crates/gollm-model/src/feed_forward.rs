//! The SwiGLU feed-forward: the same three matrices for each token, no mixing across tokens.
//!
//! Notes: `notes/ch04-model.md`. Source: Shazeer 2020, <https://arxiv.org/abs/2002.05202>, eq. 6.
//! Python: `FeedForward` in `python/model.py`.

use gollm_tensor::{Device, Tensor};

use crate::config::Config;
use crate::error::Result;
use crate::rms_norm::RmsNorm;
use crate::shard::Shard;
use crate::weight_source::{WeightSource, load};

/// The three matrices of one layer's feed-forward.
#[derive(Debug, Clone)]
pub struct FeedForward {
    /// Opens and closes each hidden number, `[hidden_dim, emb_dim]`.
    pub gate_proj: Tensor,
    /// The hidden numbers themselves, `[hidden_dim, emb_dim]`.
    pub up_proj: Tensor,
    /// Back to the stream, `[emb_dim, hidden_dim]`.
    pub down_proj: Tensor,
}

impl FeedForward {
    /// Takes the matrices from a source, or the hidden columns that belong to `shard`. `prefix` is where
    /// they are: `blocks.3.ffn`, or `blocks.3.ffn.experts.17`.
    ///
    /// # Errors
    ///
    /// If a weight is missing or has another shape, or the device is out of memory.
    pub fn load(
        config: &Config,
        shard: &Shard,
        prefix: &str,
        source: &dyn WeightSource,
        device: &Device,
    ) -> Result<Self> {
        let weight = |name: &str, shape: [usize; 2]| {
            load(source, &format!("{prefix}.{name}.weight"), &shape)
        };
        let inward = [config.hidden_dim, config.emb_dim];
        let outward = [config.emb_dim, config.hidden_dim];
        let hidden = &shard.hidden;
        Ok(Self {
            gate_proj: weight("gate_proj", inward)?
                .rows(hidden.clone())?
                .upload(device)?,
            up_proj: weight("up_proj", inward)?
                .rows(hidden.clone())?
                .upload(device)?,
            down_proj: weight("down_proj", outward)?
                .columns(hidden.clone())?
                .upload(device)?,
        })
    }

    /// `down · (silu(gate · x') · (up · x'))` with `x' = norm(x)`.
    ///
    /// # Shapes
    ///
    /// - `x` and the result: `[n_tokens, emb_dim]`
    ///
    /// # Errors
    ///
    /// If `x` has another width.
    pub fn forward(&self, norm: &RmsNorm, x: &Tensor) -> Result<Tensor> {
        let weights = [&self.gate_proj, &self.up_proj, &self.down_proj];
        Ok(x.feed_forward(&norm.weight, norm.eps, weights)?)
    }
}
