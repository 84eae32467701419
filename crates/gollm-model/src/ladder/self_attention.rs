//! Rung 3: what a token looks for, what it offers and what it gives are three trained views of it.

use gollm_tensor::check_shape;
use ndarray::Array2;

use super::{Attended, check_not_empty, softmax_rows};
use crate::error::Result;

/// The trained projections of one head, `[out, in]` as `nn.Linear` keeps them.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadWeights {
    /// Makes queries, what a token looks for: `[head_dim, emb_dim]`.
    pub q_proj: Array2<f32>,
    /// Makes keys, what a token offers: `[head_dim, emb_dim]`.
    pub k_proj: Array2<f32>,
    /// Makes values, what a token gives when it is attended to: `[head_dim, emb_dim]`.
    pub v_proj: Array2<f32>,
}

impl HeadWeights {
    /// Queries, keys and values of every token, each `[n_tokens, head_dim]`.
    pub(super) fn project(
        &self,
        operation: &'static str,
        x: &Array2<f32>,
    ) -> Result<[Array2<f32>; 3]> {
        let Self {
            q_proj,
            k_proj,
            v_proj,
        } = self;
        check_not_empty(operation, "x", x.shape())?;
        check_not_empty(operation, "q_proj", q_proj.shape())?;
        let (head_dim, emb_dim) = (q_proj.nrows(), x.ncols());
        check_shape!(operation, q_proj, [head_dim, emb_dim])?;
        check_shape!(operation, k_proj, [head_dim, emb_dim])?;
        check_shape!(operation, v_proj, [head_dim, emb_dim])?;
        Ok([x.dot(&q_proj.t()), x.dot(&k_proj.t()), x.dot(&v_proj.t())])
    }
}

/// Scaled dot-product attention with trained projections.
///
/// `weights = softmax(q kᵀ / √head_dim)`, `context = weights v`, where `q`, `k` and `v` are `x` through
/// the three projections.
///
/// A dot product of `head_dim` numbers of unit size has the size `√head_dim`. Without the division,
/// wide heads have scores so far apart that softmax gives all weight to one token, where its gradient
/// is nearly zero.
///
/// # Shapes
///
/// - `x`: `[n_tokens, emb_dim]`
/// - scores, weights: `[n_tokens, n_tokens]`; context: `[n_tokens, head_dim]`
///
/// # Errors
///
/// If `x` or a projection has another shape than these, or is empty.
///
/// Source: Vaswani et al. 2017, <https://arxiv.org/abs/1706.03762>, eq. 1; "Build a Large Language Model
/// (From Scratch)", S. Raschka, 2024, section 3.4 (`SelfAttention_v2`).
pub fn self_attention(x: &Array2<f32>, head: &HeadWeights) -> Result<Attended> {
    // New: three views of the tokens in place of the tokens.
    let [q, k, v] = head.project("self_attention", x)?;
    let scores = q.dot(&k.t());
    // New: the scale.
    let weights = softmax_rows(&(&scores / (q.ncols() as f32).sqrt()));
    let context = weights.dot(&v);
    Ok(Attended {
        scores,
        weights,
        context,
    })
}
