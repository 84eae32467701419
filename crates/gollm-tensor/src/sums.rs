//! Additions, in the book's words: the residual connection, a bias, the answers of experts.

use crate::check_shape;
use crate::checks::{check_length, check_range};
use crate::error::{Error, Result};
use crate::tensor::Tensor;

impl Tensor {
    /// Adds element by element: the residual connection, or a bias that every row gets.
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
            [_] => self.check_bias(other)?,
            _ => self.check_same("add", ["self", "other"], other)?,
        }
        self.device().backend().add(self, other)
    }

    /// Adds scaled rows to some rows of a sum, in place: `self[to_t] += scales_t · rows_t`. So the
    /// answers of experts that saw only some tokens come together.
    ///
    /// # Shapes
    ///
    /// - `self`: `[n_tokens, emb_dim]`, made by [`Device::zeros`](crate::Device::zeros)
    /// - `rows`: `[n_rows, emb_dim]`
    /// - `to`, `scales`: one for each row; no number in `to` twice
    ///
    /// # Errors
    ///
    /// If the shapes or devices disagree, `to` names a row that is not there or names one twice, or
    /// another handle shares the memory of `self`.
    ///
    /// Source: Shazeer et al. 2017, <https://arxiv.org/abs/1701.06538>, eq. 1, one expert's term of
    /// the sum.
    pub fn add_rows(&mut self, rows: &Self, to: &[usize], scales: &[f32]) -> Result<()> {
        let to = self.check_add_rows(rows, to, scales)?;
        let device = self.device().clone();
        device.backend().add_rows(self, rows, &to, scales)
    }

    /// A vector that is added to every row.
    fn check_bias(&self, bias: &Self) -> Result<()> {
        let [_, width] = self.activations("add", "self")?;
        self.beside("add", "other", bias)?;
        bias.stored_as_f32("add", "other")?;
        check_shape!("add", bias, [width])
    }

    /// Returns the rows as backends take them.
    fn check_add_rows(&self, rows: &Self, to: &[usize], scales: &[f32]) -> Result<Vec<u32>> {
        const NAME: &str = "add_rows";
        let [n_tokens, width] = self.activations(NAME, "self")?;
        self.beside(NAME, "rows", rows)?;
        let [n_rows, _] = rows.activations(NAME, "rows")?;
        check_shape!(NAME, rows, [n_rows, width])?;
        check_length(NAME, "to", to.len(), n_rows)?;
        check_length(NAME, "scales", scales.len(), n_rows)?;
        let mut sorted = to.to_vec();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::Twice {
                operation: NAME,
                name: "row",
                found: pair[0],
            });
        }
        let number = |&row: &usize| {
            check_range(NAME, "row", row, n_tokens)?;
            u32::try_from(row).map_err(|_| Error::TooLarge { shape: vec![row] })
        };
        to.iter().map(number).collect()
    }
}
