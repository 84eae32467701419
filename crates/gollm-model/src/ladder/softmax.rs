//! Softmax: from any numbers to shares of one.

use ndarray::Array2;

/// Turns every row of scores into weights that are positive and sum to 1.
///
/// `weight_s = exp(score_s − m) / Σ_j exp(score_j − m)`, where `m` is the row's largest score.
///
/// Subtracting `m` divides above and below by the same number and keeps `exp` at most 1; without it a
/// score of 100 is already infinite in f32. A score of −∞ gets the weight 0: that is the mask's trick.
///
/// # Shapes
///
/// - `scores` and the result: `[n_tokens, n_tokens]`; any matrix whose rows have a finite score
///
/// Source: "Build a Large Language Model (From Scratch)", S. Raschka, 2024, section 3.3.1.
#[must_use]
pub fn softmax_rows(scores: &Array2<f32>) -> Array2<f32> {
    let mut weights = scores.clone();
    for mut row in weights.rows_mut() {
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        row.mapv_inplace(|score| (score - largest).exp());
        let sum = row.sum();
        row.mapv_inplace(|weight| weight / sum);
    }
    weights
}
