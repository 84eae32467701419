//! The whole decoder: ids in, logits out.
//!
//! Notes: `notes/ch04-model.md`. Python: `Decoder` in `python/model.py`.

use std::fmt;
use std::sync::Arc;

use gollm_tensor::{Device, Place, RopeTable, Tensor};

use crate::block::Block;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::kv_cache::KvCache;
use crate::rms_norm::RmsNorm;
use crate::rope;
use crate::shard::{AllReduce, Shard};
use crate::tensor_names::{FINAL_NORM, OUT_HEAD, TOK_EMB};
use crate::weight_source::{WeightSource, load};

/// The final norm and the projection to the vocabulary.
#[derive(Debug, Clone)]
struct OutputHead {
    norm: RmsNorm,
    /// `[vocab_size, emb_dim]`; the embedding table itself when tied.
    weight: Tensor,
}

/// Tokens to append to one sequence and its cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SequenceTokens<'a> {
    /// Which sequence: a slot of the cache, from 0.
    pub sequence: usize,
    /// At least one token id; they follow those that the sequence already holds.
    pub tokens: &'a [u32],
}

/// A LLaMA-3-style decoder, or a shard of one.
///
/// The forward pass is written here, in `block.rs`, `attention.rs` and `feed_forward.rs`, and nowhere
/// else: every backend, batch and cluster runs these lines.
pub struct Decoder {
    config: Config,
    shard: Shard,
    device: Device,
    rope: RopeTable,
    tok_emb: Option<Tensor>,
    blocks: Vec<Block>,
    head: Option<OutputHead>,
    all_reduce: Option<Arc<dyn AllReduce>>,
}

impl Decoder {
    /// Loads the whole model.
    ///
    /// # Errors
    ///
    /// If the config is wrong, a weight is missing or has another shape, or the device is out of
    /// memory.
    pub fn load(config: &Config, source: &dyn WeightSource, device: &Device) -> Result<Self> {
        Self::load_shard(config, Shard::whole(config), source, device)
    }

    /// Loads a shard of the model; see [`Shard`].
    ///
    /// # Errors
    ///
    /// As [`Decoder::load`], and if the shard is not inside the model.
    pub fn load_shard(
        config: &Config,
        shard: Shard,
        source: &dyn WeightSource,
        device: &Device,
    ) -> Result<Self> {
        config.validate()?;
        shard.validate(config)?;
        let table_shape = [config.vocab_size, config.emb_dim];
        let is_last = shard.is_last(config);
        let tok_emb = if shard.is_first() || (is_last && config.tie_embeddings) {
            Some(load(source, TOK_EMB, &table_shape)?.upload(device)?)
        } else {
            None
        };
        let blocks = shard
            .layers
            .clone()
            .map(|i| Block::load(config, &shard, i, source, device));
        let blocks = blocks.collect::<Result<_>>()?;
        let head = if is_last {
            let (emb_dim, eps) = (config.emb_dim, config.norm_eps);
            let norm = RmsNorm::load(source, FINAL_NORM, emb_dim, eps, device)?;
            let weight = match &tok_emb {
                Some(table) if config.tie_embeddings => table.clone(),
                _ => load(source, OUT_HEAD, &table_shape)?.upload(device)?,
            };
            Some(OutputHead { norm, weight })
        } else {
            None
        };
        let rope = RopeTable::new(device, &rope::frequencies(config), config.context_length)?;
        let (config, device) = (config.clone(), device.clone());
        Ok(Self {
            config,
            shard,
            device,
            rope,
            tok_emb,
            blocks,
            head,
            all_reduce: None,
        })
    }

    /// Adds up partial sums with `all_reduce`: for a shard that holds only some heads and columns.
    #[must_use]
    pub fn with_all_reduce(self, all_reduce: Arc<dyn AllReduce>) -> Self {
        Self {
            all_reduce: Some(all_reduce),
            ..self
        }
    }

    /// The config the decoder was loaded with.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Which shard of the model this is.
    #[must_use]
    pub fn shard(&self) -> &Shard {
        &self.shard
    }

    /// Where the weights live and the work is done.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// An empty cache for this decoder's layers and heads.
    ///
    /// # Errors
    ///
    /// If the device is out of memory.
    pub fn new_cache(&self, n_sequences: usize) -> Result<KvCache> {
        KvCache::new(&self.config, &self.shard, n_sequences, &self.device)
    }

    /// Appends tokens to several sequences in one pass over the weights, and returns the logits of
    /// each one's last token.
    ///
    /// # Shapes
    ///
    /// - returns `[batch.len(), vocab_size]`
    ///
    /// # Errors
    ///
    /// If an id is not in the vocabulary, an entry is empty, a sequence does not exist, appears twice
    /// or has no room, or this shard has no embedding or no head. The cache keeps its lengths then.
    pub fn forward(&self, batch: &[SequenceTokens<'_>], cache: &mut KvCache) -> Result<Tensor> {
        let x = self.hidden(batch, cache)?;
        let mut next = 0;
        let last_rows: Vec<usize> = batch
            .iter()
            .map(|append| {
                next += append.tokens.len();
                next - 1
            })
            .collect();
        self.head(&x.rows(&last_rows)?)
    }

    /// Appends tokens to one sequence and returns the logits of every one of them.
    ///
    /// # Shapes
    ///
    /// - returns `[tokens.len(), vocab_size]`
    ///
    /// # Errors
    ///
    /// As [`Decoder::forward`].
    pub fn forward_all(&self, append: SequenceTokens<'_>, cache: &mut KvCache) -> Result<Tensor> {
        self.head(&self.hidden(&[append], cache)?)
    }

    /// Embeds the batch's tokens and runs them through the layers.
    fn hidden(&self, batch: &[SequenceTokens<'_>], cache: &mut KvCache) -> Result<Tensor> {
        let mut ids = Vec::new();
        let mut places: Vec<Place> = Vec::new();
        for append in batch {
            if append.tokens.is_empty() || places.iter().any(|p| p.sequence == append.sequence) {
                return Err(Error::BatchEntry {
                    sequence: append.sequence,
                });
            }
            places.extend(cache.next_places(append.sequence, append.tokens.len())?);
            ids.extend_from_slice(append.tokens);
        }
        let x = self.embed(&ids)?;
        self.layers(&x, &places, cache)
    }

    /// Looks up token embeddings: where a pipeline begins.
    ///
    /// # Shapes
    ///
    /// - returns `[ids.len(), emb_dim]`
    ///
    /// # Errors
    ///
    /// If an id is not in the vocabulary or this shard does not begin the model.
    pub fn embed(&self, ids: &[u32]) -> Result<Tensor> {
        match &self.tok_emb {
            Some(table) if self.shard.is_first() => Ok(table.embed(ids)?),
            _ => Err(Error::NotInThisShard {
                what: "the token embedding",
            }),
        }
    }

    /// Runs activations through this shard's layers and counts the tokens as cached.
    ///
    /// # Shapes
    ///
    /// - `x` and the result: `[n_tokens, emb_dim]`
    /// - `places`: one for each row, as [`KvCache::next_places`] gives them
    ///
    /// # Errors
    ///
    /// If a shape is wrong, a place lies outside the cache, or the device failed. The cache keeps its
    /// lengths then.
    pub fn layers(&self, x: &Tensor, places: &[Place], cache: &mut KvCache) -> Result<Tensor> {
        self.layers_observed(x, places, cache, &mut |_, _| Ok(()))
    }

    /// As [`Decoder::layers`], showing `observe` what passes by: `blocks.{i}.attn` and
    /// `blocks.{i}.ffn` before they are added to the stream, and `blocks.{i}`, the stream after it.
    ///
    /// # Errors
    ///
    /// As [`Decoder::layers`], and what `observe` returns.
    pub fn layers_observed(
        &self,
        x: &Tensor,
        places: &[Place],
        cache: &mut KvCache,
        observe: &mut dyn FnMut(&str, &Tensor) -> Result<()>,
    ) -> Result<Tensor> {
        let all_reduce = self.all_reduce.as_deref();
        let mut x = x.clone();
        for (i, (block, cache)) in self.blocks.iter().zip(&mut cache.layers).enumerate() {
            let layer = self.shard.layers.start + i;
            let mut inside = |name: &str, x: &Tensor| observe(&format!("blocks.{layer}.{name}"), x);
            x = block.forward(&x, places, &self.rope, cache, all_reduce, &mut inside)?;
            observe(&format!("blocks.{layer}"), &x)?;
        }
        cache.advance(places);
        Ok(x)
    }

    /// The final norm and the output head: where a pipeline ends.
    ///
    /// # Shapes
    ///
    /// - `x`: `[n_rows, emb_dim]`
    /// - returns `[n_rows, vocab_size]`
    ///
    /// # Errors
    ///
    /// If `x` has another width or this shard does not end the model.
    pub fn head(&self, x: &Tensor) -> Result<Tensor> {
        let missing = Error::NotInThisShard {
            what: "the output head",
        };
        let head = self.head.as_ref().ok_or(missing)?;
        let [logits] = x.norm_matmul(&head.norm.weight, head.norm.eps, [&head.weight])?;
        Ok(logits)
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("config", &self.config)
            .field("shard", &self.shard)
            .field("device", &self.device)
            .finish_non_exhaustive()
    }
}
