//! Operations that look at one number, or one row, at a time.

use super::memory::{matrix_shape, result, values, values_mut};
use crate::error::Result;
use crate::tensor::Tensor;

/// `y = silu(gate) · up`. Source: Shazeer 2020, <https://arxiv.org/abs/2002.05202>, eq. 5.
pub(super) fn swiglu(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    let silu = |v: f32| v / (1.0 + (-v).exp());
    let outputs = values(gate)?
        .iter()
        .zip(values(up)?)
        .map(|(g, u)| silu(*g) * u)
        .collect();
    Ok(result(gate, gate.shape(), outputs))
}

/// `y = a + b`. A vector `b` is there once for every row of `a`.
pub(super) fn add(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let outputs = values(a)?
        .iter()
        .zip(values(b)?.iter().cycle())
        .map(|(a, b)| a + b)
        .collect();
    Ok(result(a, a.shape(), outputs))
}

/// `sum[to_t] += scales_t · rows_t`.
pub(super) fn add_rows(sum: &mut Tensor, rows: &Tensor, to: &[u32], scales: &[f32]) -> Result<()> {
    let width = matrix_shape(rows).1;
    let rows = values(rows)?;
    let sum = values_mut(sum, "add_rows", "self")?;
    for ((row, to), scale) in rows.chunks_exact(width.max(1)).zip(to).zip(scales) {
        let start = *to as usize * width;
        for (sum, value) in sum[start..start + width].iter_mut().zip(row) {
            *sum += scale * value;
        }
    }
    Ok(())
}

/// `y_i = e^{x_i} / Σ_j e^{x_j}`, row by row.
pub(super) fn softmax(x: &Tensor) -> Result<Tensor> {
    let mut outputs = values(x)?.to_vec();
    for row in outputs.chunks_exact_mut(matrix_shape(x).1.max(1)) {
        softmax_in_place(row);
    }
    Ok(result(x, x.shape(), outputs))
}

/// Softmax of one row.
pub(super) fn softmax_in_place(row: &mut [f32]) {
    // Subtracting the largest value changes nothing in the quotient and keeps e^x finite.
    let largest = row.iter().fold(f32::NEG_INFINITY, |m, v| m.max(*v));
    let mut sum = 0.0;
    for v in row.iter_mut() {
        *v = (*v - largest).exp();
        sum += *v;
    }
    for v in row {
        *v /= sum;
    }
}
