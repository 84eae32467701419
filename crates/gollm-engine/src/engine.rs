//! The engine: a model and its tokenizer, text in and text out.

use std::ops::ControlFlow;

use gollm_tokenizer::Tokenizer;

use crate::{Error, GenerateOptions, Generation, LanguageModel, Result, Sequence, step};

/// The token that begins every training text of our own models, and of Llama 3's. A vocabulary of
/// another project says itself which one it is.
const BEGIN_OF_TEXT: &str = "<|begin_of_text|>";

/// The id that is put before a text, if one is: the vocabulary's own choice, or
/// `<|begin_of_text|>` where it makes none.
#[must_use]
pub fn begin_of_text_id(tokenizer: &Tokenizer) -> Option<u32> {
    match tokenizer.roles() {
        Some(roles) => roles.begin,
        None => tokenizer.special_id(BEGIN_OF_TEXT),
    }
}

/// A model and the tokenizer it was trained with.
pub struct Engine {
    model: Box<dyn LanguageModel>,
    tokenizer: Tokenizer,
    /// What the model's sequence 0 holds, as far as that is known.
    seen: Vec<u32>,
}

impl Engine {
    /// Joins a model and its tokenizer.
    ///
    /// # Errors
    ///
    /// [`Error::VocabularyMismatch`] if they do not count the same number of ids. A model with more
    /// could draw an id that has no text; one with fewer could be given an id that it does not know.
    /// [`Error::Contract`] if the model holds no sequence at all.
    pub fn new(model: Box<dyn LanguageModel>, tokenizer: Tokenizer) -> Result<Self> {
        check_vocabulary(model.vocab_size(), &tokenizer)?;
        if model.n_sequences() == 0 {
            return Err(Error::Contract {
                found: "0 sequences".to_owned(),
                expected: "at least 1".to_owned(),
            });
        }
        Ok(Self {
            model,
            tokenizer,
            seen: Vec::new(),
        })
    }

    /// The tokenizer.
    #[must_use]
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &dyn LanguageModel {
        &*self.model
    }

    /// The model, to run it without a text, and the tokenizer with it.
    pub fn parts_mut(&mut self) -> (&mut dyn LanguageModel, &Tokenizer) {
        self.seen.clear();
        (&mut *self.model, &self.tokenizer)
    }

    /// Encodes a prompt as [`generate`](Self::generate) does: the beginning-of-text token, if asked
    /// for and there is one, then the text. Nothing in the text becomes a special token.
    #[must_use]
    pub fn encode_prompt(&self, prompt: &str, begin_of_text: bool) -> Vec<u32> {
        let begin = begin_of_text_id(&self.tokenizer);
        let mut ids: Vec<u32> = begin.filter(|_| begin_of_text).into_iter().collect();
        ids.extend(self.tokenizer.encode(prompt));
        ids
    }

    /// Continues a text, handing every piece of the continuation to `on_text` as soon as it is
    /// certain. `on_text` ends the generation by returning [`ControlFlow::Break`].
    ///
    /// A piece is never empty and always whole characters, so a token that ends inside one is held
    /// back until the rest has come, like text that could be the beginning of a stop string.
    ///
    /// # Errors
    ///
    /// [`Error::EmptyPrompt`] or [`Error::PromptTooLong`] for a prompt that cannot be continued,
    /// [`Error::Option`] and [`Error::Sampler`] for options, and whatever the model meets.
    pub fn generate(
        &mut self,
        prompt: &str,
        options: &GenerateOptions,
        on_text: impl FnMut(&str) -> ControlFlow<()>,
    ) -> Result<Generation> {
        let ids = self.encode_prompt(prompt, options.begin_of_text);
        self.generate_from_ids(ids, options, on_text)
    }

    /// As [`generate`](Self::generate), from ids: a chat template's, for example, which may hold
    /// special tokens. Nothing is put before them.
    ///
    /// # Errors
    ///
    /// As [`generate`](Self::generate), and [`Error::UnknownPromptId`].
    pub fn generate_from_ids(
        &mut self,
        prompt: Vec<u32>,
        options: &GenerateOptions,
        on_text: impl FnMut(&str) -> ControlFlow<()>,
    ) -> Result<Generation> {
        self.seen.clear();
        self.generate_further(prompt, options, on_text)
    }

    /// As [`generate_from_ids`](Self::generate_from_ids), without computing again what the model holds
    /// from the last call of this method: the ids with which both texts begin. In a conversation that is
    /// everything but the last message.
    ///
    /// # Errors
    ///
    /// As [`generate_from_ids`](Self::generate_from_ids). After an error nothing is kept.
    pub fn generate_further(
        &mut self,
        prompt: Vec<u32>,
        options: &GenerateOptions,
        mut on_text: impl FnMut(&str) -> ControlFlow<()>,
    ) -> Result<Generation> {
        let seen = std::mem::take(&mut self.seen);
        let common = seen.iter().zip(&prompt).take_while(|(a, b)| a == b).count();
        let (model, tokenizer) = (&mut *self.model, &self.tokenizer);
        let mut sequence = Sequence::after(model, tokenizer, (0, common), prompt, options.clone())?;
        while sequence.finish_reason().is_none() {
            step(model, std::slice::from_mut(&mut sequence))?;
            deliver(&mut sequence, &mut on_text);
        }
        self.seen = sequence.seen().to_vec();
        Ok(sequence.into_generation())
    }

    /// Continues several prompts together, as many at a time as the model holds sequences: each
    /// pass through the weights serves them all. A prompt that ends makes room for the next.
    ///
    /// `on_text` is told the index of the prompt that a piece continues; breaking off ends that one
    /// only. Results are in the order of `prompts`, and equal those of single calls as far as the
    /// model's logits do not depend on what else is in the batch.
    ///
    /// # Errors
    ///
    /// As [`generate_from_ids`](Self::generate_from_ids); the first error ends all.
    pub fn generate_batch(
        &mut self,
        prompts: Vec<(Vec<u32>, GenerateOptions)>,
        mut on_text: impl FnMut(usize, &str) -> ControlFlow<()>,
    ) -> Result<Vec<Generation>> {
        self.seen.clear();
        let (model, tokenizer) = (&mut *self.model, &self.tokenizer);
        let n_prompts = prompts.len();
        let mut waiting = prompts.into_iter().enumerate();
        let mut free_slots: Vec<usize> = (0..model.n_sequences()).rev().collect();
        let mut running: Vec<Sequence<'_>> = Vec::new();
        // Which prompt each of `running` continues.
        let mut indices: Vec<usize> = Vec::new();
        let mut finished: Vec<Option<Generation>> = vec![None; n_prompts];
        loop {
            while let Some(slot) = free_slots.pop() {
                let Some((index, (prompt, options))) = waiting.next() else {
                    break;
                };
                running.push(Sequence::new(model, tokenizer, slot, prompt, options)?);
                indices.push(index);
            }
            if running.is_empty() {
                // Every prompt was taken from `waiting`, and every one taken has ended.
                return Ok(finished.into_iter().flatten().collect());
            }
            step(model, &mut running)?;
            for at in (0..running.len()).rev() {
                let index = indices[at];
                deliver(&mut running[at], &mut |text| on_text(index, text));
                if running[at].finish_reason().is_some() {
                    let sequence = running.swap_remove(at);
                    indices.swap_remove(at);
                    free_slots.push(sequence.slot());
                    finished[index] = Some(sequence.into_generation());
                }
            }
        }
    }
}

/// Refuses a tokenizer that counts other ids than the model.
pub(crate) fn check_vocabulary(model: usize, tokenizer: &Tokenizer) -> Result<()> {
    let tokenizer = tokenizer.vocab_size();
    if model == tokenizer {
        return Ok(());
    }
    Err(Error::VocabularyMismatch { model, tokenizer })
}

/// Hands new text to the caller, who may break off.
fn deliver(sequence: &mut Sequence<'_>, on_text: &mut impl FnMut(&str) -> ControlFlow<()>) {
    let text = sequence.take_text();
    if !text.is_empty() && on_text(text).is_break() {
        sequence.break_off();
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Engine")
            .field("vocab_size", &self.model.vocab_size())
            .field("context_length", &self.model.context_length())
            .field("tokenizer", &self.tokenizer)
            .finish_non_exhaustive()
    }
}
