//! Rung 4: no token may look at those after it.

use ndarray::Array2;

use super::{Attended, HeadWeights, softmax_rows};
use crate::error::Result;

/// Self-attention of a language model: token `t` attends to tokens `0..=t` and no further.
///
/// The model is trained to predict each next token, so a token that could see the next one would only
/// learn to copy it.
///
/// # Shapes
///
/// - `x`: `[n_tokens, emb_dim]`
/// - scores, weights: `[n_tokens, n_tokens]`, with −∞ and 0 above the diagonal;
///   context: `[n_tokens, head_dim]`
///
/// # Errors
///
/// If `x` or a projection has another shape than these, or is empty.
///
/// Source: "Build a Large Language Model (From Scratch)", S. Raschka, 2024, section 3.5
/// (`CausalAttention`, without its dropout, which exists in training only).
pub fn causal(x: &Array2<f32>, head: &HeadWeights) -> Result<Attended> {
    let [q, k, v] = head.project("causal", x)?;
    let mut scores = q.dot(&k.t());
    // New: the future is out of sight.
    mask_future(&mut scores);
    let weights = softmax_rows(&(&scores / (q.ncols() as f32).sqrt()));
    let context = weights.dot(&v);
    Ok(Attended {
        scores,
        weights,
        context,
    })
}

/// Sets every score of a later token to −∞, which softmax turns into the weight 0.
///
/// The mask comes before softmax, not after: zeros put into finished weights leave rows that no longer
/// sum to 1, and the sum below the fraction would still have seen the future.
///
/// # Shapes
///
/// - `scores`: `[n_tokens, n_tokens]`, rows are queries, columns are keys
pub fn mask_future(scores: &mut Array2<f32>) {
    for ((t, s), score) in scores.indexed_iter_mut() {
        if s > t {
            *score = f32::NEG_INFINITY;
        }
    }
}
