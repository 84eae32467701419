//! RMSNorm: rescale each token's vector to unit root-mean-square.
//!
//! Notes: `notes/ch04-model.md`. Source: Zhang & Sennrich 2019,
//! <https://arxiv.org/abs/1910.07467>, eq. 4.

use crate::check_shape;
use crate::error::Result;
use crate::reference::memory::{result, values};
use crate::tensor::Tensor;

impl Tensor {
    /// RMSNorm: `y_i = x_i / sqrt(mean(x²) + eps) · weight_i`, row by row, or head by head where
    /// `weight` is as long as a head and rows are several of them.
    ///
    /// # Shapes
    ///
    /// - `self`: `[n_tokens, n_heads · width]`; a whole token is one head of `emb_dim`
    /// - `weight`: `[width]`, f32
    /// - returns the shape of `self`
    ///
    /// # Errors
    ///
    /// If the shapes, storage types or devices disagree.
    ///
    /// Source: Zhang & Sennrich 2019, <https://arxiv.org/abs/1910.07467>, eq. 4.
    pub fn rms_norm(&self, weight: &Self, eps: f32) -> Result<Self> {
        check(self, weight)?;
        self.device().backend().rms_norm(self, weight, eps)
    }
}

/// The weight is as long as a row, or as a head of it.
fn check(x: &Tensor, weight: &Tensor) -> Result<()> {
    let [_, width] = x.activations("rms_norm", "x")?;
    match weight.shape() {
        [head_dim] if *head_dim != width => {
            check_memory(x, weight)?;
            x.check_heads("rms_norm", "x", *head_dim)
        }
        _ => check_whole_rows(x, weight),
    }
}

/// The weight is as long as a row.
pub(super) fn check_whole_rows(x: &Tensor, weight: &Tensor) -> Result<()> {
    let [_, emb_dim] = x.activations("rms_norm", "x")?;
    check_memory(x, weight)?;
    check_shape!("rms_norm", weight, [emb_dim])
}

/// The weight is f32, on the device of `x`.
fn check_memory(x: &Tensor, weight: &Tensor) -> Result<()> {
    x.check_same_device("rms_norm", "weight", weight)?;
    weight.check_f32("rms_norm", "weight")
}

/// The reference of [`Tensor::rms_norm`].
pub(crate) fn rms_norm(x: &Tensor, weight: &Tensor, eps: f32) -> Result<Tensor> {
    let weight = values(weight)?;
    let mut outputs = Vec::with_capacity(x.n_elements());
    for head in values(x)?.chunks_exact(weight.len().max(1)) {
        let mean_square = head.iter().map(|v| v * v).sum::<f32>() / head.len() as f32;
        let scale = 1.0 / (mean_square + eps).sqrt();
        outputs.extend(head.iter().zip(weight).map(|(v, w)| v * scale * w));
    }
    Ok(result(x, x.shape(), outputs))
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use crate::Result;
    use crate::ops::tensor;

    #[test]
    fn a_row_gets_a_root_mean_square_of_one_and_then_its_weights() -> Result<()> {
        // The mean square of 1 and 7 is 25, of 6 and 8 it is 50.
        let x = tensor(&[2, 2], &[1.0, 7.0, 6.0, 8.0]);
        let y = x.rms_norm(&tensor(&[2], &[1.0, 10.0]), 0.0)?.to_vec()?;
        let root = 50f32.sqrt();
        let expected = [0.2, 14.0, 6.0 / root, 80.0 / root];
        assert_relative_eq!(y[..], expected, max_relative = 1e-6); // a few f32 roundings
        Ok(())
    }

    #[test]
    fn eps_is_added_to_the_mean_square_so_that_zeros_stay_zeros() -> Result<()> {
        let (zeros, ones) = (tensor(&[1, 2], &[0.0; 2]), tensor(&[2], &[1.0; 2]));
        assert_eq!(zeros.rms_norm(&ones, 1e-5)?.to_vec()?, [0.0, 0.0]);
        // Mean square 1, eps 3: divided by the root of 4.
        let y = tensor(&[1, 2], &[1.0, -1.0]).rms_norm(&ones, 3.0)?;
        assert_eq!(y.to_vec()?, [0.5, -0.5]);
        Ok(())
    }

    #[test]
    fn a_weight_as_long_as_a_head_normalizes_each_head_by_itself() -> Result<()> {
        // Heads (1, 7) and (10, 70): the second is ten times the first, and its norm the same.
        let x = tensor(&[1, 4], &[1.0, 7.0, 10.0, 70.0]);
        let y = x.rms_norm(&tensor(&[2], &[1.0; 2]), 0.0)?.to_vec()?;
        assert_relative_eq!(y[..], [0.2, 1.4, 0.2, 1.4], max_relative = 1e-6);
        Ok(())
    }

    #[test]
    fn a_weight_that_fits_neither_a_row_nor_a_head_is_an_error() {
        let x = tensor(&[1, 4], &[0.0; 4]);
        let message = |shape: &[usize]| {
            let weight = tensor(shape, &vec![0.0; shape.iter().product()]);
            x.rms_norm(&weight, 1e-5).unwrap_err().to_string()
        };
        let rows = "rms_norm: `x` has shape [1, 4], expected rows that are a whole multiple of 3 \
                    numbers";
        assert_eq!(message(&[3]), rows);
        let matrix = "rms_norm: `weight` has shape [1, 4], expected [emb_dim] = [4]";
        assert_eq!(message(&[1, 4]), matrix);
    }
}
