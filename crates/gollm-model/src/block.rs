//! One transformer block: attention, then the feed-forward, each added to the stream.
//!
//! Notes: `notes/ch04-model.md`. Python: `Block` in `python/model.py`.

use gollm_tensor::{Device, Place, RopeTable, Tensor};

use crate::attention::GroupedQueryAttention;
use crate::config::Config;
use crate::error::Result;
use crate::feed_forward::FeedForward;
use crate::kv_cache::LayerCache;
use crate::moe::Moe;
use crate::rms_norm::RmsNorm;
use crate::shard::{AllReduce, Shard};
use crate::tensor_names::block_tensor;
use crate::weight_source::WeightSource;

/// The second half of a layer: one feed-forward for all tokens, or a mixture of experts.
#[derive(Debug, Clone)]
pub enum Ffn {
    /// One for all.
    Dense(FeedForward),
    /// Experts and a router.
    Moe(Moe),
}

impl Ffn {
    /// Takes the weights of layer `layer` from a source.
    ///
    /// # Errors
    ///
    /// If a weight is missing or has another shape, or the device is out of memory.
    pub fn load(
        config: &Config,
        shard: &Shard,
        layer: usize,
        source: &dyn WeightSource,
        device: &Device,
    ) -> Result<Self> {
        if config.has_experts() {
            return Moe::load(config, shard, layer, source, device).map(Self::Moe);
        }
        let prefix = format!("blocks.{layer}.ffn");
        FeedForward::load(config, shard, &prefix, source, device).map(Self::Dense)
    }

    /// The feed-forward of the normalized `x`, to be added to the stream.
    ///
    /// # Shapes
    ///
    /// - `x` and the result: `[n_tokens, emb_dim]`
    ///
    /// # Errors
    ///
    /// If `x` has another width.
    pub fn forward(&self, norm: &RmsNorm, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Dense(feed_forward) => feed_forward.forward(norm, x),
            Self::Moe(moe) => moe.forward(norm, x),
        }
    }
}

/// The weights of one layer.
#[derive(Debug, Clone)]
pub struct Block {
    /// Before attention.
    pub attn_norm: RmsNorm,
    /// The only part that mixes information across tokens.
    pub attn: GroupedQueryAttention,
    /// Before the feed-forward.
    pub ffn_norm: RmsNorm,
    /// The part that holds two thirds of the weights.
    pub ffn: Ffn,
}

impl Block {
    /// Takes the weights of layer `layer` from a source.
    ///
    /// # Errors
    ///
    /// If a weight is missing or has another shape, or the device is out of memory.
    pub fn load(
        config: &Config,
        shard: &Shard,
        layer: usize,
        source: &dyn WeightSource,
        device: &Device,
    ) -> Result<Self> {
        let norm = |name: &str| {
            let name = block_tensor(layer, name);
            RmsNorm::load(source, &name, config.emb_dim, config.norm_eps, device)
        };
        Ok(Self {
            attn_norm: norm("attn_norm")?,
            attn: GroupedQueryAttention::load(config, shard, layer, source, device)?,
            ffn_norm: norm("ffn_norm")?,
            ffn: Ffn::load(config, shard, layer, source, device)?,
        })
    }

    /// `x + attn(norm(x))`, then `x + ffn(norm(x))`.
    ///
    /// `all_reduce` adds up the partial sums of other machines where this block holds only some heads and
    /// columns; `observe` sees the two additions before they are made.
    ///
    /// # Shapes
    ///
    /// - `x` and the result: `[n_tokens, emb_dim]`
    ///
    /// # Errors
    ///
    /// If a shape is wrong, a place lies outside the cache, or the device or a reduction failed.
    pub fn forward(
        &self,
        x: &Tensor,
        places: &[Place],
        rope: &RopeTable,
        cache: &mut LayerCache,
        all_reduce: Option<&dyn AllReduce>,
        observe: &mut dyn FnMut(&str, &Tensor) -> Result<()>,
    ) -> Result<Tensor> {
        let sum = |partial: Tensor| match all_reduce {
            Some(all_reduce) => all_reduce.sum(partial),
            None => Ok(partial),
        };
        let attn_out = sum(self.attn.forward(&self.attn_norm, x, places, rope, cache)?)?;
        observe("attn", &attn_out)?;
        let x = x.add(&attn_out)?;
        let ffn_out = sum(self.ffn.forward(&self.ffn_norm, &x)?)?;
        observe("ffn", &ffn_out)?;
        Ok(x.add(&ffn_out)?)
    }
}
