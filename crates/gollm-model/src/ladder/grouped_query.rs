//! Rung 6: several query heads share one key/value head.

use gollm_tensor::check_shape;
use ndarray::{Array2, s};

use super::multi_head::{AttentionWeights, head_dim};
use super::{check_not_empty, mask_future, softmax_rows};
use crate::error::Result;

/// Multi-head attention with fewer key/value heads than query heads.
///
/// A decoder keeps the keys and values of all earlier tokens, so `n_kv_heads` and not `n_heads` decides
/// how large that cache grows. With `n_kv_heads == n_heads` this is multi-head attention, with
/// `n_kv_heads == 1` it is multi-query attention.
///
/// # Shapes
///
/// - `x`: `[n_tokens, emb_dim]`
/// - returns `[n_tokens, emb_dim]`
///
/// # Errors
///
/// If a shape is wrong, or `n_heads` is not a multiple of `n_kv_heads`.
///
/// Source: Ainslie et al. 2023, <https://arxiv.org/abs/2305.13245>, section 2.2; multi-query: Shazeer
/// 2019, <https://arxiv.org/abs/1911.02150>.
pub fn grouped_query(
    x: &Array2<f32>,
    layer: &AttentionWeights,
    n_heads: usize,
    n_kv_heads: usize,
) -> Result<Array2<f32>> {
    let AttentionWeights {
        q_proj,
        k_proj,
        v_proj,
        o_proj,
    } = layer;
    check_not_empty("grouped_query", "x", x.shape())?;
    check_groups("grouped_query", n_heads, n_kv_heads)?;
    let (emb_dim, head_dim) = (x.ncols(), head_dim("grouped_query", q_proj, n_heads)?);
    check_shape!("grouped_query", q_proj, [n_heads * head_dim, emb_dim])?;
    // New: keys and values have fewer rows.
    check_shape!("grouped_query", k_proj, [n_kv_heads * head_dim, emb_dim])?;
    check_shape!("grouped_query", v_proj, [n_kv_heads * head_dim, emb_dim])?;
    check_shape!("grouped_query", o_proj, [emb_dim, n_heads * head_dim])?;

    let (q, k, v) = (x.dot(&q_proj.t()), x.dot(&k_proj.t()), x.dot(&v_proj.t()));
    let context = grouped_query_attention(&q, &k, &v, n_heads, n_kv_heads)?;
    Ok(context.dot(&o_proj.t()))
}

/// The attention between the projections: causal, over one sequence.
///
/// Query head `h` reads key/value head `h / (n_heads / n_kv_heads)`.
///
/// # Shapes
///
/// - `q` and the result: `[n_tokens, n_heads · head_dim]`
/// - `k`, `v`: `[n_tokens, n_kv_heads · head_dim]`
///
/// # Errors
///
/// If a shape is wrong, or `n_heads` is not a multiple of `n_kv_heads`.
pub fn grouped_query_attention(
    q: &Array2<f32>,
    k: &Array2<f32>,
    v: &Array2<f32>,
    n_heads: usize,
    n_kv_heads: usize,
) -> Result<Array2<f32>> {
    const OPERATION: &str = "grouped_query_attention";
    check_not_empty(OPERATION, "q", q.shape())?;
    check_groups(OPERATION, n_heads, n_kv_heads)?;
    let (n_tokens, head_dim) = (q.nrows(), q.ncols() / n_heads);
    check_shape!(OPERATION, q, [n_tokens, n_heads * head_dim])?;
    check_shape!(OPERATION, k, [n_tokens, n_kv_heads * head_dim])?;
    check_shape!(OPERATION, v, [n_tokens, n_kv_heads * head_dim])?;
    // New: so many query heads in a row read the same keys and values.
    let heads_per_kv = n_heads / n_kv_heads;

    let mut context = Array2::zeros(q.dim());
    for h in 0..n_heads {
        let columns = s![.., h * head_dim..(h + 1) * head_dim];
        let g = h / heads_per_kv;
        let kv_columns = s![.., g * head_dim..(g + 1) * head_dim];
        let mut scores = q.slice(columns).dot(&k.slice(kv_columns).t());
        mask_future(&mut scores);
        let weights = softmax_rows(&(scores / (head_dim as f32).sqrt()));
        context
            .slice_mut(columns)
            .assign(&weights.dot(&v.slice(kv_columns)));
    }
    Ok(context)
}

fn check_groups(operation: &'static str, n_heads: usize, n_kv_heads: usize) -> Result<()> {
    if n_heads > 0 && n_kv_heads > 0 && n_heads.is_multiple_of(n_kv_heads) {
        return Ok(());
    }
    Err(gollm_tensor::Error::Shape {
        operation,
        name: "[n_heads, n_kv_heads]",
        found: vec![n_heads, n_kv_heads],
        expected: "at least one head, and n_heads a multiple of n_kv_heads".to_owned(),
    }
    .into())
}
