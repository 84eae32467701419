//! What a caller may ask of one generation.

use gollm_sampler::SamplerOptions;

use crate::{CancelFlag, Error, Result};

/// How to continue one prompt.
#[derive(Debug, Clone)]
pub struct GenerateOptions {
    /// How each next id is chosen. Its penalties look at the prompt too.
    pub sampler: SamplerOptions,
    /// Draw at most this many ids. `usize::MAX` goes on until the context is full.
    pub max_tokens: usize,
    /// End when one of these appears in the text. It is not part of the result, nor is anything
    /// after it. Found also when spread over several tokens.
    pub stop_strings: Vec<String>,
    /// End when one of these ids is drawn, besides the tokenizer's own end-of-text tokens.
    pub stop_ids: Vec<u32>,
    /// Special tokens that are shown as their text all the same, such as the `<think>` with which a model
    /// begins to think. The others are marks for the model and never text.
    pub shown_ids: Vec<u32>,
    /// Go on after the tokenizer's end-of-text tokens; for measuring speed.
    pub ignore_end_of_text: bool,
    /// Start a text prompt with the tokenizer's `<|begin_of_text|>`, if it has one, as in training.
    pub begin_of_text: bool,
    /// Feed at most this many tokens of the prompt in one pass. Bounds the memory of a pass and the
    /// time until a cancellation is noticed; the result does not depend on it.
    pub prefill_chunk: usize,
    /// Raise it to end early.
    pub cancel: CancelFlag,
}

impl Default for GenerateOptions {
    fn default() -> Self {
        Self {
            sampler: SamplerOptions::default(),
            max_tokens: 256,
            stop_strings: Vec::new(),
            stop_ids: Vec::new(),
            shown_ids: Vec::new(),
            ignore_end_of_text: false,
            begin_of_text: true,
            prefill_chunk: 256,
            cancel: CancelFlag::new(),
        }
    }
}

impl GenerateOptions {
    pub(crate) fn check_prefill_chunk(&self) -> Result<()> {
        if self.prefill_chunk == 0 {
            return Err(Error::Option {
                option: "prefill_chunk",
                problem: "it is 0, expected at least 1 token per pass".to_owned(),
            });
        }
        Ok(())
    }

    /// Refuses what only text can have.
    pub(crate) fn check_without_tokenizer(&self) -> Result<()> {
        if !self.stop_strings.is_empty() {
            return Err(Error::Option {
                option: "stop_strings",
                problem: "they need text, and this model has no tokenizer".to_owned(),
            });
        }
        Ok(())
    }
}
