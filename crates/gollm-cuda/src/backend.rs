//! The operations of the trait, each a few lines around its kernel.

use gollm_tensor::{
    Backend, CachedAttention, DType, HostBytes, Place, Result, RopeTable, Storage, Tensor,
    dequantize,
};

use crate::attend_by_token::is_decoding;
use crate::blocks::{apart, together};
use crate::cuda::Cuda;
use crate::kernel::Kernel;
use crate::memory::{Numbers, argument, held_alone, is_blocked, matrix_shape, numbers};
use crate::options::CacheType;
use crate::product::{Norm, is_few};

impl Backend for Cuda {
    fn name(&self) -> &str {
        self.runtime().name()
    }

    fn description(&self) -> String {
        let cache = match self.cache {
            CacheType::F16 => "f16",
            CacheType::F32 => "f32",
        };
        format!("{}, {cache} cache", self.runtime().description())
    }

    fn upload(&self, _shape: &[usize], dtype: DType, bytes: HostBytes) -> Result<Storage> {
        let buffer = self.pool.own(bytes.len())?;
        if is_blocked(dtype) {
            let parts = apart(bytes.as_slice(), dtype);
            self.queue()?.write(buffer.address(), &parts)?;
        } else {
            self.queue()?.write(buffer.address(), bytes.as_slice())?;
        }
        // A mapped file need not stay in memory for what is on the device now.
        bytes.release();
        Ok(Storage::new(Numbers(buffer)))
    }

    fn zeros(&self, shape: &[usize]) -> Result<Storage> {
        let n_bytes = DType::F32.n_bytes(shape)?;
        let buffer = self.pool.take(n_bytes)?;
        self.queue()?.zero(buffer.address(), n_bytes)?;
        Ok(Storage::new(Numbers(buffer)))
    }

    fn cache(&self, shape: &[usize]) -> Result<(DType, Storage)> {
        let dtype = match self.cache {
            CacheType::F16 => DType::F16,
            CacheType::F32 => DType::F32,
        };
        Ok((dtype, self.zeros_of(shape, dtype)?))
    }

    fn download(&self, tensor: &Tensor) -> Result<Vec<f32>> {
        let (from, dtype) = (numbers(tensor)?.0.address(), tensor.dtype());
        let mut values = vec![0.0f32; tensor.n_elements()];
        if dtype == DType::F32 {
            self.queue()?
                .read(from, bytemuck::cast_slice_mut(&mut values))?;
            return Ok(values);
        }
        let mut bytes = vec![0; dtype.n_bytes(tensor.shape())?];
        self.queue()?.read(from, &mut bytes)?;
        if is_blocked(dtype) {
            bytes = together(&bytes, dtype);
        }
        dequantize(&bytes, dtype, &mut values)?;
        Ok(values)
    }

    fn synchronize(&self) -> Result<()> {
        self.queue()?.synchronize()
    }

    fn embed(&self, table: &Tensor, ids: &[u32]) -> Result<Tensor> {
        self.look_up(table, ids)
    }

    fn rms_norm(&self, x: &Tensor, weight: &Tensor, eps: f32) -> Result<Tensor> {
        self.normalized(x, Norm { gain: weight, eps })
    }

    fn matmul(&self, x: &Tensor, weight: &Tensor) -> Result<Tensor> {
        let mut outs = self.products(x, None, &[weight])?;
        outs.pop()
            .ok_or_else(|| self.error("a product of one weight gave no result".to_owned()))
    }

    fn rope(&self, x: &Tensor, table: &RopeTable, places: &[Place]) -> Result<Tensor> {
        let out = self.new_result(x, x.shape())?;
        if places.is_empty() {
            return Ok(out);
        }
        let mut on_device = self.places();
        let arguments = [
            argument(x)?,
            argument(table.cos())?,
            argument(table.sin())?,
            on_device.write(self, places)?,
            argument(&out)?,
            self.size(matrix_shape(x).1)?,
            self.size(table.head_dim() / 2)?,
        ];
        self.launch_rows(Kernel::Rope, places.len(), &arguments)?;
        Ok(out)
    }

    fn write_rows(&self, cache: &mut Tensor, rows: &Tensor, places: &[Place]) -> Result<()> {
        held_alone(cache, "cache")?;
        if places.is_empty() {
            return Ok(());
        }
        let kernel = match cache.dtype() {
            DType::F16 => Kernel::AppendF16,
            _ => Kernel::AppendF32,
        };
        let mut on_device = self.places();
        let arguments = [
            argument(rows)?,
            on_device.write(self, places)?,
            argument(cache)?,
            self.size(cache.shape()[2])?,
            self.size(cache.shape()[1])?,
        ];
        self.launch_rows(kernel, places.len(), &arguments)
    }

    fn attention(
        &self,
        q: &Tensor,
        keys: &Tensor,
        values: &Tensor,
        places: &[Place],
        head_dim: usize,
    ) -> Result<Tensor> {
        self.attend(q, [keys, values], places, head_dim)
    }

    fn swiglu(&self, gate: &Tensor, up: &Tensor) -> Result<Tensor> {
        self.each(Kernel::Swiglu, gate, up)
    }

    fn add(&self, a: &Tensor, b: &Tensor) -> Result<Tensor> {
        if b.shape().len() == 1 && a.shape()[0] != 1 {
            return self.add_bias(a, b);
        }
        if let Some(sum) = self.add_to_pending(a, b)? {
            return Ok(sum);
        }
        self.each(Kernel::Add, a, b)
    }

    fn add_rows(&self, sum: &mut Tensor, rows: &Tensor, to: &[u32], scales: &[f32]) -> Result<()> {
        self.add_to_rows(sum, rows, to, scales)
    }

    fn softmax(&self, x: &Tensor) -> Result<Tensor> {
        let (n_rows, n_columns) = matrix_shape(x);
        let out = self.new_result(x, x.shape())?;
        let arguments = [argument(x)?, argument(&out)?, self.size(n_columns)?];
        self.launch_rows(Kernel::Softmax, n_rows, &arguments)?;
        Ok(out)
    }

    fn argmax(&self, x: &Tensor) -> Result<Vec<u32>> {
        self.largest_columns(x)
    }

    fn norm_matmul(
        &self,
        x: &Tensor,
        norm: &Tensor,
        eps: f32,
        weights: &[&Tensor],
    ) -> Result<Vec<Tensor>> {
        self.products(x, Some(Norm { gain: norm, eps }), weights)
    }

    fn cached_attention(
        &self,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        cache: CachedAttention<'_>,
    ) -> Result<Tensor> {
        held_alone(cache.keys, "keys")?;
        held_alone(cache.values, "values")?;
        if is_decoding(cache.places) {
            return self.attend_new(q, k, v, &cache);
        }
        let q = self.rope_append(q, k, v, &cache)?;
        let caches = [&*cache.keys, &*cache.values];
        self.attend(&q, caches, cache.places, cache.head_dim)
    }

    fn feed_forward(
        &self,
        x: &Tensor,
        norm: &Tensor,
        eps: f32,
        [gate, up, down]: [&Tensor; 3],
    ) -> Result<Tensor> {
        let norm = Norm { gain: norm, eps };
        if is_few(matrix_shape(x).0) && gate.dtype() == up.dtype() {
            return self.matmul(&self.gate_up(x, norm, gate, up)?, down);
        }
        let x = self.normalized(x, norm)?;
        let hidden = self.matmul(&x, gate)?.swiglu(&self.matmul(&x, up)?)?;
        drop(x);
        self.matmul(&hidden, down)
    }
}

impl Cuda {
    /// Zeros of a storage type, for something that stays.
    fn zeros_of(&self, shape: &[usize], dtype: DType) -> Result<Storage> {
        let n_bytes = dtype.n_bytes(shape)?;
        let buffer = self.pool.own(n_bytes)?;
        self.queue()?.zero(buffer.address(), n_bytes)?;
        Ok(Storage::new(Numbers(buffer)))
    }

    /// A kernel that makes each number of two of the same place.
    fn each(&self, kernel: Kernel, a: &Tensor, b: &Tensor) -> Result<Tensor> {
        let out = self.new_result(a, a.shape())?;
        let addresses = [argument(a)?, argument(b)?, argument(&out)?];
        self.launch_each(kernel, a.n_elements(), &addresses)?;
        Ok(out)
    }
}
