//! What a test asks of a machine, counted from the config, and how fast the machine's limits let it be.

use gollm_model::{Config, FlopCounts, bytes_read_per_token, kv_bytes_per_token};
use gollm_tensor::DType;

use super::limits::Limits;
use crate::cli_error::CliError;

/// One test of one device.
#[derive(Debug, Clone, Copy)]
pub(super) enum Test {
    /// Reading this many tokens in one go.
    Prompt(usize),
    /// Writing this many tokens, for so many texts at once.
    Write { n_tokens: usize, n_batch: usize },
}

impl Test {
    pub(super) fn name(self) -> String {
        match self {
            Self::Prompt(n) => format!("pp{n}"),
            Self::Write {
                n_tokens,
                n_batch: 1,
            } => format!("tg{n_tokens}"),
            Self::Write { n_tokens, n_batch } => format!("tg{n_tokens}@{n_batch}"),
        }
    }
}

/// What one pass over the weights costs, from the config alone.
pub(super) struct Cost {
    tokens: usize,
    pub(super) bytes: u64,
    pub(super) flops: u64,
    /// The part of `flops` that is attention: always in f32.
    attention: u64,
}

impl Cost {
    pub(super) fn of(config: &Config, test: Test) -> Result<Self, CliError> {
        Ok(match test {
            Test::Prompt(n) => {
                let mean = FlopCounts::per_token(config, n.div_ceil(2))?;
                // Only the last token goes through the head.
                let body = mean.total() - mean.head;
                Self {
                    tokens: n,
                    bytes: bytes_read_per_token(config, config.dtype, DType::F32, 0)?,
                    flops: n as u64 * body + mean.head,
                    attention: n as u64 * mean.attention,
                }
            }
            Test::Write { n_tokens, n_batch } => {
                let (n_batch, context) = (n_batch as u64, n_tokens.div_ceil(2));
                let cache = kv_bytes_per_token(config, DType::F32)? * context as u64;
                let weights = bytes_read_per_token(config, config.dtype, DType::F32, 0)?;
                let mean = FlopCounts::per_token(config, context)?;
                Self {
                    tokens: n_batch as usize,
                    bytes: weights + n_batch * cache,
                    flops: n_batch * mean.total(),
                    attention: n_batch * mean.attention,
                }
            }
        })
    }

    /// Tokens a second that memory and arithmetic allow, and which of them is the limit.
    pub(super) fn limits(&self, limits: &Limits) -> (f64, &'static str) {
        let tokens = self.tokens as f64;
        let memory = tokens * limits.bytes_per_second / self.bytes as f64;
        let products = (self.flops - self.attention) as f64 / limits.products_per_second;
        let attention = self.attention as f64 / limits.attention_per_second;
        let arithmetic = tokens / (products + attention);
        if memory < arithmetic {
            (memory, "memory")
        } else {
            (arithmetic, "arithmetic")
        }
    }
}
