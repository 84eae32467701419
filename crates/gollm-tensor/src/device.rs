//! Where numbers live, and the only way to put them there.

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::backend::Backend;
use crate::dtype::{DType, n_elements};
use crate::error::{Error, Result};
use crate::host_bytes::HostBytes;
use crate::reference::Reference;
use crate::storage_types::quantize;
use crate::tensor::Tensor;

/// A handle to one backend; cheap to clone.
///
/// Every [`Tensor`] carries the device it lives on, and every operation runs there. Two handles are
/// the same device when they are clones of one another.
#[derive(Clone)]
pub struct Device(Arc<dyn Backend>);

impl Device {
    /// Wraps a backend.
    pub fn new(backend: impl Backend + 'static) -> Self {
        Self(Arc::new(backend))
    }

    /// The readable reference: plain Rust on `ndarray`, one thread. Every call returns the same
    /// device.
    #[must_use]
    pub fn reference() -> Self {
        static REFERENCE: OnceLock<Device> = OnceLock::new();
        REFERENCE.get_or_init(|| Self::new(Reference)).clone()
    }

    /// The backend behind this handle.
    #[must_use]
    pub fn backend(&self) -> &dyn Backend {
        &*self.0
    }

    /// Whether both handles are the same device.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Makes a tensor from stored bytes (little-endian, the layout of `dtype`).
    ///
    /// A backend on the host may read the bytes where they lie, for as long as the tensor lives.
    ///
    /// # Errors
    ///
    /// If `bytes` is not exactly what `shape` takes in `dtype`, or the device is out of memory.
    pub fn upload(&self, shape: &[usize], dtype: DType, bytes: HostBytes) -> Result<Tensor> {
        let expected = dtype.n_bytes(shape)?;
        if bytes.len() != expected {
            return Err(Error::Length {
                operation: "upload",
                name: "bytes",
                found: bytes.len(),
                expected,
            });
        }
        let storage = self.0.upload(shape, dtype, bytes)?;
        Ok(Tensor::new(self.clone(), shape, dtype, storage))
    }

    /// Makes an f32 tensor from values in row-major order.
    ///
    /// # Errors
    ///
    /// If there are not as many values as `shape` holds, or the device is out of memory.
    pub fn tensor(&self, shape: &[usize], values: &[f32]) -> Result<Tensor> {
        self.stored(shape, DType::F32, values)
    }

    /// Makes a tensor from f32 values, stored as `dtype` (see [`quantize`]).
    ///
    /// # Errors
    ///
    /// If there are not as many values as `shape` holds, a row is not a whole number of blocks, or
    /// the device is out of memory.
    pub fn stored(&self, shape: &[usize], dtype: DType, values: &[f32]) -> Result<Tensor> {
        let expected = n_elements(shape)?;
        if values.len() != expected {
            return Err(Error::Length {
                operation: "tensor",
                name: "values",
                found: values.len(),
                expected,
            });
        }
        self.upload(shape, dtype, quantize(values, dtype)?.into())
    }

    /// Makes a tensor of zeros to keep keys or values in, f32 or, where the backend was told to save
    /// memory, f16.
    ///
    /// # Errors
    ///
    /// As [`Device::zeros`].
    pub fn cache(&self, shape: &[usize]) -> Result<Tensor> {
        DType::F32.n_bytes(shape)?;
        let (dtype, storage) = self.0.cache(shape)?;
        Ok(Tensor::new(self.clone(), shape, dtype, storage))
    }

    /// Makes an f32 tensor of zeros.
    ///
    /// # Errors
    ///
    /// If `shape` is too large for the machine or the device is out of memory.
    pub fn zeros(&self, shape: &[usize]) -> Result<Tensor> {
        DType::F32.n_bytes(shape)?;
        let storage = self.0.zeros(shape)?;
        Ok(Tensor::new(self.clone(), shape, DType::F32, storage))
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Device({})", self.0.name())
    }
}
