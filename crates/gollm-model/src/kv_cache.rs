//! The key/value cache: what earlier tokens leave behind, so that no token is computed twice.
//!
//! Notes: `notes/ch04-model.md`. It holds, for each layer and each token so far, the rotated key and
//! the value of every key/value head: `2 · n_layers · n_kv_heads · head_dim` numbers a token.

use gollm_tensor::{Device, Place, Tensor};

use crate::config::Config;
use crate::error::{Error, Result};
use crate::shard::Shard;

/// The cached keys and values of one layer.
#[derive(Debug)]
pub struct LayerCache {
    /// Rotated keys, `[n_sequences, context_length, n_kv_heads · head_dim]`.
    pub keys: Tensor,
    /// Values, of the same shape.
    pub values: Tensor,
}

/// Keys and values of several sequences, each with its own length.
#[derive(Debug)]
pub struct KvCache {
    pub(crate) layers: Vec<LayerCache>,
    lengths: Vec<usize>,
    context_length: usize,
}

impl KvCache {
    /// Allocates an empty cache for `n_sequences` sequences of up to `config.context_length` tokens.
    ///
    /// # Errors
    ///
    /// If the device is out of memory.
    pub fn new(
        config: &Config,
        shard: &Shard,
        n_sequences: usize,
        device: &Device,
    ) -> Result<Self> {
        let width = shard.kv_heads.len() * config.head_dim;
        let shape = [n_sequences, config.context_length, width];
        let layers = shard.layers.clone().map(|_| {
            Ok(LayerCache {
                keys: device.cache(&shape)?,
                values: device.cache(&shape)?,
            })
        });
        Ok(Self {
            layers: layers.collect::<Result<_>>()?,
            lengths: vec![0; n_sequences],
            context_length: config.context_length,
        })
    }

    /// How many sequences there is room for.
    #[must_use]
    pub fn n_sequences(&self) -> usize {
        self.lengths.len()
    }

    /// How many tokens a sequence may have.
    #[must_use]
    pub fn context_length(&self) -> usize {
        self.context_length
    }

    /// How many numbers the cache holds: `2 · n_layers · n_sequences · context_length · n_kv_heads ·
    /// head_dim`.
    #[must_use]
    pub fn n_elements(&self) -> usize {
        self.layers
            .iter()
            .map(|layer| layer.keys.n_elements() + layer.values.n_elements())
            .sum()
    }

    /// How many tokens of `sequence` are cached; 0 for one that does not exist.
    #[must_use]
    pub fn length(&self, sequence: usize) -> usize {
        self.lengths.get(sequence).copied().unwrap_or(0)
    }

    /// The places of the next `n_tokens` tokens of `sequence`. The cache itself does not change.
    ///
    /// # Errors
    ///
    /// If there is no such sequence, or it has no room for as many tokens.
    pub fn next_places(&self, sequence: usize, n_tokens: usize) -> Result<Vec<Place>> {
        self.check(sequence)?;
        let length = self.lengths[sequence];
        if n_tokens > self.context_length - length {
            return Err(Error::ContextFull {
                sequence,
                cached: length,
                n_tokens,
                context_length: self.context_length,
            });
        }
        Ok(Place::run(sequence, length, n_tokens))
    }

    /// Forgets all but the first `length` tokens of `sequence`; 0 starts it anew.
    ///
    /// # Errors
    ///
    /// If there is no such sequence, or it is shorter than `length`.
    pub fn truncate(&mut self, sequence: usize, length: usize) -> Result<()> {
        self.check(sequence)?;
        if length > self.lengths[sequence] {
            return Err(Error::TruncateBeyond {
                sequence,
                length,
                cached: self.lengths[sequence],
            });
        }
        // What lies beyond the length is never read, and is overwritten by the next tokens.
        self.lengths[sequence] = length;
        Ok(())
    }

    /// Counts tokens as cached, once every layer has written them.
    pub(crate) fn advance(&mut self, places: &[Place]) {
        for place in places {
            self.lengths[place.sequence] = place.position + 1;
        }
    }

    fn check(&self, sequence: usize) -> Result<()> {
        if sequence < self.lengths.len() {
            return Ok(());
        }
        Err(Error::NoSuchSequence {
            sequence,
            n_sequences: self.lengths.len(),
        })
    }
}
