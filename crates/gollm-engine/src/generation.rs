//! What a generation leaves behind: the text, why it ended, how long it took.

use std::time::Duration;

/// Why a generation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FinishReason {
    /// The model drew one of the tokenizer's end-of-text tokens.
    EndOfText,
    /// One of the caller's stop strings appeared; this one.
    StopString(String),
    /// The model drew one of the caller's stop ids; this one.
    StopId(u32),
    /// As many ids were drawn as the caller asked for.
    Length,
    /// The model's context is full: it could not see the id it drew last.
    Context,
    /// The caller's flag was raised, or its callback broke off.
    Cancelled,
}

impl FinishReason {
    /// A short name for logs and JSON: `end_of_text`, `stop_string`, `stop_id`, `length`,
    /// `context` or `cancelled`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::EndOfText => "end_of_text",
            Self::StopString(_) => "stop_string",
            Self::StopId(_) => "stop_id",
            Self::Length => "length",
            Self::Context => "context",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A finished generation.
#[derive(Debug, Clone, PartialEq)]
pub struct Generation {
    /// The continuation, without the prompt: exactly the pieces that the callback was given.
    pub text: String,
    /// The ids drawn, without an id that ended the text. With a stop string they include it.
    pub ids: Vec<u32>,
    /// Why it ended.
    pub finish_reason: FinishReason,
    /// How much was done and how long it took.
    pub statistics: Statistics,
}

/// Counts and times of one generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Tokens of the prompt, with the beginning-of-text token if there is one.
    pub prompt_tokens: usize,
    /// How many of these the model held already, so that they were not computed.
    pub kept_tokens: usize,
    /// Ids drawn, with one that ended the text.
    pub generated_tokens: usize,
    /// From the start to the first id drawn: what a person waits before anything moves. `None` if
    /// none was drawn.
    pub time_to_first_token: Option<Duration>,
    /// From the start to the end.
    pub total_time: Duration,
}

impl Statistics {
    /// Tokens of the prompt per second: those that were computed over the time to the first token, which is the
    /// time that reading it took (and one draw). `None` if no id was drawn.
    #[must_use]
    pub fn prompt_tokens_per_second(&self) -> Option<f64> {
        let computed = self.prompt_tokens.saturating_sub(self.kept_tokens);
        rate(computed, self.time_to_first_token?)
    }

    /// Ids drawn per second after the first one, whose cost is the prompt's. `None` below two ids.
    #[must_use]
    pub fn generated_tokens_per_second(&self) -> Option<f64> {
        let time = self.total_time.checked_sub(self.time_to_first_token?)?;
        rate(self.generated_tokens.checked_sub(1)?, time)
    }
}

fn rate(n_tokens: usize, time: Duration) -> Option<f64> {
    let measurable = n_tokens > 0 && !time.is_zero();
    measurable.then(|| n_tokens as f64 / time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_divide_each_count_by_its_own_time() {
        let statistics = Statistics {
            prompt_tokens: 60,
            kept_tokens: 10,
            generated_tokens: 21,
            time_to_first_token: Some(Duration::from_millis(500)),
            total_time: Duration::from_millis(2500),
        };
        assert_eq!(statistics.prompt_tokens_per_second(), Some(100.0));
        assert_eq!(statistics.generated_tokens_per_second(), Some(10.0));
    }

    #[test]
    fn a_rate_that_was_not_measured_is_none_and_not_infinite() {
        let nothing = Statistics::default();
        assert_eq!(nothing.prompt_tokens_per_second(), None);
        assert_eq!(nothing.generated_tokens_per_second(), None);
        let one = Statistics {
            generated_tokens: 1,
            time_to_first_token: Some(Duration::ZERO),
            ..nothing
        };
        assert_eq!(one.prompt_tokens_per_second(), None);
        assert_eq!(one.generated_tokens_per_second(), None);
    }
}
