//! The backend's memory, and how its files see a tensor.

use gollm_tensor::{DType, Error, HostBytes, Result, Storage, Tensor, dequantize, n_elements};

use crate::blocks::{BLOCK, Blocks, Quantized};
use crate::buffers::Buffer;
use crate::kernels::quantized::QuantizedWeight;
use crate::kernels::rows::Rows;
use crate::memory_budget::{MemoryBudget, Reservation};
use crate::panels::Panels;

/// Numbers in host memory.
#[derive(Debug)]
pub(crate) enum Numbers {
    /// Results of operations.
    Result(Buffer),
    /// A cache, or an f32 weight that could not be read where it lies.
    Own(Vec<f32>),
    /// A cache of half precision.
    Half(Vec<u16>),
    /// Weights that are read where they lie, in a mapped file usually: f32, f16 and bf16, and the
    /// q8_0 and q4_0 for which there was no memory to repack.
    Stored(HostBytes),
    /// q8_0 and q4_0 matrices, repacked for the kernel.
    Panels {
        panels: Panels,
        _reservation: Reservation,
    },
}

impl Numbers {
    /// Takes a weight. `bytes` has the length that the shape needs.
    pub(crate) fn from_bytes(
        shape: &[usize],
        dtype: DType,
        bytes: HostBytes,
        budget: &MemoryBudget,
    ) -> Self {
        if let Some(type_) = Quantized::of(dtype) {
            let n_columns = shape.last().copied().unwrap_or(BLOCK);
            let n_rows = bytes.len() / dtype.block_bytes() * BLOCK / n_columns.max(1);
            let Some(reservation) = budget.take(Panels::n_bytes(type_, [n_rows, n_columns])) else {
                return Self::Stored(bytes);
            };
            let panels = Panels::new(type_, [n_rows, n_columns], bytes.as_slice());
            // Else a mapped file would take the same memory once more.
            bytes.release();
            return Self::Panels {
                panels,
                _reservation: reservation,
            };
        }
        let small = shape.len() < 2;
        if dtype == DType::F32 && (small || as_f32(bytes.as_slice()).is_none()) {
            // Vectors are small; copying them lets go of the file once the matrices are repacked.
            let value = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
            return Self::Own(bytes.as_slice().chunks_exact(4).map(value).collect());
        }
        Self::Stored(bytes)
    }

    /// All values as f32, in row-major order.
    pub(crate) fn to_f32(&self, dtype: DType, n_elements: usize) -> Result<Vec<f32>> {
        let mut values = vec![0.0; n_elements];
        match self {
            Self::Result(same) => values.copy_from_slice(same),
            Self::Own(same) => values.copy_from_slice(same),
            Self::Half(bits) => {
                for (value, bits) in values.iter_mut().zip(bits) {
                    *value = half::f16::from_bits(*bits).to_f32();
                }
            }
            Self::Stored(bytes) => dequantize(bytes.as_slice(), dtype, &mut values)?,
            Self::Panels { panels, .. } => {
                let n_columns = panels.n_blocks() * BLOCK;
                for (row, values) in values.chunks_exact_mut(n_columns).enumerate() {
                    dequantize(&panels.row(row), dtype, values)?;
                }
            }
        }
        Ok(values)
    }

    /// The values, if they are f32 in memory.
    fn as_f32(&self) -> Option<&[f32]> {
        match self {
            Self::Result(values) => Some(values),
            Self::Own(values) => Some(values),
            Self::Stored(bytes) => as_f32(bytes.as_slice()),
            Self::Half(_) | Self::Panels { .. } => None,
        }
    }
}

/// Bytes as f32, if this machine can read them where they lie.
fn as_f32(bytes: &[u8]) -> Option<&[f32]> {
    if cfg!(target_endian = "big") {
        return None;
    }
    // SAFETY: every bit pattern is an f32; `align_to` finds the aligned middle.
    let (before, values, after) = unsafe { bytes.align_to() };
    (before.is_empty() && after.is_empty()).then_some(values)
}

/// The number of values of `shape`, if there is memory for them: asked first, so that too much is
/// an error and not an abort.
pub(crate) fn check_memory<T>(what: &str, shape: &[usize]) -> Result<usize> {
    let (n, size) = (n_elements(shape)?, size_of::<T>());
    let reserved = Vec::<T>::new().try_reserve_exact(n);
    reserved.map(|()| n).map_err(|_| Error::Device {
        device: "cpu".to_owned(),
        message: format!(
            "no memory for {what}{shape:?} f{} values ({n} x {size} bytes)",
            8 * size
        ),
    })
}

/// The memory of a tensor of this backend.
pub(crate) fn numbers(tensor: &Tensor) -> Result<&Numbers> {
    let foreign = || tensor.device().backend().foreign_storage();
    tensor.storage().get().ok_or_else(foreign)
}

/// Wraps the result of an operation.
pub(crate) fn result(like: &Tensor, shape: &[usize], values: Buffer) -> Tensor {
    like.new_like(shape, Storage::new(Numbers::Result(values)))
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

/// The f32 values of a result for writing in place, if nobody else holds it.
pub(crate) fn values_mut<'a>(
    tensor: &'a mut Tensor,
    operation: &'static str,
    name: &'static str,
) -> Result<&'a mut [f32]> {
    match tensor.storage_mut().get_mut() {
        Some(Numbers::Result(values)) => Ok(values),
        Some(Numbers::Own(values)) => Ok(values),
        _ => Err(Error::Shared { operation, name }),
    }
}

/// A cache as bytes and the type they are in.
pub(crate) fn cache_bytes(cache: &Tensor) -> Result<(&[u8], DType)> {
    if let Numbers::Half(bits) = numbers(cache)? {
        // SAFETY: any `u16` is two bytes.
        return Ok((unsafe { bits.align_to::<u8>().1 }, DType::F16));
    }
    // SAFETY: any `f32` is four bytes.
    Ok((unsafe { values(cache)?.align_to::<u8>().1 }, DType::F32))
}

/// A cache for writing in place.
pub(crate) fn cache_mut<'a>(cache: &'a mut Tensor, name: &'static str) -> Result<CacheMut<'a>> {
    match cache.storage_mut().get_mut() {
        Some(Numbers::Own(values)) => Ok(CacheMut::F32(values)),
        Some(Numbers::Result(values)) => Ok(CacheMut::F32(values)),
        Some(Numbers::Half(bits)) => Ok(CacheMut::F16(bits)),
        _ => Err(Error::Shared {
            operation: "write_rows",
            name,
        }),
    }
}

/// A cache that nobody else holds.
pub(crate) enum CacheMut<'a> {
    F32(&'a mut [f32]),
    F16(&'a mut [u16]),
}

/// The two sizes of a matrix whose shape the `Tensor` method has checked.
pub(crate) fn matrix_shape(tensor: &Tensor) -> (usize, usize) {
    let columns = tensor.shape().last().copied().unwrap_or(1);
    (tensor.n_elements() / columns.max(1), columns)
}

/// A weight, in whichever form it is held.
pub(crate) enum Weight<'a> {
    Rows(Rows<'a>),
    Quantized(QuantizedWeight<'a>),
}

/// A matrix of any storage type.
pub(crate) fn weight(tensor: &Tensor) -> Result<Weight<'_>> {
    let (n_rows, n_columns) = matrix_shape(tensor);
    let bytes = match numbers(tensor)? {
        Numbers::Panels { panels, .. } => {
            return Ok(Weight::Quantized(QuantizedWeight::Panels(panels)));
        }
        Numbers::Stored(bytes) => bytes.as_slice(),
        _ => {
            let values = values(tensor)?;
            // SAFETY: any `f32` is four bytes.
            unsafe { values.align_to::<u8>().1 }
        }
    };
    let dtype = tensor.dtype();
    let weight = match Blocks::new(bytes, dtype, [n_rows, n_columns]) {
        Some(blocks) => Some(Weight::Quantized(QuantizedWeight::Blocks(blocks))),
        None => Rows::new(bytes, dtype, n_rows, n_columns).map(Weight::Rows),
    };
    weight.ok_or(Error::Length {
        operation: "read rows",
        name: "memory behind the tensor",
        found: bytes.len(),
        expected: dtype.n_bytes(&[n_rows, n_columns])?,
    })
}
