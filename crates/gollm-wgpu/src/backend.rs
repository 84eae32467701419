//! The operations of the trait, each a few lines around its kernel.

use gollm_tensor::{
    Backend, CachedAttention, DType, HostBytes, Place, Result, RopeTable, Storage, Tensor,
};

use crate::Wgpu;
use crate::kernels::Kernel;
use crate::memory::{columns, memory, memory_mut, tensor};

impl Backend for Wgpu {
    fn name(&self) -> &str {
        &self.0.gpu.name
    }

    fn description(&self) -> String {
        let cache = if self.0.half_cache { ", f16 cache" } else { "" };
        format!("{}: {}{cache}", self.name(), self.adapter())
    }

    fn upload(&self, shape: &[usize], dtype: DType, bytes: HostBytes) -> Result<Storage> {
        Ok(Storage::new(self.0.upload(shape, dtype, &bytes)?))
    }

    fn zeros(&self, shape: &[usize]) -> Result<Storage> {
        Ok(Storage::new(self.0.cleared(shape)?))
    }

    fn cache(&self, shape: &[usize]) -> Result<(DType, Storage)> {
        let half = self.0.half_cache;
        let dtype = if half { DType::F16 } else { DType::F32 };
        Ok((dtype, Storage::new(self.0.zeroed(shape, dtype)?)))
    }

    fn download(&self, tensor: &Tensor) -> Result<Vec<f32>> {
        let memory = tensor
            .storage()
            .get()
            .ok_or_else(|| self.foreign_storage())?;
        self.0.download(memory, tensor.dtype(), tensor.n_elements())
    }

    fn synchronize(&self) -> Result<()> {
        self.0.recorder().submit(&self.0.gpu, |_| ());
        self.0.gpu.wait()
    }

    fn embed(&self, table: &Tensor, ids: &[u32]) -> Result<Tensor> {
        let y = self.0.embedded(memory(table)?, table.dtype(), ids)?;
        Ok(tensor(table, &[ids.len(), columns(table)], y))
    }

    fn rms_norm(&self, x: &Tensor, weight: &Tensor, eps: f32) -> Result<Tensor> {
        Ok(tensor(x, x.shape(), self.0.normalized(x, weight, eps)?))
    }

    fn matmul(&self, x: &Tensor, weight: &Tensor) -> Result<Tensor> {
        let (n_tokens, n_out) = (x.shape()[0], weight.shape()[0]);
        let y = self.0.product(memory(x)?, n_tokens, weight)?;
        Ok(tensor(x, &[n_tokens, n_out], y))
    }

    fn rope(&self, x: &Tensor, table: &RopeTable, places: &[Place]) -> Result<Tensor> {
        Ok(tensor(x, x.shape(), self.0.rotated(x, table, places)?))
    }

    fn write_rows(&self, cache: &mut Tensor, rows: &Tensor, places: &[Place]) -> Result<()> {
        self.0.write_rows(cache, "cache", rows, places)
    }

    fn attention(
        &self,
        q: &Tensor,
        keys: &Tensor,
        values: &Tensor,
        places: &[Place],
        head_dim: usize,
    ) -> Result<Tensor> {
        let y = self.0.attend(q, [keys, values], None, places, head_dim)?;
        Ok(tensor(q, q.shape(), y))
    }

    fn swiglu(&self, gate: &Tensor, up: &Tensor) -> Result<Tensor> {
        let y = self
            .0
            .by_number(Kernel::Swiglu, memory(gate)?, memory(up)?)?;
        Ok(tensor(gate, gate.shape(), y))
    }

    fn add(&self, a: &Tensor, b: &Tensor) -> Result<Tensor> {
        let y = match b.shape() {
            [_] => self.0.with_bias(memory(a)?, b)?,
            _ => self.0.by_number(Kernel::Add, memory(a)?, memory(b)?)?,
        };
        Ok(tensor(a, a.shape(), y))
    }

    fn add_rows(&self, sum: &mut Tensor, rows: &Tensor, to: &[u32], scales: &[f32]) -> Result<()> {
        self.0.add_to_rows(sum, memory(rows)?, to, scales)
    }

    fn softmax(&self, x: &Tensor) -> Result<Tensor> {
        let x_memory = memory(x)?;
        let width = x_memory.columns;
        let y = self
            .0
            .by_row(Kernel::Softmax, x_memory, width, &[], &[width as u32])?;
        Ok(tensor(x, x.shape(), y))
    }

    fn argmax(&self, x: &Tensor) -> Result<Vec<u32>> {
        self.0.largest_columns(memory(x)?)
    }

    fn norm_matmul(
        &self,
        x: &Tensor,
        norm: &Tensor,
        eps: f32,
        weights: &[&Tensor],
    ) -> Result<Vec<Tensor>> {
        let n_tokens = x.shape()[0];
        let normalized = self.0.normalized(x, norm, eps)?;
        let product = |weight: &&Tensor| {
            let y = self.0.product(&normalized, n_tokens, weight)?;
            Ok(tensor(x, &[n_tokens, weight.shape()[0]], y))
        };
        weights.iter().map(product).collect()
    }

    fn cached_attention(
        &self,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        cache: CachedAttention<'_>,
    ) -> Result<Tensor> {
        let CachedAttention {
            keys,
            values,
            rope,
            places,
            head_dim,
        } = cache;
        memory_mut(keys, "keys")?;
        memory_mut(values, "values")?;
        self.0.append([keys, values], [k, v], rope, places)?;
        let caches = [&*keys, &*values];
        let y = if rope.head_dim() == head_dim {
            self.0.attend(q, caches, Some(rope), places, head_dim)?
        } else {
            let q = self.rope(q, rope, places)?;
            self.0.attend(&q, caches, None, places, head_dim)?
        };
        Ok(tensor(q, q.shape(), y))
    }

    fn feed_forward(
        &self,
        x: &Tensor,
        norm: &Tensor,
        eps: f32,
        [gate, up, down]: [&Tensor; 3],
    ) -> Result<Tensor> {
        let n_tokens = x.shape()[0];
        let normalized = self.0.normalized(x, norm, eps)?;
        let hidden = self.0.gated(&normalized, n_tokens, [gate, up])?;
        let y = self.0.product(&hidden, n_tokens, down)?;
        Ok(tensor(x, &[n_tokens, down.shape()[0]], y))
    }
}
