//! Rung 2: tokens attend to tokens that point the same way.

use ndarray::Array2;

use super::{Attended, check_not_empty, softmax_rows};
use crate::error::Result;

/// Self-attention without trained weights: the scores are dot products of the tokens themselves.
///
/// `scores_ts = x_t · x_s`, `weights = softmax(scores)`, `context_t = Σ_s weights_ts x_s`
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
/// # Examples
///
/// Two tokens at a right angle: each scores 1 with itself and 0 with the other.
///
/// ```
/// # fn main() -> gollm_model::Result<()> {
/// let x = ndarray::array![[1.0, 0.0], [0.0, 1.0]];
/// let attended = gollm_model::ladder::dot_product(&x)?;
/// assert_eq!(attended.scores, x);
/// assert!((attended.weights[[0, 0]] - 0.7311).abs() < 1e-4); // e / (e + 1)
/// # Ok(())
/// # }
/// ```
///
/// Source: "Build a Large Language Model (From Scratch)", S. Raschka, 2024, section 3.3.
pub fn dot_product(x: &Array2<f32>) -> Result<Attended> {
    check_not_empty("dot_product", "x", x.shape())?;
    // New: the tokens decide. Row t, column s: how alike are token t and token s?
    let scores = x.dot(&x.t());
    let weights = softmax_rows(&scores);
    let context = weights.dot(x);
    Ok(Attended {
        scores,
        weights,
        context,
    })
}
