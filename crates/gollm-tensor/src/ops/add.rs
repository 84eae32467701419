//! Addition and scatter-add: the residual connection, a bias, the outputs of experts.
//!
//! Notes: `notes/ch04-model.md`. Source: book sections 4.4 and A.4.

use super::embed::check_rows;
use crate::check_shape;
use crate::checks::check_length;
use crate::error::{Error, Result};
use crate::reference::memory::{matrix_shape, result, values, values_mut};
use crate::tensor::Tensor;

impl Tensor {
    /// Addition, element by element: the residual connection, or a bias that every row gets.
    ///
    /// # Shapes
    ///
    /// - `self` and the result: `[n_tokens, emb_dim]`
    /// - `other`: `[n_tokens, emb_dim]`, or `[emb_dim]`, which is added to each row
    ///
    /// # Errors
    ///
    /// If the shapes or devices disagree.
    ///
    /// Source: book sections 4.4 and A.4.
    pub fn add(&self, other: &Self) -> Result<Self> {
        match other.shape() {
            [_] => check_bias(self, other)?,
            _ => self.check_same_shape("add", ["self", "other"], other)?,
        }
        self.device().backend().add(self, other)
    }

    /// Scatter-add: adds scaled rows to some rows of a sum, in place,
    /// `self[to_t] += scales_t · rows_t`. So the outputs of experts that saw only some tokens come
    /// together.
    ///
    /// # Shapes
    ///
    /// - `self`: `[n_tokens, emb_dim]`, made by [`Device::zeros`](crate::Device::zeros)
    /// - `rows`: `[n_rows, emb_dim]`
    /// - `to`, `scales`: one for each row; no number in `to` twice
    ///
    /// # Errors
    ///
    /// If the shapes or devices disagree, `to` names a row that does not exist or names one twice,
    /// or another handle shares the memory of `self`.
    ///
    /// Source: Shazeer et al. 2017, <https://arxiv.org/abs/1701.06538>, eq. 1, one expert's term of
    /// the sum.
    pub fn add_rows(&mut self, rows: &Self, to: &[usize], scales: &[f32]) -> Result<()> {
        let to = check_add_rows(self, rows, to, scales)?;
        let device = self.device().clone();
        device.backend().add_rows(self, rows, &to, scales)
    }
}

/// A bias is a vector as long as a row.
fn check_bias(x: &Tensor, bias: &Tensor) -> Result<()> {
    let [_, width] = x.activations("add", "self")?;
    x.check_same_device("add", "other", bias)?;
    bias.check_f32("add", "other")?;
    check_shape!("add", bias, [width])
}

/// Returns the numbers of the rows as backends take them.
fn check_add_rows(sum: &Tensor, rows: &Tensor, to: &[usize], scales: &[f32]) -> Result<Vec<u32>> {
    let operation = "add_rows";
    let [n_tokens, width] = sum.activations(operation, "self")?;
    sum.check_same_device(operation, "rows", rows)?;
    let [n_rows, _] = rows.activations(operation, "rows")?;
    check_shape!(operation, rows, [n_rows, width])?;
    check_length(operation, "to", to.len(), n_rows)?;
    check_length(operation, "scales", scales.len(), n_rows)?;
    let mut sorted = to.to_vec();
    sorted.sort_unstable();
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Error::Twice {
            operation,
            name: "row",
            found: pair[0],
        });
    }
    check_rows(operation, to, n_tokens)
}

/// The reference of [`Tensor::add`]. A vector `b` repeats for every row of `a`.
pub(crate) fn add(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let pairs = values(a)?.iter().zip(values(b)?.iter().cycle());
    let outputs = pairs.map(|(a, b)| a + b).collect();
    Ok(result(a, a.shape(), outputs))
}

/// The reference of [`Tensor::add_rows`].
pub(crate) fn add_rows(sum: &mut Tensor, rows: &Tensor, to: &[u32], scales: &[f32]) -> Result<()> {
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

#[cfg(test)]
mod tests {
    use crate::ops::tensor;
    use crate::{Device, Result};

    #[test]
    fn two_matrices_are_added_number_by_number() -> Result<()> {
        let (a, b) = (
            tensor(&[2, 2], &[1.0, 2.0, 3.0, 4.0]),
            tensor(&[2, 2], &[10.0; 4]),
        );
        assert_eq!(a.add(&b)?.to_vec()?, [11.0, 12.0, 13.0, 14.0]);
        Ok(())
    }

    #[test]
    fn a_bias_is_added_to_every_row() -> Result<()> {
        let (a, bias) = (
            tensor(&[2, 2], &[1.0, 2.0, 3.0, 4.0]),
            tensor(&[2], &[10.0, 20.0]),
        );
        assert_eq!(a.add(&bias)?.to_vec()?, [11.0, 22.0, 13.0, 24.0]);
        let error = a.add(&tensor(&[3], &[0.0; 3])).unwrap_err();
        let expected = "add: `bias` has shape [3], expected [width] = [2]";
        assert_eq!(error.to_string(), expected);
        Ok(())
    }

    #[test]
    fn scaled_rows_are_added_to_the_rows_they_name_and_to_no_others() -> Result<()> {
        let mut sum = Device::reference().zeros(&[3, 2])?;
        let rows = tensor(&[2, 2], &[1.0, 2.0, 3.0, 4.0]);
        sum.add_rows(&rows, &[2, 0], &[1.0, 0.5])?;
        sum.add_rows(&rows, &[0, 2], &[10.0, 0.0])?;
        assert_eq!(sum.to_vec()?, [11.5, 22.0, 0.0, 0.0, 1.0, 2.0]);
        Ok(())
    }

    #[test]
    fn a_row_that_is_named_twice_or_does_not_exist_is_an_error() -> Result<()> {
        let mut sum = Device::reference().zeros(&[3, 1])?;
        let rows = tensor(&[2, 1], &[1.0, 2.0]);
        let twice = sum.add_rows(&rows, &[1, 1], &[1.0; 2]).unwrap_err();
        let expected = "add_rows: row 1 is there twice, expected each once";
        assert_eq!(twice.to_string(), expected);
        let beyond = sum.add_rows(&rows, &[1, 3], &[1.0; 2]).unwrap_err();
        let expected = "add_rows: row 3 is out of range, there are 3";
        assert_eq!(beyond.to_string(), expected);
        Ok(())
    }
}
