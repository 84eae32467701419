//! The transformer of gollm-model as a [`LanguageModel`].

use gollm_model::{Decoder, KvCache};
use gollm_tensor::Tensor;

use crate::{LanguageModel, Result, SequenceTokens};

/// A [`Decoder`] and the key/value cache of its sequences.
#[derive(Debug)]
pub struct TransformerModel {
    decoder: Decoder,
    cache: KvCache,
}

impl TransformerModel {
    /// Gives a decoder a cache for `n_sequences` texts at a time.
    ///
    /// # Errors
    ///
    /// If the device has no memory for the cache.
    pub fn new(decoder: Decoder, n_sequences: usize) -> Result<Self> {
        let cache = decoder.new_cache(n_sequences)?;
        Ok(Self { decoder, cache })
    }

    /// The decoder, its config and its device.
    #[must_use]
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// Reads logits back from the device, one list for each row.
    fn rows(&self, logits: &Tensor) -> Result<Vec<Vec<f32>>> {
        let values = logits.to_vec().map_err(gollm_model::Error::from)?;
        let rows = values.chunks_exact(self.decoder.config().vocab_size);
        Ok(rows.map(<[f32]>::to_vec).collect())
    }
}

impl LanguageModel for TransformerModel {
    fn vocab_size(&self) -> usize {
        self.decoder.config().vocab_size
    }

    fn context_length(&self) -> usize {
        self.cache.context_length()
    }

    fn n_sequences(&self) -> usize {
        self.cache.n_sequences()
    }

    fn forward(&mut self, batch: &[SequenceTokens<'_>]) -> Result<Vec<Vec<f32>>> {
        let logits = self.decoder.forward(batch, &mut self.cache)?;
        self.rows(&logits)
    }

    fn forward_argmax(&mut self, batch: &[SequenceTokens<'_>]) -> Result<Vec<u32>> {
        let logits = self.decoder.forward(batch, &mut self.cache)?;
        Ok(logits.argmax().map_err(gollm_model::Error::from)?)
    }

    fn forward_every(&mut self, entry: SequenceTokens<'_>) -> Result<Vec<Vec<f32>>> {
        let logits = self.decoder.forward_all(entry, &mut self.cache)?;
        self.rows(&logits)
    }

    fn length(&self, sequence: usize) -> usize {
        self.cache.length(sequence)
    }

    fn truncate(&mut self, sequence: usize, length: usize) -> Result<()> {
        Ok(self.cache.truncate(sequence, length)?)
    }
}
