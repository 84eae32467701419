//! RMSNorm: rescale each token's vector to unit root-mean-square.
//!
//! Notes: `notes/ch04-model.md`. Source: Zhang & Sennrich 2019,
//! <https://arxiv.org/abs/1910.07467>, eq. 4.

use super::memory::{result, values};
use crate::error::Result;
use crate::tensor::Tensor;

/// `y_i = x_i / sqrt(mean(x²) + eps) · weight_i`, for each head, or each row that is one.
pub(super) fn rms_norm(x: &Tensor, weight: &Tensor, eps: f32) -> Result<Tensor> {
    let weight = values(weight)?;
    let mut outputs = Vec::with_capacity(x.n_elements());
    for head in values(x)?.chunks_exact(weight.len().max(1)) {
        let mean_square = head.iter().map(|v| v * v).sum::<f32>() / head.len() as f32;
        let scale = 1.0 / (mean_square + eps).sqrt();
        outputs.extend(head.iter().zip(weight).map(|(v, w)| v * scale * w));
    }
    Ok(result(x, x.shape(), outputs))
}
