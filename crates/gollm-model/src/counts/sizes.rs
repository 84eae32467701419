//! The sizes that counts are products of.

use crate::config::Config;

/// The sizes of a validated config as `u64`, in which their products fit.
pub(super) struct Sizes {
    pub(super) vocab: u64,
    pub(super) emb: u64,
    pub(super) q: u64,
    pub(super) kv: u64,
    pub(super) hidden: u64,
    pub(super) layers: u64,
    /// Feed-forwards of a layer, and how many of them a token uses.
    pub(super) experts: u64,
    pub(super) active: u64,
    /// Of one layer.
    pub(super) biases: u64,
    pub(super) head_norms: u64,
    pub(super) is_mixture: bool,
}

impl Sizes {
    pub(super) fn of(config: &Config) -> Self {
        Self {
            vocab: config.vocab_size as u64,
            emb: config.emb_dim as u64,
            q: config.q_dim() as u64,
            kv: config.kv_dim() as u64,
            hidden: config.hidden_dim as u64,
            layers: config.n_layers as u64,
            experts: config.n_feed_forwards() as u64,
            active: config.n_experts_per_token.max(1) as u64,
            biases: match config.qkv_bias {
                true => (config.q_dim() + 2 * config.kv_dim()) as u64,
                false => 0,
            },
            head_norms: match config.qk_norm {
                true => 2 * config.head_dim as u64,
                false => 0,
            },
            is_mixture: config.has_experts(),
        }
    }

    /// Queries and output lead over `q`, keys and values to `kv`.
    pub(super) fn attention(&self) -> u64 {
        2 * self.emb * (self.q + self.kv)
    }

    /// Gate, up and down, of one expert where there are several.
    pub(super) fn expert(&self) -> u64 {
        3 * self.emb * self.hidden
    }

    pub(super) fn router(&self) -> u64 {
        match self.is_mixture {
            true => self.experts * self.emb,
            false => 0,
        }
    }
}
