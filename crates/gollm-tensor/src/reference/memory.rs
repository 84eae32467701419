//! The reference's memory, and how its files see a tensor as an `ndarray` view.

use std::ops::Range;

use ndarray::{ArrayView, ArrayView2, CowArray, Dimension, Ix2, ShapeBuilder, StrideShape};

use crate::backend::Storage;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::host_bytes::HostBytes;
use crate::storage_types::dequantize;
use crate::tensor::Tensor;

/// Numbers in host memory.
#[derive(Debug)]
pub(crate) enum Numbers {
    /// Results of operations, caches, and f32 weights that could not be read where they lie.
    F32(Vec<f32>),
    /// Weights, read where they lie.
    Stored(HostBytes),
}

impl Numbers {
    /// Keeps the bytes as they are, unless they are f32 that this machine cannot read in place.
    pub(crate) fn from_bytes(dtype: DType, bytes: HostBytes) -> Self {
        let readable = cfg!(target_endian = "little")
            && bytemuck::try_cast_slice::<u8, f32>(bytes.as_slice()).is_ok();
        if dtype != DType::F32 || readable {
            return Self::Stored(bytes);
        }
        let value = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        Self::F32(bytes.as_slice().chunks_exact(4).map(value).collect())
    }

    /// The values, if they are stored as f32.
    fn as_f32(&self) -> Option<&[f32]> {
        match self {
            Self::F32(values) => Some(values),
            Self::Stored(bytes) => bytemuck::try_cast_slice(bytes.as_slice()).ok(),
        }
    }

    pub(crate) fn to_f32(&self, dtype: DType, n_elements: usize) -> Result<Vec<f32>> {
        if let (DType::F32, Some(values)) = (dtype, self.as_f32()) {
            return Ok(values.to_vec());
        }
        let mut values = vec![0.0; n_elements];
        match self {
            Self::F32(same) => values.copy_from_slice(same),
            Self::Stored(bytes) => dequantize(bytes.as_slice(), dtype, &mut values)?,
        }
        Ok(values)
    }
}

/// The memory of a tensor of this backend.
pub(crate) fn numbers(tensor: &Tensor) -> Result<&Numbers> {
    let foreign = || tensor.device().backend().foreign_storage();
    tensor.storage().get().ok_or_else(foreign)
}

/// Wraps the result of an operation.
pub(crate) fn result(like: &Tensor, shape: &[usize], values: Vec<f32>) -> Tensor {
    like.new_like(shape, Storage::new(Numbers::F32(values)))
}

/// An f32 tensor as a flat slice.
pub(crate) fn values(tensor: &Tensor) -> Result<&[f32]> {
    numbers(tensor)?.as_f32().ok_or(Error::StorageType {
        operation: "read",
        name: "tensor",
        found: tensor.dtype(),
        expected: "f32",
    })
}

/// The values of an f32 tensor, for writing in place.
pub(crate) fn values_mut<'a>(
    tensor: &'a mut Tensor,
    operation: &'static str,
    name: &'static str,
) -> Result<&'a mut Vec<f32>> {
    match tensor.storage_mut().get_mut() {
        Some(Numbers::F32(values)) => Ok(values),
        _ => Err(Error::Shared { operation, name }),
    }
}

/// An f32 tensor as an array view of a known number of dimensions.
pub(crate) fn view<D: Dimension>(
    tensor: &Tensor,
    shape: impl ShapeBuilder<Dim = D> + Into<StrideShape<D>>,
) -> Result<ArrayView<'_, f32, D>> {
    ArrayView::from_shape(shape, values(tensor)?).map_err(|_| Error::Length {
        operation: "read",
        name: "memory behind the tensor",
        found: tensor.n_elements(),
        expected: values(tensor).map_or(0, <[f32]>::len),
    })
}

/// The two sizes of a matrix whose shape the `Tensor` method has checked.
pub(crate) fn matrix_shape(tensor: &Tensor) -> (usize, usize) {
    let columns = tensor.shape().last().copied().unwrap_or(1);
    (tensor.n_elements() / columns.max(1), columns)
}

/// An f32 matrix.
pub(crate) fn matrix(tensor: &Tensor) -> Result<ArrayView2<'_, f32>> {
    view(tensor, matrix_shape(tensor))
}

/// Some rows of a matrix of any storage type: borrowed from an f32 matrix, dequantized from others.
pub(crate) fn matrix_rows(tensor: &Tensor, rows: Range<usize>) -> Result<CowArray<'_, f32, Ix2>> {
    let (n_rows, n_columns) = (rows.len(), matrix_shape(tensor).1);
    let numbers = numbers(tensor)?;
    let shape_error = |_| Error::Length {
        operation: "read rows",
        name: "memory behind the tensor",
        found: tensor.n_elements(),
        expected: n_rows * n_columns,
    };
    if let (DType::F32, Some(all)) = (tensor.dtype(), numbers.as_f32()) {
        let some = all
            .get(rows.start * n_columns..rows.end * n_columns)
            .unwrap_or_default();
        let view = ArrayView2::from_shape((n_rows, n_columns), some).map_err(shape_error)?;
        return Ok(view.into());
    }
    let row_bytes = tensor.dtype().n_bytes(&[n_columns])?;
    let bytes = match numbers {
        Numbers::Stored(bytes) => bytes.as_slice(),
        Numbers::F32(_) => &[],
    };
    let some = bytes
        .get(rows.start * row_bytes..rows.end * row_bytes)
        .unwrap_or_default();
    let mut dequantized = vec![0.0; n_rows * n_columns];
    dequantize(some, tensor.dtype(), &mut dequantized)?;
    let array = ndarray::Array2::from_shape_vec((n_rows, n_columns), dequantized);
    Ok(array.map_err(shape_error)?.into())
}
