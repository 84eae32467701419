//! Cross-entropy and perplexity: how surprised a model is by the token that really came next.
//!
//! The loss of one position is `−ln p(target)`, where `p = softmax(logits)`. A model that knows nothing
//! gives each of `V` tokens the probability `1/V` and loses `ln V`.
//!
//! Source: "Build a Large Language Model (From Scratch)", S. Raschka, 2024, sections 5.1.2 and 5.1.3.

use crate::error::{Error, Result};

const OPERATION: &str = "cross_entropy";

/// The loss of one position: `ln(Σ_i exp(logit_i)) − logit_target`.
///
/// The sum runs in f64 over `exp(logit_i − max)`, which is at most 1 for every `i`: logits of any
/// finite size neither overflow nor lose the answer.
///
/// # Shapes
///
/// - `logits`: `[vocab_size]`
///
/// # Units
///
/// Nats: divide by `ln 2` for bits.
///
/// # Errors
///
/// If `target` is not below `vocab_size`, or a logit is NaN or infinite.
///
/// # Examples
///
/// ```
/// # fn main() -> gollm_model::Result<()> {
/// // Four equal logits: the model knows nothing, and loses ln 4.
/// let loss = gollm_model::loss::cross_entropy(&[0.5, 0.5, 0.5, 0.5], 2)?;
/// assert!((loss - 4.0f64.ln()).abs() < 1e-12);
/// # Ok(())
/// # }
/// ```
pub fn cross_entropy(logits: &[f32], target: u32) -> Result<f64> {
    row_loss(0, logits, target)
}

/// The mean loss over the positions of a text: the number that training makes smaller.
///
/// # Shapes
///
/// - `logits`: `[n_tokens, vocab_size]`, one row after the other
/// - `targets`: `[n_tokens]`; `targets[t]` is the token that came after position `t`
///
/// # Units
///
/// Nats per token.
///
/// # Errors
///
/// If there are no targets, the logits are not a whole row for each of them, and as
/// [`cross_entropy`].
pub fn mean_cross_entropy(logits: &[f32], targets: &[u32]) -> Result<f64> {
    let n_tokens = targets.len();
    let vocab_size = logits.len().checked_div(n_tokens).unwrap_or(0);
    // A remainder, no targets or no logits: there is no matrix to speak of.
    if vocab_size == 0 || vocab_size * n_tokens != logits.len() {
        return Err(gollm_tensor::Error::Shape {
            operation: OPERATION,
            name: "logits",
            found: vec![logits.len()],
            expected: format!("[n_tokens, vocab_size] with n_tokens = {n_tokens} targets, not 0"),
        }
        .into());
    }
    let mut sum = 0.0;
    for (t, (row, &target)) in logits.chunks_exact(vocab_size).zip(targets).enumerate() {
        sum += row_loss(t, row, target)?;
    }
    Ok(sum / n_tokens as f64)
}

/// How many equally likely tokens the model is, on average, choosing between: `exp(mean_loss)`.
///
/// 1 for a model that is always right and sure of it, `vocab_size` for one that knows nothing.
///
/// # Units
///
/// `mean_loss` in nats per token, as [`mean_cross_entropy`] gives it.
#[must_use]
pub fn perplexity(mean_loss: f64) -> f64 {
    mean_loss.exp()
}

fn row_loss(row: usize, logits: &[f32], target: u32) -> Result<f64> {
    let target_logit = logits
        .get(target as usize)
        .ok_or(gollm_tensor::Error::OutOfRange {
            operation: OPERATION,
            name: "target",
            found: target as usize,
            limit: logits.len(),
        })?;
    if let Some(column) = logits.iter().position(|logit| !logit.is_finite()) {
        return Err(Error::NotFinite {
            operation: OPERATION,
            name: "logits",
            index: format!("[{row}, {column}]"),
            found: logits[column],
            hint: "the weights are damaged or the training has diverged",
        });
    }
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let above = |logit: f32| f64::from(logit) - f64::from(largest);
    let sum: f64 = logits.iter().map(|&logit| above(logit).exp()).sum();
    Ok(sum.ln() - above(*target_logit))
}
