//! A conversation with an engine: one message at a time.

use gollm_chat::{Conversation, Stops};
use gollm_engine::{CancelFlag, Engine, FinishReason, GenerateOptions, Generation};

use super::answer::Answer;
use crate::cli_error::{CliError, Status};
use crate::commands::generate::report::reason;
use crate::interrupt::Interrupts;
use crate::numbers::{counted, duration};
use crate::output::Notes;

/// What a conversation needs beside its messages.
pub(super) struct Session {
    engine: Engine,
    pub(super) conversation: Conversation,
    pub(super) options: GenerateOptions,
    pub(super) notes: Notes,
    interrupts: Interrupts,
    has_said_dropped: bool,
    last: Option<Generation>,
}

impl Session {
    pub(super) fn new(
        engine: Engine,
        conversation: Conversation,
        notes: Notes,
        interrupts: Interrupts,
    ) -> Self {
        let stops = Stops::new(engine.tokenizer(), conversation.template());
        Self {
            options: GenerateOptions {
                stop_ids: stops.ids,
                stop_strings: stops.strings,
                shown_ids: stops.shown_ids,
                ..GenerateOptions::default()
            },
            engine,
            conversation,
            notes,
            interrupts,
            has_said_dropped: false,
            last: None,
        }
    }

    /// Answers one message and ends.
    pub(super) fn answer_one(&mut self, message: &str) -> Result<Status, CliError> {
        let reason = self.ask(message)?;
        if let Some(line) = self.statistics() {
            self.notes.say(line);
        }
        Ok(match reason {
            FinishReason::Cancelled => Status::Interrupted,
            _ => Status::Done,
        })
    }

    /// Puts a message to the model and shows the answer as it comes. What was said is kept, also if
    /// Ctrl-C stopped it.
    pub(super) fn ask(&mut self, message: &str) -> Result<FinishReason, CliError> {
        let context_length = self.engine.model().context_length();
        let max_tokens = self.options.max_tokens;
        let prepared =
            self.conversation
                .ask(message, self.engine.tokenizer(), context_length, max_tokens)?;
        self.say_dropped(prepared.n_dropped);
        self.options.cancel = CancelFlag::new();
        self.interrupts.raise(&self.options.cancel);
        let mut answer = Answer::new(prepared.is_thinking);
        let generated = self
            .engine
            .generate_further(prepared.ids, &self.options, |text| answer.push(text));
        self.interrupts.end();
        let shown = answer.finish();
        let generation = generated.inspect_err(|_| {
            // The question has no answer: it is taken back.
            self.conversation.answer("", true);
        })?;
        let reason = generation.finish_reason.clone();
        let is_cut = matches!(
            reason,
            FinishReason::Cancelled | FinishReason::Length | FinishReason::Context
        );
        self.conversation.answer(&generation.text, is_cut);
        self.last = Some(generation);
        // The same question again should not get the same answer again.
        let seed = &mut self.options.sampler.seed;
        *seed = seed.wrapping_add(1);
        shown?;
        Ok(reason)
    }

    /// Says once that the model no longer sees all that was said.
    fn say_dropped(&mut self, n_dropped: usize) {
        if n_dropped > 0 && !std::mem::replace(&mut self.has_said_dropped, true) {
            self.notes.say(
                "note: the conversation has outgrown the context; from now on the model is no longer shown \
                 its oldest messages",
            );
        }
    }

    /// How the last answer went, in one line.
    pub(super) fn statistics(&self) -> Option<String> {
        let generation = self.last.as_ref()?;
        let statistics = &generation.statistics;
        let mut line = counted(statistics.prompt_tokens, "prompt token");
        match (
            statistics.kept_tokens,
            statistics.prompt_tokens_per_second(),
        ) {
            (0, None) => {}
            (0, Some(rate)) => line += &format!(" ({rate:.0}/s)"),
            (kept, None) => line += &format!(" ({kept} known from before)"),
            (kept, Some(rate)) => {
                line += &format!(" ({kept} known from before, the others at {rate:.0}/s)");
            }
        }
        line += &format!(
            ", {} generated",
            counted(statistics.generated_tokens, "token")
        );
        if let Some(rate) = statistics.generated_tokens_per_second() {
            line += &format!(" ({rate:.1}/s)");
        }
        if let Some(time) = statistics.time_to_first_token {
            line += &format!(", the first after {}", duration(time));
        }
        let why = match &generation.finish_reason {
            // Which token ends a turn is the template's business.
            FinishReason::StopId(_) => "end of the answer".to_owned(),
            other => reason(other),
        };
        Some(line + "; ended: " + &why)
    }
}
