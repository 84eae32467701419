//! Embedding lookup: rows of a table by token id, or rows of activations by number.
//!
//! Notes: `notes/ch02-text.md`. Source: book section 2.7.

use crate::checks::check_range;
use crate::error::{Error, Result};
use crate::reference::memory::{matrix_rows, matrix_shape, result};
use crate::tensor::Tensor;

impl Tensor {
    /// Embedding lookup: `y_t = self[ids_t]`.
    ///
    /// # Shapes
    ///
    /// - `self`: `[vocab_size, emb_dim]`, any storage type
    /// - `ids`: `n_tokens` token ids
    /// - returns `[n_tokens, emb_dim]`
    ///
    /// # Errors
    ///
    /// If `self` is not a matrix, or an id is not below `vocab_size`.
    ///
    /// Source: book section 2.7.
    pub fn embed(&self, ids: &[u32]) -> Result<Self> {
        let [vocab_size, _] = self.matrix("embed", "table")?;
        for &id in ids {
            check_range("embed", "token id", id as usize, vocab_size)?;
        }
        self.device().backend().embed(self, ids)
    }

    /// Row selection: the last token of each sequence before the output head, for example.
    ///
    /// # Shapes
    ///
    /// - `self`: `[n_rows, width]`
    /// - returns `[rows.len(), width]`
    ///
    /// # Errors
    ///
    /// If `self` is not a matrix, or a row is not below `n_rows`.
    pub fn rows(&self, rows: &[usize]) -> Result<Self> {
        let [n_rows, _] = self.matrix("rows", "self")?;
        // Picking rows of activations and looking up rows of a table are the same operation.
        let ids = check_rows("rows", rows, n_rows)?;
        self.device().backend().embed(self, &ids)
    }
}

/// Row numbers below `n_rows`, as backends take them.
pub(super) fn check_rows(
    operation: &'static str,
    rows: &[usize],
    n_rows: usize,
) -> Result<Vec<u32>> {
    let number = |&row: &usize| {
        check_range(operation, "row", row, n_rows)?;
        u32::try_from(row).map_err(|_| Error::TooLarge { shape: vec![row] })
    };
    rows.iter().map(number).collect()
}

/// The reference of [`Tensor::embed`].
pub(crate) fn embed(table: &Tensor, ids: &[u32]) -> Result<Tensor> {
    let (_, emb_dim) = matrix_shape(table);
    let mut outputs = Vec::with_capacity(ids.len() * emb_dim);
    for &id in ids {
        let row = id as usize;
        outputs.extend(matrix_rows(table, row..row + 1)?.iter());
    }
    Ok(result(table, &[ids.len(), emb_dim], outputs))
}

#[cfg(test)]
mod tests {
    use crate::ops::tensor;
    use crate::{DType, Device, Result};

    #[test]
    fn each_id_is_replaced_by_its_row_of_the_table() -> Result<()> {
        let table = tensor(&[3, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let y = table.embed(&[2, 0, 2])?;
        assert_eq!(y.shape(), [3, 2]);
        assert_eq!(y.to_vec()?, [5.0, 6.0, 1.0, 2.0, 5.0, 6.0]);
        assert_eq!(table.rows(&[1])?.to_vec()?, [3.0, 4.0]);
        Ok(())
    }

    #[test]
    fn a_row_of_a_stored_table_is_dequantized_exactly() -> Result<()> {
        let values: Vec<f32> = (0..64).map(|i| (i as f32 * 0.37).sin()).collect();
        for dtype in DType::ALL {
            let table = Device::reference().stored(&[2, 32], dtype, &values)?;
            assert_eq!(table.embed(&[1])?.to_vec()?, table.to_vec()?[32..]);
        }
        Ok(())
    }

    #[test]
    fn an_id_or_a_row_outside_the_table_is_named() {
        let table = tensor(&[2, 1], &[0.0; 2]);
        let message = |result: Result<_>| result.map(drop).unwrap_err().to_string();
        let id = "embed: token id 2 is out of range, there are 2";
        assert_eq!(message(table.embed(&[0, 2])), id);
        let row = "rows: row 5 is out of range, there are 2";
        assert_eq!(message(table.rows(&[5])), row);
    }
}
