//! One text in the making: everything that belongs to it and to no other.

use std::time::Instant;

use gollm_sampler::Sampler;
use gollm_tokenizer::{DecodeStream, Tokenizer};

use crate::{
    Error, FinishReason, GenerateOptions, Generation, LanguageModel, Result, SequenceTokens,
    Statistics, StopMatcher,
};

/// The state of one generation, between two passes through the model.
///
/// It does not hold the model: [`step`](crate::step) takes the model and any number of sequences,
/// and moves each of them on with one shared pass.
#[derive(Debug)]
pub struct Sequence<'a> {
    /// Which of the model's sequences holds this one's tokens.
    slot: usize,
    /// The prompt, then the ids drawn.
    ids: Vec<u32>,
    n_prompt: usize,
    /// How many of `ids` the model has seen.
    n_seen: usize,
    n_drawn: usize,
    /// How many of the drawn ids the caller has taken.
    n_ids_taken: usize,
    context_length: usize,
    options: GenerateOptions,
    end_ids: Vec<u32>,
    /// What turns ids into text. Without it the sequence has ids alone.
    tokenizer: Option<&'a Tokenizer>,
    decoder: Option<DecodeStream<'a>>,
    sampler: Sampler,
    stop: StopMatcher,
    text: String,
    /// How many bytes of `text` the caller has taken.
    n_taken: usize,
    finish_reason: Option<FinishReason>,
    started: Instant,
    statistics: Statistics,
}

impl<'a> Sequence<'a> {
    /// Prepares to continue `prompt` in the model's sequence `slot`, which is emptied.
    ///
    /// Without a tokenizer there is no text: ids are [taken](Self::take_ids) as they are drawn, no id
    /// ends the text by itself, and stop strings are refused.
    ///
    /// # Errors
    ///
    /// As [`after`](Self::after).
    pub fn new(
        model: &mut dyn LanguageModel,
        tokenizer: impl Into<Option<&'a Tokenizer>>,
        slot: usize,
        prompt: Vec<u32>,
        options: GenerateOptions,
    ) -> Result<Self> {
        Self::after(model, tokenizer, (slot, 0), prompt, options)
    }

    /// Prepares to continue `prompt` in the model's sequence `slot`, which holds the first `n_kept` ids of
    /// it already: they are not computed again, and whatever else the slot holds is forgotten. The last id
    /// of the prompt is always computed, since the first draw needs its logits.
    ///
    /// # Errors
    ///
    /// [`Error::EmptyPrompt`], [`Error::PromptTooLong`] and [`Error::UnknownPromptId`] for a prompt
    /// that cannot be continued; [`Error::Option`] and [`Error::Sampler`] for options.
    pub fn after(
        model: &mut dyn LanguageModel,
        tokenizer: impl Into<Option<&'a Tokenizer>>,
        (slot, n_kept): (usize, usize),
        prompt: Vec<u32>,
        options: GenerateOptions,
    ) -> Result<Self> {
        check_prompt(&prompt, model.context_length(), model.vocab_size())?;
        options.check_prefill_chunk()?;
        let tokenizer = tokenizer.into();
        if tokenizer.is_none() {
            options.check_without_tokenizer()?;
        }
        let sampler = Sampler::new(options.sampler)?;
        let stop = StopMatcher::new(&options.stop_strings)?;
        let n_kept = n_kept.min(prompt.len() - 1).min(model.length(slot));
        model.truncate(slot, n_kept)?;
        Ok(Self {
            slot,
            n_prompt: prompt.len(),
            n_seen: n_kept,
            n_drawn: 0,
            n_ids_taken: 0,
            context_length: model.context_length(),
            end_ids: tokenizer.map(end_of_text_ids).unwrap_or_default(),
            tokenizer,
            decoder: tokenizer.map(|tokenizer| tokenizer.stream_after(&prompt)),
            sampler,
            stop,
            text: String::new(),
            n_taken: 0,
            finish_reason: (options.max_tokens == 0).then_some(FinishReason::Length),
            started: Instant::now(),
            statistics: Statistics {
                prompt_tokens: prompt.len(),
                kept_tokens: n_kept,
                ..Statistics::default()
            },
            ids: prompt,
            options,
        })
    }

    /// Which of the model's sequences holds this one's tokens.
    #[must_use]
    pub fn slot(&self) -> usize {
        self.slot
    }

    /// The ids that the model holds in this sequence's slot.
    #[must_use]
    pub fn seen(&self) -> &[u32] {
        &self.ids[..self.n_seen]
    }

    /// Why it ended, or `None` while it goes on.
    #[must_use]
    pub fn finish_reason(&self) -> Option<&FinishReason> {
        self.finish_reason.as_ref()
    }

    /// The text that became certain since the last call.
    pub fn take_text(&mut self) -> &str {
        let from = std::mem::replace(&mut self.n_taken, self.text.len());
        &self.text[from..]
    }

    /// The ids drawn since the last call.
    pub fn take_ids(&mut self) -> &[u32] {
        let drawn = &self.ids[self.n_prompt..];
        let from = std::mem::replace(&mut self.n_ids_taken, drawn.len());
        &drawn[from..]
    }

    /// Ends the sequence now, at the caller's wish. Text that is still held back, for half a character
    /// or a stop string, is dropped: nothing is added to what could be taken.
    pub fn break_off(&mut self) {
        if self.finish_reason.is_none() {
            self.end(FinishReason::Cancelled);
        }
    }

    /// The finished generation.
    #[must_use]
    pub fn into_generation(mut self) -> Generation {
        if self.finish_reason.is_none() {
            self.finish(FinishReason::Cancelled);
        }
        let finish_reason = self.finish_reason.unwrap_or(FinishReason::Cancelled);
        Generation {
            text: self.text,
            ids: self.ids.split_off(self.n_prompt),
            finish_reason,
            statistics: self.statistics,
        }
    }

    /// Looks at the caller's flag.
    pub(crate) fn check_cancelled(&mut self) {
        if self.finish_reason.is_none() && self.options.cancel.is_cancelled() {
            self.finish(FinishReason::Cancelled);
        }
    }

    /// What the model should see next: a chunk of the prompt, or the id drawn last. `None` when
    /// finished.
    pub(crate) fn pending(&self) -> Option<SequenceTokens<'_>> {
        if self.finish_reason.is_some() {
            return None;
        }
        let unseen = &self.ids[self.n_seen..];
        Some(SequenceTokens {
            sequence: self.slot,
            tokens: &unseen[..unseen.len().min(self.options.prefill_chunk)],
        })
    }

    /// Whether the id of the largest logit is all that the next draw needs. The first draw looks at
    /// every logit, so that a model whose numbers are not finite is refused and not listened to.
    pub(crate) fn is_argmax_enough(&self) -> bool {
        self.n_drawn > 0 && self.sampler.options().is_argmax()
    }

    /// Takes the logits after the last of the [`pending`](Self::pending) tokens. Draws the next id
    /// from them, unless more of the prompt must be seen first.
    pub(crate) fn advance(&mut self, logits: &[f32]) -> Result<()> {
        if self.see_pending() {
            return Ok(());
        }
        let drawn = self.sampler.sample(logits, &self.ids);
        let id = drawn.map_err(|source| Error::Sampling {
            n_tokens: self.n_seen,
            source,
        })?;
        self.draw(id)
    }

    /// As [`advance`](Self::advance) where [`is_argmax_enough`](Self::is_argmax_enough): takes the id
    /// itself.
    pub(crate) fn advance_by(&mut self, id: u32) -> Result<()> {
        self.see_pending();
        self.draw(id)
    }

    /// Counts the pending tokens as seen. True if more of the prompt is left to be seen.
    fn see_pending(&mut self) -> bool {
        self.n_seen += self.pending().map_or(0, |pending| pending.tokens.len());
        self.n_seen < self.ids.len()
    }

    /// Counts a drawn id and adds it to the text.
    fn draw(&mut self, id: u32) -> Result<()> {
        self.n_drawn += 1;
        if self.n_drawn == 1 {
            self.statistics.time_to_first_token = Some(self.started.elapsed());
        }
        self.accept(id)
    }

    /// Adds a drawn id to the text, or ends the text because of it.
    fn accept(&mut self, id: u32) -> Result<()> {
        if self.options.stop_ids.contains(&id) {
            self.finish(FinishReason::StopId(id));
            return Ok(());
        }
        let is_end = self.end_ids.contains(&id);
        if is_end && !self.options.ignore_end_of_text {
            self.finish(FinishReason::EndOfText);
            return Ok(());
        }

        self.ids.push(id);
        if self.is_text(id)
            && let Some(decoder) = &mut self.decoder
        {
            let piece = decoder.push(id)?;
            if self.show(&piece) {
                return Ok(());
            }
        }
        if self.n_drawn >= self.options.max_tokens {
            self.finish(FinishReason::Length);
        } else if self.ids.len() > self.context_length {
            self.finish(FinishReason::Context);
        }
        Ok(())
    }

    /// Special tokens are for the model alone: as text they could not be told from text that says the
    /// same.
    fn is_text(&self, id: u32) -> bool {
        let is_special = self
            .tokenizer
            .is_some_and(|tokenizer| tokenizer.is_special(id));
        !is_special || self.options.shown_ids.contains(&id)
    }

    /// Adds text, less what a stop string may begin with. True if one was found, which ends all.
    fn show(&mut self, piece: &str) -> bool {
        let (shown, found) = self.stop.push(piece);
        self.text.push_str(&shown);
        let Some(index) = found else {
            return false;
        };
        let stop_string = self.options.stop_strings[index].clone();
        self.end(FinishReason::StopString(stop_string));
        true
    }

    /// Ends the text, showing what was held back: half a character, as U+FFFD, and the beginning of
    /// a stop string that did not come.
    fn finish(&mut self, reason: FinishReason) {
        let held = self.decoder.take().map(DecodeStream::finish);
        if !self.show(&held.unwrap_or_default()) {
            let held = self.stop.finish();
            self.text.push_str(&held);
            self.end(reason);
        }
    }

    fn end(&mut self, reason: FinishReason) {
        self.statistics.generated_tokens = self.n_drawn;
        self.statistics.total_time = self.started.elapsed();
        self.finish_reason = Some(reason);
    }
}

/// Refuses a prompt that cannot be continued.
fn check_prompt(prompt: &[u32], context_length: usize, vocab_size: usize) -> Result<()> {
    if prompt.is_empty() {
        return Err(Error::EmptyPrompt);
    }
    if prompt.len() > context_length {
        return Err(Error::PromptTooLong {
            n_tokens: prompt.len(),
            context_length,
        });
    }
    match prompt.iter().position(|&id| id as usize >= vocab_size) {
        Some(position) => Err(Error::UnknownPromptId {
            id: prompt[position],
            position,
            vocab_size,
        }),
        None => Ok(()),
    }
}

/// The ids that mean "the text ends here": of gollm's own vocabularies and Llama 3's the first two,
/// of GPT-2's and GPT-4's the last. A vocabulary of another project says itself which they are.
#[must_use]
pub fn end_of_text_ids(tokenizer: &Tokenizer) -> Vec<u32> {
    if let Some(roles) = tokenizer.roles() {
        return roles.end.clone();
    }
    let names = ["<|end_of_text|>", "<|eot_id|>", "<|endoftext|>"];
    let ids = names.iter().filter_map(|name| tokenizer.special_id(name));
    ids.collect()
}
