//! The matrix product, which is where nearly all of a model's time goes.
//!
//! Notes: `notes/appendix-a-tensors.md`. Source: book section A.4 (a linear layer without bias).

use ndarray::{Array2, s};

use crate::check_shape;
use crate::error::Result;
use crate::reference::memory::{matrix, matrix_rows, matrix_shape, result};
use crate::tensor::Tensor;

impl Tensor {
    /// Multiplies by a weight matrix: `y_to = Σ_i x_ti · weight_oi`, that is `x · weightᵀ`.
    ///
    /// # Shapes
    ///
    /// - `self`: `[n_tokens, n_in]`
    /// - `weight`: `[n_out, n_in]`, any storage type, as PyTorch's `nn.Linear` keeps it
    /// - returns `[n_tokens, n_out]`
    ///
    /// # Errors
    ///
    /// If the shapes or devices disagree.
    ///
    /// Source: book section A.4 (a linear layer without bias).
    pub fn matmul(&self, weight: &Self) -> Result<Self> {
        check(self, weight)?;
        self.device().backend().matmul(self, weight)
    }
}

pub(super) fn check(x: &Tensor, weight: &Tensor) -> Result<()> {
    let [_, n_in] = x.activations("matmul", "x")?;
    x.check_same_device("matmul", "weight", weight)?;
    let [n_out, _] = weight.matrix("matmul", "weight")?;
    check_shape!("matmul", weight, [n_out, n_in])
}

/// Weight rows that are dequantized together: enough for `ndarray` to work on a block, few enough
/// that a matrix never exists a second time as f32.
const ROWS_AT_A_TIME: usize = 64;

/// The reference of [`Tensor::matmul`]: output `o` of token `t` is the dot product of row `t` of `x`
/// and row `o` of the weight.
pub(crate) fn matmul(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    let (n_tokens, _) = matrix_shape(x);
    let (n_out, _) = matrix_shape(weight);
    let inputs = matrix(x)?;
    let mut outputs = Array2::zeros((n_tokens, n_out));
    for start in (0..n_out).step_by(ROWS_AT_A_TIME) {
        let end = n_out.min(start + ROWS_AT_A_TIME);
        let rows = matrix_rows(weight, start..end)?;
        let product = inputs.dot(&rows.t());
        outputs.slice_mut(s![.., start..end]).assign(&product);
    }
    let outputs = outputs.into_raw_vec_and_offset().0;
    Ok(result(x, &[n_tokens, n_out], outputs))
}

#[cfg(test)]
mod tests {
    use crate::Result;
    use crate::ops::tensor;

    #[test]
    fn each_output_is_a_dot_product_of_a_row_with_a_row_of_the_weight() -> Result<()> {
        let x = tensor(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let weight = tensor(&[1, 3], &[1.0, 0.0, 2.0]);
        let y = x.matmul(&weight)?;
        assert_eq!(y.shape(), [2, 1]);
        assert_eq!(y.to_vec()?, [7.0, 16.0]);
        Ok(())
    }

    #[test]
    fn rows_of_the_weight_beyond_the_first_64_are_multiplied_too() -> Result<()> {
        let numbers: Vec<f32> = (0..130u8).map(f32::from).collect();
        let y = tensor(&[1, 1], &[2.0]).matmul(&tensor(&[130, 1], &numbers))?;
        let doubled: Vec<f32> = numbers.iter().map(|v| 2.0 * v).collect();
        assert_eq!(y.to_vec()?, doubled);
        Ok(())
    }

    #[test]
    fn a_weight_of_another_width_is_named_with_both_numbers() {
        let x = tensor(&[1, 3], &[0.0; 3]);
        let error = x.matmul(&tensor(&[2, 2], &[0.0; 4])).unwrap_err();
        let expected = "matmul: `weight` has shape [2, 2], expected [n_out, n_in] = [2, 3]";
        assert_eq!(error.to_string(), expected);
    }
}
