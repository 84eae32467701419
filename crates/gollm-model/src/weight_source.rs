//! Where weights come from: a file, memory, or a machine elsewhere; and slices of them.

use std::collections::HashMap;
use std::ops::Range;

use gollm_tensor::{DType, Device, HostBytes, Tensor, dequantize};

use crate::error::{Error, Result};

/// A weight as it is stored, on the host: a name's shape, type and bytes.
///
/// Cloning copies no bytes.
#[derive(Debug, Clone)]
pub struct StoredTensor {
    /// The size of each dimension; matrices are `[out, in]`.
    pub shape: Vec<usize>,
    /// The storage type.
    pub dtype: DType,
    /// The values in row-major order, little-endian.
    pub bytes: HostBytes,
}

impl StoredTensor {
    /// Hands the bytes to a device.
    ///
    /// # Errors
    ///
    /// If the bytes do not fill the shape, or the device is out of memory.
    pub fn upload(self, device: &Device) -> Result<Tensor> {
        Ok(device.upload(&self.shape, self.dtype, self.bytes)?)
    }

    /// The values as f32.
    ///
    /// # Errors
    ///
    /// If the bytes do not fill the shape.
    pub fn to_f32(&self) -> Result<Vec<f32>> {
        let mut values = vec![0.0; self.n_elements()?];
        dequantize(self.bytes.as_slice(), self.dtype, &mut values)?;
        Ok(values)
    }

    /// Output rows `rows` of a matrix, without copying: some heads of `q_proj`, some hidden columns
    /// of `up_proj`.
    ///
    /// # Errors
    ///
    /// If this is not a matrix or the range reaches past its rows.
    pub fn rows(&self, rows: Range<usize>) -> Result<Self> {
        let [n_rows, n_columns] = self.matrix("rows", &rows)?;
        let row_bytes = self.dtype.n_bytes(&[n_columns])?;
        let past_the_end = || self.slice_error("rows", &rows, n_rows);
        if rows.start > rows.end || rows.end > n_rows {
            return Err(past_the_end());
        }
        let bytes = self
            .bytes
            .slice(rows.start * row_bytes..rows.end * row_bytes);
        Ok(Self {
            shape: vec![rows.len(), n_columns],
            dtype: self.dtype,
            bytes: bytes.ok_or_else(past_the_end)?,
        })
    }

    /// Input columns `columns` of a matrix, copied: the part of `o_proj` that reads some heads.
    ///
    /// # Errors
    ///
    /// If this is not a matrix, the range reaches past its columns, or it would cut a block of a
    /// blocked type.
    pub fn columns(&self, columns: Range<usize>) -> Result<Self> {
        let [n_rows, n_columns] = self.matrix("columns", &columns)?;
        if columns.start > columns.end || columns.end > n_columns {
            return Err(self.slice_error("columns", &columns, n_columns));
        }
        if columns == (0..n_columns) {
            return Ok(self.clone());
        }
        let row_bytes = self.dtype.n_bytes(&[n_columns])?;
        let kept = self.dtype.n_bytes(&[columns.start])?..self.dtype.n_bytes(&[columns.end])?;
        let bytes: Vec<u8> = self
            .bytes
            .as_slice()
            .chunks_exact(row_bytes.max(1))
            .flat_map(|row| row.get(kept.clone()).unwrap_or_default())
            .copied()
            .collect();
        Ok(Self {
            shape: vec![n_rows, columns.len()],
            dtype: self.dtype,
            bytes: bytes.into(),
        })
    }

    /// Rows in another order, copied: how adjacent RoPE pairs become split halves
    /// (see [`rope::adjacent_to_halves`](crate::rope::adjacent_to_halves)).
    ///
    /// # Errors
    ///
    /// If this is not a matrix or `order` names a row that is not there.
    pub fn permute_rows(&self, order: &[usize]) -> Result<Self> {
        let all = 0..order.len();
        let [n_rows, n_columns] = self.matrix("permute_rows", &all)?;
        let row_bytes = self.dtype.n_bytes(&[n_columns])?;
        let mut bytes = Vec::with_capacity(self.bytes.len());
        for &row in order {
            let start = row.checked_mul(row_bytes);
            let row = start.and_then(|s| self.bytes.as_slice().get(s..s.checked_add(row_bytes)?));
            bytes.extend_from_slice(
                row.ok_or_else(|| self.slice_error("permute_rows", &all, n_rows))?,
            );
        }
        Ok(Self {
            shape: vec![order.len(), n_columns],
            dtype: self.dtype,
            bytes: bytes.into(),
        })
    }

    fn n_elements(&self) -> Result<usize> {
        Ok(gollm_tensor::n_elements(&self.shape)?)
    }

    fn matrix(&self, operation: &'static str, range: &Range<usize>) -> Result<[usize; 2]> {
        <[usize; 2]>::try_from(self.shape.as_slice())
            .map_err(|_| self.slice_error(operation, range, 0))
    }

    fn slice_error(&self, operation: &'static str, range: &Range<usize>, limit: usize) -> Error {
        Error::WeightSlice {
            operation,
            range: range.clone(),
            limit,
            shape: self.shape.clone(),
        }
    }
}

/// Something that can be asked for a model's weights by name.
///
/// A decoder takes what it needs and no more, so a source may be a mapped file larger than memory.
pub trait WeightSource {
    /// The weight called `name` (the names of [`expected_tensors`](crate::expected_tensors)).
    ///
    /// # Errors
    ///
    /// If there is no such weight or it cannot be read.
    fn tensor(&self, name: &str) -> Result<StoredTensor>;
}

/// Weights in memory: for tests, and for programs that make their own.
impl<S: std::hash::BuildHasher> WeightSource for HashMap<String, StoredTensor, S> {
    fn tensor(&self, name: &str) -> Result<StoredTensor> {
        let missing = || Error::MissingWeight {
            name: name.to_owned(),
        };
        self.get(name).cloned().ok_or_else(missing)
    }
}

/// Fetches a weight and checks that it has the shape the config gives it.
pub(crate) fn load(
    source: &dyn WeightSource,
    name: &str,
    expected: &[usize],
) -> Result<StoredTensor> {
    let stored = source.tensor(name)?;
    if stored.shape != expected {
        return Err(Error::WeightShape {
            name: name.to_owned(),
            found: stored.shape,
            expected: expected.to_vec(),
        });
    }
    Ok(stored)
}
