//! What a model needs to run: weights, cache and tokenizer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gollm_engine::TransformerModel;
use gollm_model::Decoder;
use gollm_tensor::Device;
use gollm_tokenizer::Tokenizer;
use gollm_weights::ModelFile;

use crate::error::Result;

/// A model that is ready to run, shared by a Python object and the threads that generate for it.
pub(crate) struct LoadedModel {
    model: Mutex<TransformerModel>,
    tokenizer: Option<Arc<Tokenizer>>,
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
        let tokenizer = file
            .tokenizer_json()
            .map(Tokenizer::from_json)
            .transpose()?;
        let model = config.vocab_size;
        if let Some(tokenizer) = tokenizer.as_ref().map(Tokenizer::vocab_size)
            && tokenizer != model
        {
            return Err(gollm_engine::Error::VocabularyMismatch { model, tokenizer }.into());
        }
        let decoder = Decoder::load(config, file, device)?;
        Ok(Self {
            model: Mutex::new(TransformerModel::new(decoder, 1)?),
            tokenizer: tokenizer.map(Arc::new),
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
        self.tokenizer.as_ref()
    }

    /// As [`tokenizer`](Self::tokenizer), for what cannot be done without.
    ///
    /// # Errors
    ///
    /// If the file has none.
    pub(crate) fn needed_tokenizer(&self) -> Result<&Arc<Tokenizer>> {
        Ok(self.tokenizer().ok_or(gollm_engine::Error::NoTokenizer)?)
    }
}
