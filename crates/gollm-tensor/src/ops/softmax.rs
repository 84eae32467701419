//! Softmax and argmax: a row of scores as probabilities, and the column of its largest.
//!
//! Notes: `notes/ch03-attention.md`. Source: book section 3.3.1.

use crate::checks::check_range;
use crate::error::Result;
use crate::reference::memory::{matrix_shape, result, values};
use crate::tensor::Tensor;

impl Tensor {
    /// Softmax: `y_i = e^{x_i} / Σ_j e^{x_j}`, row by row; each row becomes probabilities.
    ///
    /// # Shapes
    ///
    /// - `self` and the result: `[n_rows, n_columns]`
    ///
    /// # Errors
    ///
    /// If `self` is not an f32 matrix.
    ///
    /// Source: book section 3.3.1.
    pub fn softmax(&self) -> Result<Self> {
        self.activations("softmax", "x")?;
        self.device().backend().softmax(self)
    }

    /// Argmax: the column of the largest value of each row, the first one on a tie. It is what
    /// greedy decoding needs.
    ///
    /// # Shapes
    ///
    /// - `self`: `[n_rows, n_columns]`
    /// - returns `n_rows` columns
    ///
    /// # Errors
    ///
    /// If `self` is not an f32 matrix with at least one column.
    pub fn argmax(&self) -> Result<Vec<u32>> {
        let [_, n_columns] = self.activations("argmax", "x")?;
        check_range("argmax", "column", 0, n_columns)?;
        self.device().backend().argmax(self)
    }
}

/// The reference of [`Tensor::softmax`].
pub(crate) fn softmax(x: &Tensor) -> Result<Tensor> {
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

/// [`Tensor::argmax`] of values on the host.
pub(crate) fn argmax(values: &[f32], n_columns: usize) -> Vec<u32> {
    let largest_of = |row: &[f32]| {
        let start = (0u32, f32::NEG_INFINITY);
        let better = |best: (u32, f32), v: (u32, f32)| if v.1 > best.1 { v } else { best };
        (0u32..).zip(row.iter().copied()).fold(start, better).0
    };
    values
        .chunks_exact(n_columns.max(1))
        .map(largest_of)
        .collect()
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use crate::Result;
    use crate::ops::tensor;

    #[test]
    fn each_row_becomes_probabilities_in_proportion_to_e_to_the_x() -> Result<()> {
        let x = tensor(&[2, 2], &[0.0, 3f32.ln(), 7.0, 7.0]);
        let y = x.softmax()?.to_vec()?;
        assert_relative_eq!(y[..], [0.25, 0.75, 0.5, 0.5], epsilon = 1e-7); // one rounding of e^x
        Ok(())
    }

    #[test]
    fn large_scores_stay_finite() -> Result<()> {
        let y = tensor(&[1, 2], &[1000.0, -1000.0]).softmax()?;
        assert_eq!(y.to_vec()?, [1.0, 0.0]);
        Ok(())
    }

    #[test]
    fn the_largest_column_of_each_row_is_the_first_of_equal_ones() -> Result<()> {
        let x = tensor(&[3, 3], &[1.0, 5.0, 5.0, -3.0, -1.0, -2.0, 2.0, 1.0, 0.0]);
        assert_eq!(x.argmax()?, [1, 1, 0]);
        Ok(())
    }

    #[test]
    fn a_row_without_columns_has_no_largest() {
        let error = tensor(&[2, 0], &[]).argmax().unwrap_err();
        let expected = "argmax: column 0 is out of range, there are 0";
        assert_eq!(error.to_string(), expected);
    }
}
