//! Rung 1: every token becomes the average of all tokens.

use ndarray::Array2;

use super::{Attended, check_not_empty, softmax_rows};
use crate::error::Result;

/// Mixes all tokens in equal parts: `context_t = Σ_s x_s / n_tokens`.
///
/// Attention begins as a weighted sum; this is the one whose weights know nothing. It has the shape of
/// every later rung: scores (all equal, 0), weights (all equal, `1 / n_tokens`), a context vector for
/// each token (all equal, the mean).
///
/// # Shapes
///
/// - `x`: `[n_tokens, emb_dim]`
/// - scores, weights: `[n_tokens, n_tokens]`; context: `[n_tokens, emb_dim]`
///
/// # Errors
///
/// If `x` has no row or no column.
///
/// Source: "Build a Large Language Model (From Scratch)", S. Raschka, 2024, section 3.3.
pub fn average(x: &Array2<f32>) -> Result<Attended> {
    check_not_empty("average", "x", x.shape())?;
    let scores = Array2::zeros((x.nrows(), x.nrows()));
    let weights = softmax_rows(&scores);
    let context = weights.dot(x);
    Ok(Attended {
        scores,
        weights,
        context,
    })
}
