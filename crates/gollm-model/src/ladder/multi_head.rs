//! Rung 5: several heads, each with its own idea of what belongs together.

use gollm_tensor::check_shape;
use ndarray::{Array2, ArrayView2, Axis, concatenate, s};

use super::{HeadWeights, causal, check_not_empty, mask_future, softmax_rows};
use crate::error::{Error, Result};

/// The four projections of an attention layer with all its heads, `[out, in]`.
///
/// Head `h` owns rows `h · head_dim .. (h + 1) · head_dim` of the first three.
#[derive(Debug, Clone, PartialEq)]
pub struct AttentionWeights {
    /// Queries of all heads: `[n_heads · head_dim, emb_dim]`.
    pub q_proj: Array2<f32>,
    /// Keys of all key/value heads: `[n_kv_heads · head_dim, emb_dim]`.
    pub k_proj: Array2<f32>,
    /// Values of all key/value heads: `[n_kv_heads · head_dim, emb_dim]`.
    pub v_proj: Array2<f32>,
    /// From all heads back to the stream: `[emb_dim, n_heads · head_dim]`.
    pub o_proj: Array2<f32>,
}

impl AttentionWeights {
    /// Stacks the projections of single heads into those of a layer.
    ///
    /// # Errors
    ///
    /// If there is no head, or the heads' shapes differ.
    pub fn stack(heads: &[HeadWeights], o_proj: Array2<f32>) -> Result<Self> {
        let stack = |part: fn(&HeadWeights) -> &Array2<f32>| {
            let parts: Vec<ArrayView2<'_, f32>> = heads.iter().map(|h| part(h).view()).collect();
            concatenate(Axis(0), &parts).map_err(|_| uneven("stack", heads))
        };
        Ok(Self {
            q_proj: stack(|head| &head.q_proj)?,
            k_proj: stack(|head| &head.k_proj)?,
            v_proj: stack(|head| &head.v_proj)?,
            o_proj,
        })
    }
}

/// Runs single heads one after the other and puts their context vectors side by side.
///
/// # Shapes
///
/// - `x`: `[n_tokens, emb_dim]`
/// - returns `[n_tokens, n_heads · head_dim]`
///
/// # Errors
///
/// If there is no head, or a shape is wrong.
///
/// Source: "Build a Large Language Model (From Scratch)", S. Raschka, 2024, section 3.6.1
/// (`MultiHeadAttentionWrapper`).
pub fn multi_head_stacked(x: &Array2<f32>, heads: &[HeadWeights]) -> Result<Array2<f32>> {
    let contexts = heads.iter().map(|head| Ok(causal(x, head)?.context));
    let contexts: Vec<Array2<f32>> = contexts.collect::<Result<_>>()?;
    let views: Vec<ArrayView2<'_, f32>> = contexts.iter().map(|context| context.view()).collect();
    concatenate(Axis(1), &views).map_err(|_| uneven("multi_head_stacked", heads))
}

/// Multi-head attention as models do it: one product for the queries of all heads, one each for keys
/// and values, and every head takes its own columns.
///
/// The same numbers as [`multi_head_stacked`], then mixed by `o_proj`: the split is a matter of how
/// the matrices lie in memory, and one large product is faster than many small ones.
///
/// # Shapes
///
/// - `x`: `[n_tokens, emb_dim]`
/// - returns `[n_tokens, emb_dim]`
///
/// # Errors
///
/// If a shape is wrong, or the rows of the projections do not divide among `n_heads`.
///
/// Source: "Build a Large Language Model (From Scratch)", S. Raschka, 2024, section 3.6.2
/// (`MultiHeadAttention`).
pub fn multi_head(
    x: &Array2<f32>,
    layer: &AttentionWeights,
    n_heads: usize,
) -> Result<Array2<f32>> {
    let AttentionWeights {
        q_proj,
        k_proj,
        v_proj,
        o_proj,
    } = layer;
    check_not_empty("multi_head", "x", x.shape())?;
    let (emb_dim, head_dim) = (x.ncols(), head_dim("multi_head", q_proj, n_heads)?);
    check_shape!("multi_head", q_proj, [n_heads * head_dim, emb_dim])?;
    check_shape!("multi_head", k_proj, [n_heads * head_dim, emb_dim])?;
    check_shape!("multi_head", v_proj, [n_heads * head_dim, emb_dim])?;
    check_shape!("multi_head", o_proj, [emb_dim, n_heads * head_dim])?;

    let (q, k, v) = (x.dot(&q_proj.t()), x.dot(&k_proj.t()), x.dot(&v_proj.t()));
    let mut context = Array2::zeros(q.dim());
    for h in 0..n_heads {
        // New: a head is a range of columns.
        let columns = s![.., h * head_dim..(h + 1) * head_dim];
        let mut scores = q.slice(columns).dot(&k.slice(columns).t());
        mask_future(&mut scores);
        let weights = softmax_rows(&(scores / (head_dim as f32).sqrt()));
        context
            .slice_mut(columns)
            .assign(&weights.dot(&v.slice(columns)));
    }
    // New: the heads, side by side until here, are mixed.
    Ok(context.dot(&o_proj.t()))
}

/// The width of one head when the rows of `q_proj` are divided among `n_heads`.
pub(super) fn head_dim(
    operation: &'static str,
    q_proj: &Array2<f32>,
    n_heads: usize,
) -> Result<usize> {
    let rows = q_proj.nrows();
    match rows.checked_div(n_heads) {
        Some(head_dim) if head_dim > 0 && head_dim * n_heads == rows => Ok(head_dim),
        _ => Err(gollm_tensor::Error::Shape {
            operation,
            name: "q_proj",
            found: q_proj.shape().to_vec(),
            expected: format!("[n_heads * head_dim, emb_dim] with n_heads = {n_heads}"),
        }
        .into()),
    }
}

fn uneven(operation: &'static str, heads: &[HeadWeights]) -> Error {
    gollm_tensor::Error::Shape {
        operation,
        name: "heads",
        found: heads.iter().map(|head| head.q_proj.nrows()).collect(),
        expected: "at least one head, and all of one shape".to_owned(),
    }
    .into()
}
