//! How the next token is chosen.

use std::hash::{BuildHasher, Hasher, RandomState};

use gollm_sampler::SamplerOptions;

use crate::cli_error::CliError;

/// Where the random numbers start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seed {
    Random,
    Fixed(u64),
}

/// The sampler's options, with llama.cpp's names and defaults.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Sampling")]
pub(crate) struct SamplingArgs {
    /// Randomness: 0 always takes the most probable token, 1 the model's own distribution
    #[arg(
        long,
        visible_alias = "temp",
        value_name = "T",
        env = "GOLLM_TEMPERATURE"
    )]
    #[arg(default_value_t = 0.8, allow_negative_numbers = true)]
    temperature: f32,

    /// Keep only the K most probable tokens; 0 keeps all
    #[arg(long, value_name = "K", env = "GOLLM_TOP_K", default_value_t = 40)]
    #[arg(allow_negative_numbers = true)]
    top_k: usize,

    /// Keep the most probable tokens whose probabilities add up to P; 1 keeps all
    #[arg(long, value_name = "P", env = "GOLLM_TOP_P")]
    #[arg(default_value_t = 0.95, allow_negative_numbers = true)]
    top_p: f32,

    /// Keep tokens at least P times as probable as the best one; 0 keeps all
    #[arg(long, value_name = "P", env = "GOLLM_MIN_P")]
    #[arg(default_value_t = 0.05, allow_negative_numbers = true)]
    min_p: f32,

    /// Make tokens of the recent text less likely by this factor; 1 is off
    #[arg(long, value_name = "F", env = "GOLLM_REPEAT_PENALTY")]
    #[arg(default_value_t = 1.0, allow_negative_numbers = true)]
    repeat_penalty: f32,

    /// How many of the last tokens the three penalties look at; 0 is off
    #[arg(
        long,
        value_name = "N",
        env = "GOLLM_REPEAT_LAST_N",
        default_value_t = 64,
        allow_negative_numbers = true
    )]
    repeat_last_n: usize,

    /// Lower the logit of every token of the recent text by this much
    #[arg(long, value_name = "X", env = "GOLLM_PRESENCE_PENALTY")]
    #[arg(default_value_t = 0.0, allow_negative_numbers = true)]
    presence_penalty: f32,

    /// Lower the logit of a recent token by this much for each time it occurs
    #[arg(long, value_name = "X", env = "GOLLM_FREQUENCY_PENALTY")]
    #[arg(default_value_t = 0.0, allow_negative_numbers = true)]
    frequency_penalty: f32,

    /// Seed of the random numbers: the same seed gives the same text [default: a random one]
    ///
    /// `-1` or `random` asks for a random one too. The seed that is used is printed to stderr.
    #[arg(
        short,
        long,
        value_name = "SEED",
        env = "GOLLM_SEED",
        default_value = "random"
    )]
    #[arg(value_parser = seed, allow_negative_numbers = true, hide_default_value = true)]
    seed: Seed,
}

impl SamplingArgs {
    /// The sampler's options, checked.
    pub(crate) fn options(&self) -> Result<SamplerOptions, CliError> {
        let options = SamplerOptions {
            temperature: self.temperature,
            top_k: self.top_k,
            top_p: self.top_p,
            min_p: self.min_p,
            repetition_penalty: self.repeat_penalty,
            repeat_last_n: self.repeat_last_n,
            presence_penalty: self.presence_penalty,
            frequency_penalty: self.frequency_penalty,
            seed: match self.seed {
                Seed::Fixed(seed) => seed,
                Seed::Random => random_seed(),
            },
        };
        match options.validate() {
            Ok(()) => Ok(options),
            Err(error) => Err(CliError::usage(error.to_string())),
        }
    }
}

fn seed(text: &str) -> Result<Seed, String> {
    if matches!(text, "random" | "-1") {
        return Ok(Seed::Random);
    }
    text.parse().map(Seed::Fixed).map_err(|_| {
        format!(
            "expected a whole number from 0 to {}, or `random`",
            u64::MAX
        )
    })
}

/// A seed that nobody chose. 32 bits, so that a person can type it again, and a JSON reader that
/// keeps numbers as f64 does not round it.
fn random_seed() -> u64 {
    // The standard library seeds its hash maps from the operating system; no other source of
    // randomness comes without a dependency.
    RandomState::new().build_hasher().finish() >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_number_or_random() {
        assert_eq!(seed("7"), Ok(Seed::Fixed(7)));
        assert_eq!(seed("18446744073709551615"), Ok(Seed::Fixed(u64::MAX)));
        assert_eq!(seed("-1"), Ok(Seed::Random));
        assert_eq!(seed("random"), Ok(Seed::Random));
        for wrong in ["", "-2", "1.5", "0x7", "18446744073709551616"] {
            assert!(seed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn random_seeds_differ_and_fit_in_32_bits() {
        let seeds: Vec<u64> = (0..4).map(|_| random_seed()).collect();
        assert!(seeds.iter().all(|&seed| seed <= u64::from(u32::MAX)));
        assert!(seeds.windows(2).any(|pair| pair[0] != pair[1]), "{seeds:?}");
    }
}
