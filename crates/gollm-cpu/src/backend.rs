//! [`Cpu`]: the operations of the trait, each a few lines around its kernel.

use std::sync::{Mutex, PoisonError};

use gollm_tensor::{
    Backend, CachedAttention, DType, Error, HostBytes, Place, Result, RopeTable, Storage, Tensor,
    n_elements,
};

use crate::buffers::Buffer;
use crate::kernels::attention::{self, Attention, Sizes, Tile};
use crate::kernels::elementwise::{Add, RmsNorm, Rope, Softmax, Swiglu};
use crate::memory::{
    CacheMut, Numbers, Weight, cache_bytes, cache_mut, matrix_shape, numbers, result, values,
    weight,
};
use crate::product::{Product, Workshop};
use crate::simd::{Machine, Task};
use crate::threads::{Pool, Shared, physical_cores};

/// The fast CPU backend.
///
/// Weights of f32, f16 and bf16 are read where they lie, in a mapped file for example. Matrices of q8_0
/// and q4_0 are laid out anew when they are uploaded, and their products round the activations to 8
/// bits (see `kernels/quantized.rs` for what that costs).
#[derive(Debug)]
pub struct Cpu {
    pub(crate) workshop: Workshop,
    /// Whether caches hold f16 numbers.
    half_cache: bool,
    tiles: Mutex<Vec<Tile>>,
}

impl Cpu {
    /// A backend with `n_threads` threads (0: one for each physical core) and the best kernels that
    /// this processor can run.
    ///
    /// # Errors
    ///
    /// If the system has no more threads.
    pub fn new(n_threads: usize) -> Result<Self> {
        Self::with_machine(n_threads, Machine::detect())
    }

    /// As [`Cpu::new`], with kernels of the caller's choice.
    ///
    /// # Errors
    ///
    /// As [`Cpu::new`].
    pub fn with_machine(n_threads: usize, machine: Machine) -> Result<Self> {
        let n_threads = if n_threads == 0 {
            physical_cores()
        } else {
            n_threads
        };
        let pool = Pool::new(n_threads).map_err(|error| Error::Device {
            device: "cpu".to_owned(),
            message: format!("cannot start {n_threads} threads: {error}"),
        })?;
        Ok(Self {
            workshop: Workshop::new(machine, pool),
            half_cache: false,
            tiles: Mutex::default(),
        })
    }

    /// Keeps cached keys and values in f16: half the memory and half the reading of a long context,
    /// for rounding each of them to 11 significant bits.
    #[must_use]
    pub fn with_half_cache(self) -> Self {
        Self {
            half_cache: true,
            ..self
        }
    }

    /// How many threads work.
    #[must_use]
    pub fn n_threads(&self) -> usize {
        self.workshop.pool.n_threads()
    }

    /// The vector instructions in use.
    #[must_use]
    pub fn machine(&self) -> Machine {
        self.workshop.machine
    }

    fn take(&self, n: usize) -> Buffer {
        self.workshop.buffers.take(n)
    }

    fn run<T: Task>(&self, task: T) -> T::Output {
        self.workshop.machine.run(task)
    }

    /// Deals out `0..n`, each worth `work` multiply-adds.
    fn for_each(&self, n: usize, work: usize, f: impl Fn(std::ops::Range<usize>) + Sync) {
        let grain = self.workshop.grain(n, n * work);
        self.workshop.pool.for_each(n, grain, f);
    }

    /// Runs `kernel` on ranges of whole rows of `width` numbers.
    fn rowwise<'a>(
        &self,
        out: &'a mut [f32],
        width: usize,
        kernel: impl Fn(std::ops::Range<usize>, &'a mut [f32]) + Sync,
    ) {
        let width = width.max(1);
        let (n_rows, shared) = (out.len() / width, Shared::new(out));
        self.for_each(n_rows, width, |rows| {
            let numbers = rows.start * width..rows.end * width;
            // SAFETY: the threads of a region work on different rows.
            let out = unsafe { shared.part(numbers.start, numbers.len()) };
            kernel(numbers, out);
        });
    }

    fn normalized(&self, x: &Tensor, norm: &Tensor, eps: f32) -> Result<Buffer> {
        let (x, weight) = (values(x)?, values(norm)?);
        let mut out = self.take(x.len());
        self.rowwise(&mut out, weight.len(), |range, out| {
            self.run(RmsNorm {
                x: &x[range],
                weight,
                eps,
                out,
            });
        });
        Ok(out)
    }

    /// Multiplies `x`, `[n_tokens, n_in]`, by several weights.
    fn products(&self, x: &[f32], n_in: usize, weights: &[&Tensor]) -> Result<Vec<Buffer>> {
        let n_tokens = x.len().checked_div(n_in).unwrap_or(0);
        let mut outs: Vec<Buffer> = weights
            .iter()
            .map(|weight| self.take(n_tokens * matrix_shape(weight).0))
            .collect();
        let products = weights.iter().zip(&mut outs).map(|(tensor, out)| {
            let weight = weight(tensor)?;
            Ok(Product { weight, out })
        });
        let mut products = products.collect::<Result<Vec<_>>>()?;
        if n_in == 0 {
            // A sum of nothing.
            products
                .iter_mut()
                .for_each(|product| product.out.fill(0.0));
        }
        self.workshop.products(x, n_in, &mut products);
        drop(products);
        Ok(outs)
    }

    fn rotated(&self, x: &Tensor, table: &RopeTable, places: &[Place]) -> Result<Buffer> {
        let (x, width) = (values(x)?, matrix_shape(x).1);
        let (cos, sin) = (values(table.cos())?, values(table.sin())?);
        let mut out = self.take(x.len());
        let shared = Shared::new(&mut out);
        self.for_each(places.len(), width, |range| {
            self.run(Rope {
                x,
                out: shared,
                width,
                cos,
                sin,
                half: table.head_dim() / 2,
                places,
                range,
            });
        });
        Ok(out)
    }

    /// Attention of rotated queries over a cache.
    fn attend(
        &self,
        q: &[f32],
        q_width: usize,
        [keys, values]: [&Tensor; 2],
        places: &[Place],
        head_dim: usize,
    ) -> Result<Buffer> {
        let (context_length, kv_width) = (keys.shape()[1], keys.shape()[2]);
        let (keys, dtype) = cache_bytes(keys)?;
        let (values, _) = cache_bytes(values)?;
        let sizes = Sizes {
            context_length,
            n_kv_heads: kv_width / head_dim,
            group: q_width / kv_width,
            head_dim,
        };
        let mut out = self.take(q.len());
        let shared = Shared::new(&mut out);
        let mut tiles = self.tiles.lock().unwrap_or_else(PoisonError::into_inner);
        attention::tiles(places, &mut tiles);
        let longest = places
            .iter()
            .map(|place| place.position + 1)
            .max()
            .unwrap_or(0);
        let n_pieces = tiles.len() * sizes.n_kv_heads;
        let tiles = &*tiles;
        self.for_each(n_pieces, 2 * longest * head_dim * sizes.group, |pieces| {
            self.run(Attention {
                q,
                keys,
                values,
                dtype,
                places,
                tiles,
                sizes,
                out: shared,
                pieces,
            });
        });
        Ok(out)
    }
}

impl Backend for Cpu {
    fn name(&self) -> &str {
        "cpu"
    }

    fn description(&self) -> String {
        let (machine, n) = (self.machine(), self.n_threads());
        let cache = if self.half_cache { ", f16 cache" } else { "" };
        let s = if n == 1 { "" } else { "s" };
        format!("cpu: {machine} kernels, {n} thread{s}{cache}")
    }

    fn upload(&self, shape: &[usize], dtype: DType, bytes: HostBytes) -> Result<Storage> {
        Ok(Storage::new(Numbers::from_bytes(shape, dtype, bytes)))
    }

    fn zeros(&self, shape: &[usize]) -> Result<Storage> {
        let n_elements = n_elements(shape)?;
        let no_memory = |_| Error::Device {
            device: self.name().to_owned(),
            message: format!("no memory for {shape:?} f32 values ({n_elements} x 4 bytes)"),
        };
        // Ask first, so that too much is an error and not an abort. `vec!` then gets zeroed pages,
        // which take no memory until they are written.
        Vec::<f32>::new()
            .try_reserve_exact(n_elements)
            .map_err(no_memory)?;
        Ok(Storage::new(Numbers::Own(vec![0.0; n_elements])))
    }

    fn cache(&self, shape: &[usize]) -> Result<(DType, Storage)> {
        if !self.half_cache {
            return Ok((DType::F32, self.zeros(shape)?));
        }
        let n_elements = n_elements(shape)?;
        Vec::<u16>::new()
            .try_reserve_exact(n_elements)
            .map_err(|_| Error::Device {
                device: self.name().to_owned(),
                message: format!(
                    "no memory for a cache of {shape:?} f16 values ({n_elements} x 2 bytes)"
                ),
            })?;
        Ok((DType::F16, Storage::new(Numbers::Half(vec![0; n_elements]))))
    }

    fn download(&self, tensor: &Tensor) -> Result<Vec<f32>> {
        numbers(tensor)?.to_f32(tensor.dtype(), tensor.n_elements())
    }

    fn embed(&self, table: &Tensor, ids: &[u32]) -> Result<Tensor> {
        let (_, width) = matrix_shape(table);
        let mut out = self.take(ids.len() * width);
        let weight = weight(table)?;
        for (&id, out) in ids.iter().zip(out.chunks_exact_mut(width.max(1))) {
            let row = id as usize;
            match &weight {
                Weight::Panels(panels) => {
                    gollm_tensor::dequantize(&panels.row(row), table.dtype(), out)?;
                }
                Weight::Rows(rows) => {
                    let n_bytes = rows.dtype.n_bytes(&[width])?;
                    let row = &rows.bytes[row * n_bytes..(row + 1) * n_bytes];
                    gollm_tensor::dequantize(row, rows.dtype, out)?;
                }
            }
        }
        Ok(result(table, &[ids.len(), width], out))
    }

    fn rms_norm(&self, x: &Tensor, weight: &Tensor, eps: f32) -> Result<Tensor> {
        Ok(result(x, x.shape(), self.normalized(x, weight, eps)?))
    }

    fn matmul(&self, x: &Tensor, weight: &Tensor) -> Result<Tensor> {
        let (n_tokens, n_in) = (x.shape()[0], x.shape()[1]);
        let n_out = matrix_shape(weight).0;
        let mut outs = self.products(values(x)?, n_in, &[weight])?;
        let out = outs.pop().unwrap_or_else(|| self.take(0));
        Ok(result(x, &[n_tokens, n_out], out))
    }

    fn rope(&self, x: &Tensor, table: &RopeTable, places: &[Place]) -> Result<Tensor> {
        Ok(result(x, x.shape(), self.rotated(x, table, places)?))
    }

    fn write_rows(&self, cache: &mut Tensor, rows: &Tensor, places: &[Place]) -> Result<()> {
        write(cache, "cache", values(rows)?, places)
    }

    fn attention(
        &self,
        q: &Tensor,
        keys: &Tensor,
        values_: &Tensor,
        places: &[Place],
        head_dim: usize,
    ) -> Result<Tensor> {
        let width = matrix_shape(q).1;
        let out = self.attend(values(q)?, width, [keys, values_], places, head_dim)?;
        Ok(result(q, q.shape(), out))
    }

    fn swiglu(&self, gate: &Tensor, up: &Tensor) -> Result<Tensor> {
        let shape = gate.shape();
        let (gate_values, up) = (values(gate)?, values(up)?);
        let mut out = self.take(up.len());
        self.elementwise(&mut out, |range, out| {
            self.run(Swiglu {
                gate: &gate_values[range.clone()],
                up: &up[range],
                out,
            });
        });
        Ok(result(gate, shape, out))
    }

    fn add(&self, a: &Tensor, b: &Tensor) -> Result<Tensor> {
        let shape = a.shape();
        let (a_values, b) = (values(a)?, values(b)?);
        let mut out = self.take(b.len());
        self.elementwise(&mut out, |range, out| {
            self.run(Add {
                a: &a_values[range.clone()],
                b: &b[range],
                out,
            });
        });
        Ok(result(a, shape, out))
    }

    fn softmax(&self, x: &Tensor) -> Result<Tensor> {
        let width = matrix_shape(x).1;
        let values = values(x)?;
        let mut out = self.take(values.len());
        self.rowwise(&mut out, width, |range, out| {
            self.run(Softmax {
                x: &values[range],
                width,
                out,
            });
        });
        Ok(result(x, x.shape(), out))
    }

    fn norm_matmul(
        &self,
        x: &Tensor,
        norm: &Tensor,
        eps: f32,
        weights: &[&Tensor],
    ) -> Result<Vec<Tensor>> {
        let (n_tokens, n_in) = (x.shape()[0], x.shape()[1]);
        let normalized = self.normalized(x, norm, eps)?;
        let outs = self.products(&normalized, n_in, weights)?;
        let tensors = outs.into_iter().zip(weights).map(|(out, weight)| {
            let n_out = matrix_shape(weight).0;
            result(x, &[n_tokens, n_out], out)
        });
        Ok(tensors.collect())
    }

    fn cached_attention(
        &self,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        cache: CachedAttention<'_>,
    ) -> Result<Tensor> {
        let (places, width) = (cache.places, matrix_shape(q).1);
        let rotated_q = self.rotated(q, cache.rope, places)?;
        let rotated_k = self.rotated(k, cache.rope, places)?;
        write(cache.keys, "keys", &rotated_k, places)?;
        write(cache.values, "values", values(v)?, places)?;
        let caches = [&*cache.keys, &*cache.values];
        let out = self.attend(&rotated_q, width, caches, places, cache.head_dim)?;
        Ok(result(q, q.shape(), out))
    }

    fn feed_forward(
        &self,
        x: &Tensor,
        norm: &Tensor,
        eps: f32,
        [gate, up, down]: [&Tensor; 3],
    ) -> Result<Tensor> {
        let (n_tokens, n_in) = (x.shape()[0], x.shape()[1]);
        let (hidden_dim, n_out) = (matrix_shape(gate).0, matrix_shape(down).0);
        let normalized = self.normalized(x, norm, eps)?;
        let opened = self.products(&normalized, n_in, &[gate, up])?;
        let mut hidden = self.take(n_tokens * hidden_dim);
        self.elementwise(&mut hidden, |range, out| {
            self.run(Swiglu {
                gate: &opened[0][range.clone()],
                up: &opened[1][range],
                out,
            });
        });
        drop(opened);
        let mut outs = self.products(&hidden, hidden_dim, &[down])?;
        let out = outs.pop().unwrap_or_else(|| self.take(0));
        Ok(result(x, &[n_tokens, n_out], out))
    }
}

impl Cpu {
    /// Runs `kernel` on ranges of numbers that need not know where rows end.
    fn elementwise<'a>(
        &self,
        out: &'a mut [f32],
        kernel: impl Fn(std::ops::Range<usize>, &'a mut [f32]) + Sync,
    ) {
        /// Numbers in a piece: enough to be worth handing out.
        const PIECE: usize = 4096;
        let (len, shared) = (out.len(), Shared::new(out));
        self.for_each(len.div_ceil(PIECE), PIECE, |pieces| {
            let range = pieces.start * PIECE..(pieces.end * PIECE).min(len);
            // SAFETY: the threads of a region work on different pieces.
            let out = unsafe { shared.part(range.start, range.len()) };
            kernel(range, out);
        });
    }
}

/// `cache[sequence_t, position_t] = rows_t`.
fn write(cache: &mut Tensor, name: &'static str, rows: &[f32], places: &[Place]) -> Result<()> {
    let (context_length, width) = (cache.shape()[1], cache.shape()[2]);
    let mut cache = cache_mut(cache, name)?;
    for (row, place) in rows.chunks_exact(width.max(1)).zip(places) {
        let start = (place.sequence * context_length + place.position) * width;
        match &mut cache {
            CacheMut::F32(cache) => cache[start..start + width].copy_from_slice(row),
            CacheMut::F16(cache) => {
                for (to, from) in cache[start..start + width].iter_mut().zip(row) {
                    *to = half::f16::from_f32(*from).to_bits().to_le();
                }
            }
        }
    }
    Ok(())
}
