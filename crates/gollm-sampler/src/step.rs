//! The chain: which steps there are, and in which order they run.

use crate::{
    Candidates, Penalties, Result, SamplerOptions, apply_penalties, apply_temperature, keep_min_p,
    keep_top_k, keep_top_p,
};

/// One step from the model's logits to the distribution that is drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// [`apply_penalties`]: lower what was just said.
    Penalties,
    /// [`keep_top_k`]: keep a fixed number.
    TopK,
    /// [`keep_top_p`]: keep a fixed share of the probability.
    TopP,
    /// [`keep_min_p`]: drop what is far below the best.
    MinP,
    /// [`apply_temperature`]: sharpen or flatten what is left.
    Temperature,
}

impl Step {
    /// The order of the chain; the crate's documentation gives the reasons.
    pub const ORDER: [Self; 5] = [
        Self::Penalties,
        Self::TopK,
        Self::TopP,
        Self::MinP,
        Self::Temperature,
    ];

    /// The step's name, as in the options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Penalties => "penalties",
            Self::TopK => "top_k",
            Self::TopP => "top_p",
            Self::MinP => "min_p",
            Self::Temperature => "temperature",
        }
    }

    /// Runs this step. `window` is working memory of the penalties.
    pub(crate) fn apply(
        self,
        candidates: &mut Candidates,
        options: &SamplerOptions,
        previous: &[u32],
        window: &mut Vec<u32>,
    ) -> Result<()> {
        match self {
            Self::Penalties => {
                apply_penalties(candidates, previous, &Penalties::from(options), window)?;
            }
            Self::TopK => keep_top_k(candidates, options.top_k),
            Self::TopP => keep_top_p(candidates, options.top_p),
            Self::MinP => keep_min_p(candidates, options.min_p),
            Self::Temperature => apply_temperature(candidates, options.temperature),
        }
        Ok(())
    }
}
