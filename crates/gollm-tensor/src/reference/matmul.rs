//! The matrix product, which is where nearly all of a model's time goes, and the row look-up.

use ndarray::{Array2, s};

use super::memory::{matrix, matrix_rows, matrix_shape, result};
use crate::error::Result;
use crate::tensor::Tensor;

/// Weight rows that are dequantized together: enough for `ndarray` to work on a block, few enough
/// that a matrix never exists a second time as f32.
const ROWS_AT_A_TIME: usize = 64;

/// `y = x · weightᵀ`: output `o` of token `t` is the dot product of row `t` of `x` and row `o` of
/// the weight.
pub(super) fn matmul(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    let (n_tokens, _) = matrix_shape(x);
    let (n_out, _) = matrix_shape(weight);
    let inputs = matrix(x)?;
    let mut outputs = Array2::zeros((n_tokens, n_out));
    for start in (0..n_out).step_by(ROWS_AT_A_TIME) {
        let end = n_out.min(start + ROWS_AT_A_TIME);
        let rows = matrix_rows(weight, start..end)?;
        outputs
            .slice_mut(s![.., start..end])
            .assign(&inputs.dot(&rows.t()));
    }
    Ok(result(
        x,
        &[n_tokens, n_out],
        outputs.into_raw_vec_and_offset().0,
    ))
}

/// `y_t = table[ids_t]`.
pub(super) fn embed(table: &Tensor, ids: &[u32]) -> Result<Tensor> {
    let (_, emb_dim) = matrix_shape(table);
    let mut outputs = Vec::with_capacity(ids.len() * emb_dim);
    for &id in ids {
        let row = id as usize;
        outputs.extend(matrix_rows(table, row..row + 1)?.iter());
    }
    Ok(result(table, &[ids.len(), emb_dim], outputs))
}
