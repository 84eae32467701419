//! The one seam between the model and the machine.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::host_bytes::HostBytes;
use crate::ops;
use crate::place::Place;
use crate::rope_table::RopeTable;
use crate::tensor::Tensor;

/// Memory of a backend, opaque to everyone else.
///
/// Cloning shares the memory. A backend that wants to reuse its buffers puts a type in here whose
/// `Drop` gives the buffer back to a pool: then a decode loop allocates nothing after its first step.
#[derive(Clone)]
pub struct Storage(Arc<dyn Any + Send + Sync>);

impl Storage {
    /// Wraps a buffer of a backend's own type.
    pub fn new(buffer: impl Any + Send + Sync) -> Self {
        Self(Arc::new(buffer))
    }

    /// The buffer, if it is of type `T`.
    #[must_use]
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }

    /// The buffer for writing, if it is of type `T` and nobody else holds it.
    pub fn get_mut<T: Any>(&mut self) -> Option<&mut T> {
        Arc::get_mut(&mut self.0)?.downcast_mut()
    }
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Storage")
    }
}

/// The tensors of one layer's cache and how its rows are to be read: the arguments that
/// [`Backend::cached_attention`] takes besides `q`, `k` and `v`.
#[derive(Debug)]
pub struct CachedAttention<'a> {
    /// Keys of all sequences, `[n_sequences, context_length, n_kv_heads · head_dim]`, as
    /// [`Device::cache`](crate::Device::cache) made them.
    pub keys: &'a mut Tensor,
    /// Values of all sequences, of the same shape.
    pub values: &'a mut Tensor,
    /// Cosines and sines by position.
    pub rope: &'a RopeTable,
    /// The sequence and position of each row of `q`, `k` and `v`.
    pub places: &'a [Place],
    /// How many numbers one head has.
    pub head_dim: usize,
}

/// The operations a machine must offer so that the model can run on it.
///
/// The model never calls these: it calls the methods of [`Tensor`] of the same names, which check
/// shapes and devices once, for every backend, and then call here. An implementation may rely on
/// what the `Tensor` method checked. Results are f32 tensors on the same device, made with
/// [`Tensor::new_like`]. Operations may be queued; only [`download`](Self::download),
/// [`argmax`](Self::argmax) and [`synchronize`](Self::synchronize) wait.
///
/// The fused forms at the end have bodies that compose the plain operations. A backend overrides
/// them where it can do better, and the body stays the explanation of what the result must be.
/// The crate gollm-conformance compares every method with the reference.
pub trait Backend: Send + Sync {
    /// A short lower-case name: `reference`, `cpu`, `cuda:0`.
    fn name(&self) -> &str;

    /// The device and the kernels in use, in one line for a person.
    fn description(&self) -> String;

    /// Takes stored bytes into the backend's memory. `bytes` has the length `shape` needs.
    ///
    /// # Errors
    ///
    /// If the device is out of memory.
    fn upload(&self, shape: &[usize], dtype: DType, bytes: HostBytes) -> Result<Storage>;

    /// Allocates f32 zeros.
    ///
    /// # Errors
    ///
    /// If the device is out of memory.
    fn zeros(&self, shape: &[usize]) -> Result<Storage>;

    /// Allocates a cache of zeros, in the storage type that this backend keeps caches in: f32, or f16
    /// where it was told to.
    ///
    /// # Errors
    ///
    /// If the device is out of memory.
    fn cache(&self, shape: &[usize]) -> Result<(DType, Storage)> {
        Ok((DType::F32, self.zeros(shape)?))
    }

    /// Reads a tensor back as f32, in row-major order; waits for queued work.
    ///
    /// # Errors
    ///
    /// If the device failed.
    fn download(&self, tensor: &Tensor) -> Result<Vec<f32>>;

    /// Waits until all queued work is done.
    ///
    /// # Errors
    ///
    /// If the device failed.
    fn synchronize(&self) -> Result<()> {
        Ok(())
    }

    /// See [`Tensor::embed`].
    ///
    /// # Errors
    ///
    /// If the device failed.
    fn embed(&self, table: &Tensor, ids: &[u32]) -> Result<Tensor>;

    /// See [`Tensor::rms_norm`].
    ///
    /// # Errors
    ///
    /// If the device failed.
    fn rms_norm(&self, x: &Tensor, weight: &Tensor, eps: f32) -> Result<Tensor>;

    /// See [`Tensor::matmul`].
    ///
    /// # Errors
    ///
    /// If the device failed.
    fn matmul(&self, x: &Tensor, weight: &Tensor) -> Result<Tensor>;

    /// See [`Tensor::rope`].
    ///
    /// # Errors
    ///
    /// If the device failed.
    fn rope(&self, x: &Tensor, table: &RopeTable, places: &[Place]) -> Result<Tensor>;

    /// See [`Tensor::write_rows`].
    ///
    /// # Errors
    ///
    /// If the device failed or the cache is shared with another handle.
    fn write_rows(&self, cache: &mut Tensor, rows: &Tensor, places: &[Place]) -> Result<()>;

    /// See [`Tensor::attention`].
    ///
    /// # Errors
    ///
    /// If the device failed.
    fn attention(
        &self,
        q: &Tensor,
        keys: &Tensor,
        values: &Tensor,
        places: &[Place],
        head_dim: usize,
    ) -> Result<Tensor>;

    /// See [`Tensor::swiglu`].
    ///
    /// # Errors
    ///
    /// If the device failed.
    fn swiglu(&self, gate: &Tensor, up: &Tensor) -> Result<Tensor>;

    /// See [`Tensor::add`]: `b` has the shape of `a`, or is a vector that every row of `a` gets.
    ///
    /// # Errors
    ///
    /// If the device failed.
    fn add(&self, a: &Tensor, b: &Tensor) -> Result<Tensor>;

    /// See [`Tensor::add_rows`]. No row of `sum` is named twice.
    ///
    /// # Errors
    ///
    /// If the device failed or `sum` is shared with another handle.
    fn add_rows(&self, sum: &mut Tensor, rows: &Tensor, to: &[u32], scales: &[f32]) -> Result<()>;

    /// See [`Tensor::softmax`].
    ///
    /// # Errors
    ///
    /// If the device failed.
    fn softmax(&self, x: &Tensor) -> Result<Tensor>;

    /// The column of the largest value of each row, the first one on a tie: what greedy decoding
    /// needs, without moving whole logits off a device.
    ///
    /// # Errors
    ///
    /// If the device failed.
    fn argmax(&self, x: &Tensor) -> Result<Vec<u32>> {
        let n_columns = x.shape().last().copied().unwrap_or(1);
        Ok(ops::softmax::argmax(&self.download(x)?, n_columns))
    }

    /// Fused: normalizes once and multiplies by several matrices (q, k and v; gate and up; the head).
    ///
    /// # Errors
    ///
    /// If a shape is wrong or the device failed.
    fn norm_matmul(
        &self,
        x: &Tensor,
        norm: &Tensor,
        eps: f32,
        weights: &[&Tensor],
    ) -> Result<Vec<Tensor>> {
        let x = x.rms_norm(norm, eps)?;
        weights.iter().map(|weight| x.matmul(weight)).collect()
    }

    /// Fused: rotates `q` and `k`, appends `k` and `v` to the cache, attends.
    ///
    /// # Errors
    ///
    /// If a shape is wrong, the cache is shared, or the device failed.
    fn cached_attention(
        &self,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        cache: CachedAttention<'_>,
    ) -> Result<Tensor> {
        let q = q.rope(cache.rope, cache.places)?;
        let k = k.rope(cache.rope, cache.places)?;
        cache.keys.write_rows(&k, cache.places)?;
        cache.values.write_rows(v, cache.places)?;
        q.attention(cache.keys, cache.values, cache.places, cache.head_dim)
    }

    /// Fused: the whole SwiGLU feed-forward with its norm, without the residual.
    ///
    /// # Errors
    ///
    /// If a shape is wrong or the device failed.
    fn feed_forward(
        &self,
        x: &Tensor,
        norm: &Tensor,
        eps: f32,
        [gate, up, down]: [&Tensor; 3],
    ) -> Result<Tensor> {
        let x = x.rms_norm(norm, eps)?;
        x.matmul(gate)?.swiglu(&x.matmul(up)?)?.matmul(down)
    }

    /// The error for storage that this backend did not make.
    fn foreign_storage(&self) -> Error {
        Error::Device {
            device: self.name().to_owned(),
            message: "was handed memory that another backend made".to_owned(),
        }
    }
}
