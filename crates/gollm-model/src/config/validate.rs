//! What a config must satisfy before anything is built from it.
//!
//! The upper bounds are far above every published model. They are there so that the products of the
//! sizes fit in 64 bits and a file that asks for an absurd model is refused by its config, before
//! any memory is.

use super::{Config, RopeScaling};
use crate::error::{Error, Result};

/// The largest width: of the stream, of all heads together, of the feed-forward part.
const MAX_DIM: usize = 1 << 20;
/// The largest number of token ids and of positions.
const MAX_TOKENS: usize = 1 << 24;
/// The largest number of layers.
const MAX_LAYERS: usize = 1000;
/// The largest head; published models have 32 to 256.
const MAX_HEAD_DIM: usize = 4096;
/// The largest RoPE table, `context_length · head_dim`: half a million tokens of 128, 256 MiB as f32.
const MAX_ROPE_TABLE: usize = 1 << 26;
/// The largest body or table, in parameters: about four trillion.
const MAX_PARAMETERS: u64 = 1 << 42;

impl Config {
    /// Checks every value and every relation between values; reports the first mistake.
    ///
    /// A config that passes has sizes between 1 and their bounds (so that products of any three of
    /// them, and every count of `counts`, fit in a `u64`), `n_heads` a multiple of
    /// `n_kv_heads`, an even `head_dim`, and finite positive numbers.
    ///
    /// # Errors
    ///
    /// The first mistake: its key, what was found, what was expected, what to do.
    pub fn validate(&self) -> Result<()> {
        size("vocab_size", self.vocab_size, MAX_TOKENS)?;
        size("context_length", self.context_length, MAX_TOKENS)?;
        size("emb_dim", self.emb_dim, MAX_DIM)?;
        size("n_heads", self.n_heads, MAX_DIM)?;
        size("n_kv_heads", self.n_kv_heads, MAX_DIM)?;
        size("head_dim", self.head_dim, MAX_HEAD_DIM)?;
        size("hidden_dim", self.hidden_dim, MAX_DIM)?;
        size("n_layers", self.n_layers, MAX_LAYERS)?;
        self.validate_experts()?;
        self.validate_heads()?;
        self.validate_totals()?;
        self.validate_numbers()?;
        self.rope_scaling
            .map_or(Ok(()), |scaling| scaling.validate())
    }

    fn validate_heads(&self) -> Result<()> {
        if !self.n_heads.is_multiple_of(self.n_kv_heads) {
            return Err(mistake(
                "n_heads",
                self.n_heads,
                format!("a multiple of n_kv_heads = {}", self.n_kv_heads),
                "every key/value head serves the same number of query heads",
            ));
        }
        if !self.head_dim.is_multiple_of(2) {
            return Err(mistake(
                "head_dim",
                self.head_dim,
                "an even number",
                "RoPE turns the numbers of a head in pairs: add or remove one",
            ));
        }
        if self.q_dim() > MAX_DIM {
            return Err(mistake(
                "n_heads",
                self.n_heads,
                format!(
                    "n_heads · head_dim of at most {MAX_DIM}, not {}",
                    self.q_dim()
                ),
                "use fewer or smaller heads",
            ));
        }
        Ok(())
    }

    fn validate_totals(&self) -> Result<()> {
        // Both factors of each product are at most 2^24, so it fits in a u64; with the experts of all
        // layers, at most 2^15, times 3 matrices, times two widths of at most 2^20, so does the body.
        if self.context_length as u64 * self.head_dim as u64 > MAX_ROPE_TABLE as u64 {
            return Err(mistake(
                "context_length",
                self.context_length,
                format!("context_length · head_dim of at most {MAX_ROPE_TABLE}"),
                "RoPE keeps that many cosines and sines: use a shorter context",
            ));
        }
        let (e, f) = (self.emb_dim as u64, self.hidden_dim as u64);
        let heads = 2 * (self.q_dim() as u64 + self.kv_dim() as u64);
        let experts = self.n_feed_forwards() as u64 * 3 * f;
        let body = self.n_layers as u64 * e * (heads + experts);
        if body > MAX_PARAMETERS {
            return Err(mistake(
                "n_layers",
                self.n_layers,
                format!("all layers together of at most {MAX_PARAMETERS} parameters, not {body}"),
                "use fewer or narrower layers",
            ));
        }
        let table = self.vocab_size as u64 * e;
        if table > MAX_PARAMETERS {
            return Err(mistake(
                "vocab_size",
                self.vocab_size,
                format!("an embedding table of at most {MAX_PARAMETERS} numbers, not {table}"),
                "use a smaller vocabulary or a smaller emb_dim",
            ));
        }
        Ok(())
    }

    fn validate_numbers(&self) -> Result<()> {
        if !(self.rope_theta.is_finite() && self.rope_theta >= 1.0) {
            return Err(mistake(
                "rope_theta",
                self.rope_theta,
                "a finite number of at least 1",
                "it is the base of the wavelengths: 10000 is the usual one, Llama 3 has 500000",
            ));
        }
        // 1 would already drown the mean square of ordinary activations.
        if !(self.norm_eps > 0.0 && self.norm_eps < 1.0) {
            return Err(mistake(
                "norm_eps",
                self.norm_eps,
                "a number greater than 0 (in f32) and less than 1",
                "it keeps the norm of a zero vector from dividing by zero: 1e-5 is the usual one",
            ));
        }
        Ok(())
    }
}

impl RopeScaling {
    fn validate(&self) -> Result<()> {
        if !(self.factor.is_finite() && self.factor >= 1.0) {
            return Err(mistake(
                "rope_scaling.factor",
                self.factor,
                "a finite number of at least 1",
                "wavelengths are stretched by it: Llama 3.1 has 8; leave rope_scaling out for none",
            ));
        }
        for (key, value) in [
            ("rope_scaling.low_freq_factor", self.low_freq_factor),
            ("rope_scaling.high_freq_factor", self.high_freq_factor),
        ] {
            if !(value.is_finite() && value > 0.0) {
                return Err(mistake(
                    key,
                    value,
                    "a finite number greater than 0",
                    "Llama 3.1 has low 1 and high 4",
                ));
            }
        }
        if self.high_freq_factor <= self.low_freq_factor {
            return Err(mistake(
                "rope_scaling.high_freq_factor",
                self.high_freq_factor,
                format!(
                    "more than rope_scaling.low_freq_factor = {}",
                    self.low_freq_factor
                ),
                "the formula mixes between the two and divides by their difference",
            ));
        }
        // It may exceed `context_length`: a long-context model may be run with a short one.
        size(
            "rope_scaling.original_context_length",
            self.original_context_length,
            MAX_TOKENS,
        )
    }
}

fn size(key: &str, found: usize, limit: usize) -> Result<()> {
    if (1..=limit).contains(&found) {
        return Ok(());
    }
    let hint = if found == 0 {
        "a model needs at least one"
    } else {
        "use a smaller one"
    };
    Err(mistake(
        key,
        found,
        format!("a whole number from 1 to {limit}"),
        hint,
    ))
}

pub(super) fn mistake(
    key: &str,
    found: impl std::fmt::Display,
    expected: impl Into<String>,
    hint: &str,
) -> Error {
    Error::ConfigValue {
        key: key.to_owned(),
        found: found.to_string(),
        expected: expected.into(),
        hint: hint.to_owned(),
    }
}
