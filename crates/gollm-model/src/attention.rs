//! Grouped-query attention with rotary positions and a cache: the last rung of the ladder, as the
//! model uses it.
//!
//! Notes: `notes/ch03-attention.md`. The steps before it are in `ladder/`. Python:
//! `GroupedQueryAttention` in `python/model.py`.

use std::ops::Range;

use gollm_tensor::{CachedAttention, Device, Place, RopeTable, Tensor};

use crate::config::Config;
use crate::error::Result;
use crate::kv_cache::LayerCache;
use crate::rms_norm::RmsNorm;
use crate::shard::Shard;
use crate::tensor_names::{block_bias, block_tensor};
use crate::weight_source::{WeightSource, load};

/// The four projections of one layer's attention, and what some models do between them.
#[derive(Debug, Clone)]
pub struct GroupedQueryAttention {
    /// Queries, `[n_heads · head_dim, emb_dim]`.
    pub q_proj: Tensor,
    /// Keys, `[n_kv_heads · head_dim, emb_dim]`.
    pub k_proj: Tensor,
    /// Values, `[n_kv_heads · head_dim, emb_dim]`.
    pub v_proj: Tensor,
    /// Back to the stream, `[emb_dim, n_heads · head_dim]`.
    pub o_proj: Tensor,
    /// Added to queries, keys and values (Qwen2).
    pub qkv_bias: Option<[Tensor; 3]>,
    /// Of each head of the queries and of the keys, `[head_dim]` (Qwen3).
    pub qk_norm: Option<[RmsNorm; 2]>,
    head_dim: usize,
}

impl GroupedQueryAttention {
    /// Takes the projections of layer `layer` from a source, or the rows of them that belong to
    /// `shard`'s heads.
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
        let weight =
            |name: &str, shape: [usize; 2]| load(source, &block_tensor(layer, name), &shape);
        let (q_dim, kv_dim, emb_dim) = (config.q_dim(), config.kv_dim(), config.emb_dim);
        let kv_rows = shard.kv_heads.start * config.head_dim..shard.kv_heads.end * config.head_dim;
        let group = config.heads_per_kv();
        let q_rows = kv_rows.start * group..kv_rows.end * group;
        Ok(Self {
            qkv_bias: match config.qkv_bias {
                true => Some(load_biases(
                    config,
                    [&q_rows, &kv_rows],
                    layer,
                    source,
                    device,
                )?),
                false => None,
            },
            qk_norm: match config.qk_norm {
                true => Some(load_norms(config, layer, source, device)?),
                false => None,
            },
            q_proj: weight("attn.q_proj", [q_dim, emb_dim])?
                .rows(q_rows.clone())?
                .upload(device)?,
            k_proj: weight("attn.k_proj", [kv_dim, emb_dim])?
                .rows(kv_rows.clone())?
                .upload(device)?,
            v_proj: weight("attn.v_proj", [kv_dim, emb_dim])?
                .rows(kv_rows)?
                .upload(device)?,
            o_proj: weight("attn.o_proj", [emb_dim, q_dim])?
                .columns(q_rows)?
                .upload(device)?,
            head_dim: config.head_dim,
        })
    }

    /// Normalizes `x`, attends to the cached tokens of each row's sequence and to the row itself, and
    /// projects back. The new keys and values stay in `cache`.
    ///
    /// # Shapes
    ///
    /// - `x` and the result: `[n_tokens, emb_dim]`
    /// - `places`: one for each row
    ///
    /// # Errors
    ///
    /// If a shape is wrong or a place lies outside the cache.
    pub fn forward(
        &self,
        norm: &RmsNorm,
        x: &Tensor,
        places: &[Place],
        rope: &RopeTable,
        cache: &mut LayerCache,
    ) -> Result<Tensor> {
        let projections = [&self.q_proj, &self.k_proj, &self.v_proj];
        let mut qkv = x.norm_matmul(&norm.weight, norm.eps, projections)?;
        if let Some(biases) = &self.qkv_bias {
            for (x, bias) in qkv.iter_mut().zip(biases) {
                *x = x.add(bias)?;
            }
        }
        if let Some(norms) = &self.qk_norm {
            for (heads, norm) in qkv.iter_mut().zip(norms) {
                *heads = norm.forward(heads)?;
            }
        }
        let [q, k, v] = qkv;
        let LayerCache { keys, values } = cache;
        let head_dim = self.head_dim;
        let context = q.cached_attention(
            &k,
            &v,
            CachedAttention {
                keys,
                values,
                rope,
                places,
                head_dim,
            },
        )?;
        Ok(context.matmul(&self.o_proj)?)
    }
}

/// The biases of some rows of the three projections; each is as long as its projection has rows.
fn load_biases(
    config: &Config,
    [q_rows, kv_rows]: [&Range<usize>; 2],
    layer: usize,
    source: &dyn WeightSource,
    device: &Device,
) -> Result<[Tensor; 3]> {
    let bias = |part: &str, width: usize, rows: &Range<usize>| -> Result<Tensor> {
        let all = load(source, &block_bias(layer, part), &[width])?.to_f32()?;
        Ok(device.tensor(&[rows.len()], &all[rows.clone()])?)
    };
    Ok([
        bias("attn.q_proj", config.q_dim(), q_rows)?,
        bias("attn.k_proj", config.kv_dim(), kv_rows)?,
        bias("attn.v_proj", config.kv_dim(), kv_rows)?,
    ])
}

/// The norms of a head of the queries and of the keys, the same for all heads.
fn load_norms(
    config: &Config,
    layer: usize,
    source: &dyn WeightSource,
    device: &Device,
) -> Result<[RmsNorm; 2]> {
    let norm = |part: &str| {
        let (name, eps) = (block_tensor(layer, part), config.norm_eps);
        RmsNorm::load(source, &name, config.head_dim, eps, device)
    };
    Ok([norm("attn.q_norm")?, norm("attn.k_norm")?])
}
