//! The options that not every model has: biases, norms of queries and keys, experts.

use super::Config;
use super::validate::mistake;
use crate::error::Result;

/// The most experts of one layer; published models have 8 to 512.
const MAX_EXPERTS: usize = 1024;
/// The most experts of all layers together: the largest published model has fewer than 24,000. A file
/// of a few bytes must not ask for a list of millions of tensors.
const MAX_EXPERTS_IN_ALL: usize = 1 << 15;

impl Config {
    /// Whether the feed-forward parts are mixtures of experts.
    #[must_use]
    pub fn has_experts(&self) -> bool {
        self.n_experts > 0
    }

    /// Whether it has a key that the first release of this program did not know.
    #[must_use]
    pub fn has_options(&self) -> bool {
        self.qkv_bias || self.qk_norm || self.has_experts()
    }

    /// How many feed-forwards a layer holds: its experts, or one.
    #[must_use]
    pub fn n_feed_forwards(&self) -> usize {
        self.n_experts.max(1)
    }

    pub(super) fn validate_experts(&self) -> Result<()> {
        let chosen = self.n_experts_per_token;
        if self.n_experts > MAX_EXPERTS {
            return Err(mistake(
                "n_experts",
                self.n_experts,
                format!("a whole number from 0 to {MAX_EXPERTS}"),
                "use fewer experts; 0 is a model without them",
            ));
        }
        if self.n_layers.saturating_mul(self.n_experts) > MAX_EXPERTS_IN_ALL {
            return Err(mistake(
                "n_experts",
                self.n_experts,
                format!("n_layers · n_experts of at most {MAX_EXPERTS_IN_ALL}"),
                "use fewer experts or fewer layers",
            ));
        }
        if !self.has_experts() && (chosen != 0 || self.norm_topk_prob) {
            let (key, found) = match chosen {
                0 => ("norm_topk_prob", "true".to_owned()),
                chosen => ("n_experts_per_token", chosen.to_string()),
            };
            return Err(mistake(
                key,
                found,
                "no such key, since n_experts is 0",
                "give n_experts or remove the key",
            ));
        }
        if self.has_experts() && !(1..=self.n_experts).contains(&chosen) {
            return Err(mistake(
                "n_experts_per_token",
                chosen,
                format!("a whole number from 1 to n_experts = {}", self.n_experts),
                "each token is routed to at least one expert and to each at most once",
            ));
        }
        Ok(())
    }
}
