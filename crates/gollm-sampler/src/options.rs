//! The knobs of sampling, their defaults and their limits.

use crate::{Error, Penalties, Result};

/// How the next id is chosen. Every step has a value that switches it off.
///
/// The defaults are llama.cpp's: a mild cut of the tail from three sides and
/// slightly less randomness than the model's own distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SamplerOptions {
    /// Divides the logits: below 1 sharpens, above 1 flattens, 1 changes
    /// nothing. 0 is greedy decoding: always the most probable id.
    pub temperature: f32,
    /// Keep only the `top_k` most probable ids. 0 keeps all.
    pub top_k: usize,
    /// Keep the smallest set of most probable ids whose probabilities sum to at
    /// least `top_p`. 1 keeps all.
    pub top_p: f32,
    /// Keep ids at least `min_p` times as probable as the best one. 0 keeps all.
    pub min_p: f32,
    /// Makes ids of the recent past less likely by a factor on the logit. 1 is off.
    pub repetition_penalty: f32,
    /// How many of the last ids the three penalties look at. 0 switches them
    /// off; `usize::MAX` looks at everything.
    pub repeat_last_n: usize,
    /// Subtracted once from the logit of every id of the recent past. 0 is off.
    pub presence_penalty: f32,
    /// Subtracted once per occurrence in the recent past. 0 is off.
    pub frequency_penalty: f32,
    /// Start of the random sequence. Same seed, same logits: same ids.
    pub seed: u64,
}

impl Default for SamplerOptions {
    fn default() -> Self {
        Self {
            temperature: 0.8,
            top_k: 40,
            top_p: 0.95,
            min_p: 0.05,
            repetition_penalty: 1.0,
            repeat_last_n: 64,
            presence_penalty: 0.0,
            frequency_penalty: 0.0,
            seed: 0,
        }
    }
}

impl SamplerOptions {
    /// Greedy decoding: the most probable id every time, no randomness.
    pub fn greedy() -> Self {
        Self {
            temperature: 0.0,
            ..Self::default()
        }
    }

    /// Whether the chosen id is always that of the largest logit: temperature 0 and no penalty.
    #[must_use]
    pub fn is_argmax(&self) -> bool {
        self.temperature == 0.0 && Penalties::from(self).are_off()
    }

    /// Checks every option against its range.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] for the first option out of range, in field order.
    pub fn validate(&self) -> Result<()> {
        check(
            "temperature",
            self.temperature,
            self.temperature.is_finite() && self.temperature >= 0.0,
            "0 (greedy) or a larger finite number",
        )?;
        check(
            "top_p",
            self.top_p,
            self.top_p > 0.0 && self.top_p <= 1.0,
            "a number above 0 and at most 1 (1 switches it off)",
        )?;
        check(
            "min_p",
            self.min_p,
            (0.0..=1.0).contains(&self.min_p),
            "a number from 0 (off) to 1",
        )?;
        check(
            "repetition_penalty",
            self.repetition_penalty,
            self.repetition_penalty.is_finite() && self.repetition_penalty > 0.0,
            "a finite number above 0 (1 switches it off)",
        )?;
        check(
            "presence_penalty",
            self.presence_penalty,
            self.presence_penalty.is_finite(),
            "a finite number (0 switches it off)",
        )?;
        check(
            "frequency_penalty",
            self.frequency_penalty,
            self.frequency_penalty.is_finite(),
            "a finite number (0 switches it off)",
        )
    }
}

fn check(option: &'static str, found: f32, ok: bool, expected: &'static str) -> Result<()> {
    if ok {
        return Ok(());
    }
    Err(Error::Option {
        option,
        found,
        expected,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(change: impl Fn(&mut SamplerOptions)) -> String {
        let mut options = SamplerOptions::default();
        change(&mut options);
        options.validate().unwrap_err().to_string()
    }

    #[test]
    fn the_defaults_and_every_off_value_are_valid() {
        SamplerOptions::default().validate().unwrap();
        SamplerOptions::greedy().validate().unwrap();
        let off = SamplerOptions {
            temperature: 1.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            repeat_last_n: 0,
            ..Default::default()
        };
        off.validate().unwrap();
    }

    #[test]
    fn every_mistake_has_a_message_that_names_the_option_and_the_value() {
        for bad in [-1.0, f32::NAN, f32::INFINITY] {
            let found = message(|o| o.temperature = bad);
            assert_eq!(
                found,
                format!(
                    "sampling option `temperature` is {bad}, \
                     expected 0 (greedy) or a larger finite number"
                )
            );
        }
        for bad in [0.0, -0.1, 1.1, f32::NAN] {
            assert!(
                message(|o| o.top_p = bad)
                    .starts_with(&format!("sampling option `top_p` is {bad},"))
            );
        }
        for bad in [-0.1, 1.1, f32::NAN] {
            assert!(message(|o| o.min_p = bad).contains("`min_p`"));
        }
        for bad in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            assert!(message(|o| o.repetition_penalty = bad).contains("`repetition_penalty`"));
        }
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(message(|o| o.presence_penalty = bad).contains("`presence_penalty`"));
            assert!(message(|o| o.frequency_penalty = bad).contains("`frequency_penalty`"));
        }
    }
}
