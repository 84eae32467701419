//! The tensor handle: a shape, a storage type, and where the numbers live.

use crate::backend::Storage;
use crate::device::Device;
use crate::dtype::{DType, n_elements};
use crate::error::{Error, Result};

/// Numbers in row-major order on some device.
///
/// A handle is cheap to clone: clones share the numbers. Weights keep the type they are stored in;
/// every result of an operation is f32. The operations are in `ops/`.
#[derive(Debug, Clone)]
pub struct Tensor {
    shape: Vec<usize>,
    dtype: DType,
    storage: Storage,
    device: Device,
}

impl Tensor {
    /// Wraps memory that `device` made. Only [`Device`] and backends have a use for this.
    #[must_use]
    pub fn new(device: Device, shape: &[usize], dtype: DType, storage: Storage) -> Self {
        Self {
            shape: shape.to_vec(),
            dtype,
            storage,
            device,
        }
    }

    /// An f32 tensor on the same device as this one: how a backend wraps its results.
    #[must_use]
    pub fn new_like(&self, shape: &[usize], storage: Storage) -> Self {
        Self::new(self.device.clone(), shape, DType::F32, storage)
    }

    /// The size of each dimension, the slowest first.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The number of values.
    #[must_use]
    pub fn n_elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// How the values are stored.
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Where the values live.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The backend's memory.
    #[must_use]
    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    /// The backend's memory, for writing in place.
    pub fn storage_mut(&mut self) -> &mut Storage {
        &mut self.storage
    }

    /// The same numbers under another shape; nothing is moved.
    ///
    /// # Errors
    ///
    /// If the two shapes do not hold equally many values, or the last dimension of a blocked type
    /// would change.
    pub fn reshape(&self, shape: &[usize]) -> Result<Self> {
        let cuts_blocks = self.dtype.block_len() > 1 && shape.last() != self.shape.last();
        if n_elements(shape)? != self.n_elements() || cuts_blocks {
            return Err(Error::Shape {
                operation: "reshape",
                name: "self",
                found: self.shape.clone(),
                expected: format!("as many values as {shape:?}"),
            });
        }
        Ok(Self {
            shape: shape.to_vec(),
            ..self.clone()
        })
    }

    /// Copies the values to the host as f32, in row-major order; waits for queued work.
    ///
    /// # Errors
    ///
    /// If the device failed.
    pub fn to_vec(&self) -> Result<Vec<f32>> {
        self.device.backend().download(self)
    }
}
