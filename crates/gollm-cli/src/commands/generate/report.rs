//! What is said about a generation when it is over.

use std::time::Duration;

use gollm_engine::{FinishReason, GenerateOptions, Generation};
use serde_json::{Value, json};

use super::prompt::Prompt;
use crate::device::ChosenDevice;
use crate::escape;
use crate::numbers::{counted, duration};

/// A generation and what surrounds it.
pub(super) struct Run {
    pub(super) generation: Generation,
    /// From the start of the program to a model that is ready.
    pub(super) start_up: Duration,
    /// The model's name, and whether a tokenizer travels with it.
    pub(super) model: String,
    pub(super) has_tokenizer: bool,
    pub(super) device: ChosenDevice,
    pub(super) options: GenerateOptions,
}

impl Run {
    /// From the start of the program to the first token: what a person waits.
    fn start_to_first_token(&self) -> Option<Duration> {
        let first = self.generation.statistics.time_to_first_token?;
        Some(self.start_up + first)
    }
}

/// The statistics in one line.
pub(super) fn to_line(run: &Run) -> String {
    let statistics = &run.generation.statistics;
    let mut line = counted(statistics.prompt_tokens, "prompt token");
    if let Some(rate) = statistics.prompt_tokens_per_second() {
        line += &format!(" ({rate:.0}/s)");
    }
    line += &format!(
        ", {} generated",
        counted(statistics.generated_tokens, "token")
    );
    if let Some(rate) = statistics.generated_tokens_per_second() {
        line += &format!(" ({rate:.1}/s)");
    }
    if let Some(time) = run.start_to_first_token() {
        line += &format!(", first token {} after the start", duration(time));
    }
    line + "; ended: " + &reason(&run.generation.finish_reason)
}

pub(in crate::commands) fn reason(reason: &FinishReason) -> String {
    match reason {
        FinishReason::EndOfText => "end of text".to_owned(),
        FinishReason::StopString(text) => {
            format!("stop string \"{}\"", escape::token(text.as_bytes()))
        }
        FinishReason::StopId(id) => format!("stop id {id}"),
        FinishReason::Length => "--max-tokens reached".to_owned(),
        FinishReason::Context => "context full".to_owned(),
        FinishReason::Cancelled => "interrupted".to_owned(),
    }
}

/// Everything about the run in one object.
pub(super) fn to_json(run: &Run, prompt: &Prompt) -> Value {
    let generation = &run.generation;
    let statistics = &generation.statistics;
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    let (prompt, prompt_ids) = match prompt {
        Prompt::Text(text) => (Some(text), None),
        Prompt::Ids(ids) => (None, Some(ids)),
    };
    let stop = match &generation.finish_reason {
        FinishReason::StopString(text) => Some(text),
        _ => None,
    };
    json!({
        "model": run.model,
        "device": run.device.name,
        "seed": run.options.sampler.seed,
        "prompt": prompt,
        "prompt_ids": prompt_ids,
        "text": run.has_tokenizer.then_some(&generation.text),
        "ids": generation.ids,
        "finish_reason": generation.finish_reason.name(),
        "stop_string": stop,
        "statistics": {
            "prompt_tokens": statistics.prompt_tokens,
            "generated_tokens": statistics.generated_tokens,
            "start_up_ms": milliseconds(run.start_up),
            "time_to_first_token_ms": statistics.time_to_first_token.map(milliseconds),
            "start_to_first_token_ms": run.start_to_first_token().map(milliseconds),
            "total_ms": milliseconds(statistics.total_time),
            "prompt_tokens_per_second": statistics.prompt_tokens_per_second(),
            "generated_tokens_per_second": statistics.generated_tokens_per_second(),
        },
    })
}
