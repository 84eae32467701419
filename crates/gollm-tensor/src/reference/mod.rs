//! The meaning of every operation: plain Rust on `ndarray`, one thread, formulas first.
//!
//! This backend explains; the fast ones must agree with it. It has no `unsafe`, no SIMD and no
//! cleverness, and speed work does not touch it. What each operation computes is on its page in
//! `ops/`; here is only the memory it computes in.

pub(crate) mod memory;

use crate::backend::{Backend, Storage};
use crate::dtype::{DType, n_elements};
use crate::error::{Error, Result};
use crate::host_bytes::HostBytes;
use crate::ops;
use crate::place::Place;
use crate::rope_table::RopeTable;
use crate::tensor::Tensor;
use memory::Numbers;

/// The readable reference backend.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reference;

impl Backend for Reference {
    fn name(&self) -> &str {
        "reference"
    }

    fn description(&self) -> String {
        "reference: plain Rust on ndarray, 1 thread".to_owned()
    }

    fn upload(&self, _shape: &[usize], dtype: DType, bytes: HostBytes) -> Result<Storage> {
        Ok(Storage::new(Numbers::from_bytes(dtype, bytes)))
    }

    fn zeros(&self, shape: &[usize]) -> Result<Storage> {
        let n_elements = n_elements(shape)?;
        // The one allocation whose size a config decides: ask first, so that too much is an error and
        // not an abort. `vec!` then gets zeroed pages that take no memory until they are written.
        Vec::<f32>::new()
            .try_reserve_exact(n_elements)
            .map_err(|_| Error::Device {
                device: self.name().to_owned(),
                message: format!("no memory for {shape:?} f32 values ({n_elements} x 4 bytes)"),
            })?;
        Ok(Storage::new(Numbers::F32(vec![0.0; n_elements])))
    }

    fn download(&self, tensor: &Tensor) -> Result<Vec<f32>> {
        memory::numbers(tensor)?.to_f32(tensor.dtype(), tensor.n_elements())
    }

    fn embed(&self, table: &Tensor, ids: &[u32]) -> Result<Tensor> {
        ops::embed::embed(table, ids)
    }

    fn rms_norm(&self, x: &Tensor, weight: &Tensor, eps: f32) -> Result<Tensor> {
        ops::rms_norm::rms_norm(x, weight, eps)
    }

    fn matmul(&self, x: &Tensor, weight: &Tensor) -> Result<Tensor> {
        ops::matmul::matmul(x, weight)
    }

    fn rope(&self, x: &Tensor, table: &RopeTable, places: &[Place]) -> Result<Tensor> {
        ops::rope::rope(x, table, places)
    }

    fn write_rows(&self, cache: &mut Tensor, rows: &Tensor, places: &[Place]) -> Result<()> {
        ops::attention::write_rows(cache, rows, places)
    }

    fn attention(
        &self,
        q: &Tensor,
        keys: &Tensor,
        values: &Tensor,
        places: &[Place],
        head_dim: usize,
    ) -> Result<Tensor> {
        ops::attention::attention(q, keys, values, places, head_dim)
    }

    fn swiglu(&self, gate: &Tensor, up: &Tensor) -> Result<Tensor> {
        ops::swiglu::swiglu(gate, up)
    }

    fn add(&self, a: &Tensor, b: &Tensor) -> Result<Tensor> {
        ops::add::add(a, b)
    }

    fn add_rows(&self, sum: &mut Tensor, rows: &Tensor, to: &[u32], scales: &[f32]) -> Result<()> {
        ops::add::add_rows(sum, rows, to, scales)
    }

    fn softmax(&self, x: &Tensor) -> Result<Tensor> {
        ops::softmax::softmax(x)
    }
}
