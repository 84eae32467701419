//! What a model needs to run: weights, cache and tokenizer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gollm_engine::TransformerModel;
use gollm_model::Decoder;
use gollm_tensor::Device;
use gollm_tokenizer::{Pattern, Tokenizer};
use gollm_weights::ModelFile;

use crate::error::Result;

/// A model that is ready to run, shared by a Python object and the threads that generate for it.
pub(crate) struct LoadedModel {
    model: Mutex<TransformerModel>,
    /// The file's own, or the [`stand_in`].
    tokenizer: Arc<Tokenizer>,
    has_tokenizer: bool,
}

impl LoadedModel {
    /// Loads the weights onto the device, and the tokenizer.
    ///
    /// # Errors
    ///
    /// If the tokenizer is broken or of another size than the model, a weight does not fit, or the
    /// device is out of memory.
    pub(crate) fn new(file: &ModelFile, device: &Device) -> Result<Self> {
        let config = file.config();
        let json = file.tokenizer_json();
        let tokenizer = match json {
            Some(json) => Tokenizer::from_json(json)?,
            None => stand_in(config.vocab_size)?,
        };
        if json.is_some() && tokenizer.vocab_size() != config.vocab_size {
            let (model, tokenizer) = (config.vocab_size, tokenizer.vocab_size());
            return Err(gollm_engine::Error::VocabularyMismatch { model, tokenizer }.into());
        }
        let decoder = Decoder::load(config, file, device)?;
        Ok(Self {
            model: Mutex::new(TransformerModel::new(decoder, 1)?),
            tokenizer: Arc::new(tokenizer),
            has_tokenizer: json.is_some(),
        })
    }

    /// The weights and their cache, once no other thread uses them. To be called detached from the
    /// interpreter: the other thread may need it to finish.
    pub(crate) fn lock(&self) -> MutexGuard<'_, TransformerModel> {
        // A thread that panicked may have left tokens in the cache; every use begins by emptying
        // it.
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file's tokenizer.
    pub(crate) fn tokenizer(&self) -> Option<&Arc<Tokenizer>> {
        self.has_tokenizer.then_some(&self.tokenizer)
    }

    /// As [`tokenizer`](Self::tokenizer), for what cannot be done without.
    ///
    /// # Errors
    ///
    /// If the file has none.
    pub(crate) fn needed_tokenizer(&self) -> Result<&Arc<Tokenizer>> {
        Ok(self.tokenizer().ok_or(gollm_engine::Error::NoTokenizer)?)
    }

    /// The file's tokenizer, or one that the engine's loop accepts in its place.
    pub(crate) fn any_tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }
}

/// A tokenizer for ids that will never be shown as text: each stands for bytes of its own, and none
/// ends a text.
fn stand_in(vocab_size: usize) -> Result<Tokenizer> {
    let single = (0..=u8::MAX).map(|byte| vec![byte]);
    let others = (256u32..).map(|id| id.to_be_bytes().to_vec());
    let ranks = single.chain(others).take(vocab_size.max(256)).collect();
    Ok(Tokenizer::new(ranks, Pattern::Gpt2, Vec::new())?)
}
