//! How surprised a model is by a text that it did not write.

use gollm_model::loss::{self, cross_entropy};

use crate::language_model::check_logits;
use crate::{CancelFlag, Error, LanguageModel, Result, SequenceTokens};

/// How many positions are scored in one pass: bounds the memory for their logits.
const CHUNK: usize = 64;

/// The average surprise over a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Perplexity {
    /// How many tokens were predicted: all but the first.
    pub n_predicted: usize,
    /// The mean of `-ln p(token | tokens before it)`, in nats per token.
    pub mean_loss: f64,
}

impl Perplexity {
    /// `exp(mean_loss)`: among how many equally likely tokens the model seems to choose each time.
    #[must_use]
    pub fn perplexity(&self) -> f64 {
        loss::perplexity(self.mean_loss)
    }
}

/// Measures the perplexity of `ids` under a model.
///
/// A text longer than the context is cut into windows of `context_length` tokens that do not
/// overlap; each token but the first is predicted once, from those before it in the window that
/// ends just before it. Tokens early in a window have little to go by, so the value is an upper
/// bound of what overlapping windows would give. Uses and empties the model's sequence 0.
///
/// Put the beginning-of-text token first if the model was trained with one
/// ([`Engine::encode_prompt`](crate::Engine::encode_prompt) does).
///
/// Source: the book's section 5.1.2; Jelinek et al. 1977, "Perplexity, a measure of the difficulty
/// of speech recognition tasks", <https://doi.org/10.1121/1.2016299>.
///
/// # Errors
///
/// [`Error::TextTooShort`] below two tokens, [`Error::UnknownPromptId`] for an id that is none,
/// [`Error::Cancelled`] when `cancel` is raised, and whatever the model meets; logits that are not
/// finite among it.
pub fn perplexity(
    model: &mut dyn LanguageModel,
    ids: &[u32],
    cancel: &CancelFlag,
) -> Result<Perplexity> {
    let n_predicted = ids.len().saturating_sub(1);
    if n_predicted == 0 {
        return Err(Error::TextTooShort {
            n_tokens: ids.len(),
        });
    }
    let vocab_size = model.vocab_size();
    if let Some(position) = ids.iter().position(|&id| id as usize >= vocab_size) {
        let id = ids[position];
        return Err(Error::UnknownPromptId {
            id,
            position,
            vocab_size,
        });
    }

    let (inputs, targets) = (&ids[..n_predicted], &ids[1..]);
    let window = model.context_length().max(1);
    let mut sum = 0.0;
    for (inputs, targets) in inputs.chunks(window).zip(targets.chunks(window)) {
        model.truncate(0, 0)?;
        for (tokens, targets) in inputs.chunks(CHUNK).zip(targets.chunks(CHUNK)) {
            if cancel.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let logits = model.forward_every(SequenceTokens {
                sequence: 0,
                tokens,
            })?;
            check_logits(&logits, tokens.len(), vocab_size)?;
            for (logits, &target) in logits.iter().zip(targets) {
                sum += cross_entropy(logits, target)?;
            }
        }
    }
    model.truncate(0, 0)?;
    Ok(Perplexity {
        n_predicted,
        mean_loss: sum / n_predicted as f64,
    })
}
