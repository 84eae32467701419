//! CPU backend: [`Cpu`] holds threads, kernels and buffers, and the steps of its operations.

use std::ops::Range;

use gollm_tensor::{Error, Place, Result, RopeTable, Tensor};

use crate::buffers::Buffer;
use crate::kernels::attention::{self, Attention, Sizes};
use crate::kernels::elementwise::{RmsNorm, Rope};
use crate::memory::{cache_bytes, matrix_shape, values, weight};
use crate::memory_budget::MemoryBudget;
use crate::product::{Executor, Product};
use crate::simd::{Isa, Task};
use crate::threads::{Pool, Shared, physical_cores};

/// The fast CPU backend.
///
/// Weights of f32, f16 and bf16 are read where they lie, in a mapped file for example. Matrices of
/// q8_0 and q4_0 are repacked when they are uploaded, as long as there is memory for it
/// ([`Cpu::with_memory_budget`]), and their products round the activations to 8 bits (see
/// `kernels/quantized.rs` for what that costs).
#[derive(Debug)]
pub struct Cpu {
    pub(crate) executor: Executor,
    /// For repacked weights.
    pub(crate) budget: MemoryBudget,
    /// Whether caches hold f16 numbers.
    pub(crate) half_cache: bool,
}

impl Cpu {
    /// A backend with `n_threads` threads (0: one for each physical core) and the best kernels that
    /// this processor can run.
    ///
    /// # Errors
    ///
    /// If the system has no more threads.
    pub fn new(n_threads: usize) -> Result<Self> {
        Self::with_isa(n_threads, Isa::detect())
    }

    /// As [`Cpu::new`], with kernels of the caller's choice.
    ///
    /// # Errors
    ///
    /// As [`Cpu::new`].
    pub fn with_isa(n_threads: usize, isa: Isa) -> Result<Self> {
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
            executor: Executor::new(isa, pool),
            budget: MemoryBudget::default(),
            half_cache: false,
        })
    }

    /// Repacks at most `n_bytes` of q8_0 and q4_0 weights, instead of three quarters of the memory
    /// that is free.
    ///
    /// Weights beyond that are read where they lie, and each panel of 16 rows is repacked every
    /// time it is used: slower, but a model that is larger than memory runs from its mapped file.
    #[must_use]
    pub fn with_memory_budget(self, n_bytes: usize) -> Self {
        Self {
            budget: MemoryBudget::of(n_bytes),
            ..self
        }
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
        self.executor.pool.n_threads()
    }

    /// The vector instructions in use.
    #[must_use]
    pub fn isa(&self) -> Isa {
        self.executor.isa
    }

    pub(crate) fn take(&self, n: usize) -> Buffer {
        self.executor.buffers.take(n)
    }

    pub(crate) fn run<T: Task>(&self, task: T) -> T::Output {
        self.executor.isa.run(task)
    }

    /// Deals out `0..n`, each worth `work` multiply-adds.
    pub(crate) fn for_each(&self, n: usize, work: usize, f: impl Fn(Range<usize>) + Sync) {
        let grain = self.executor.grain(n, n * work);
        self.executor.pool.for_each(n, grain, f);
    }

    /// Runs `kernel` on pieces of `out` of `len` numbers (a row, for kernels that need whole ones),
    /// several at a time.
    pub(crate) fn in_pieces<'a>(
        &self,
        out: &'a mut [f32],
        len: usize,
        kernel: impl Fn(Range<usize>, &'a mut [f32]) + Sync,
    ) {
        let (len, total) = (len.max(1), out.len());
        let shared = Shared::new(out);
        self.for_each(total.div_ceil(len), len, |pieces| {
            let range = pieces.start * len..(pieces.end * len).min(total);
            // SAFETY: the threads of a region work on different pieces.
            let out = unsafe { shared.part(range.start, range.len()) };
            kernel(range, out);
        });
    }

    pub(crate) fn normalized(&self, x: &Tensor, norm: &Tensor, eps: f32) -> Result<Buffer> {
        let (x, weight) = (values(x)?, values(norm)?);
        let mut out = self.take(x.len());
        self.in_pieces(&mut out, weight.len(), |range, out| {
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
    pub(crate) fn products(
        &self,
        x: &[f32],
        n_in: usize,
        weights: &[&Tensor],
    ) -> Result<Vec<Buffer>> {
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
        self.executor.products(x, n_in, &mut products);
        drop(products);
        Ok(outs)
    }

    pub(crate) fn rotated(
        &self,
        x: &Tensor,
        table: &RopeTable,
        places: &[Place],
    ) -> Result<Buffer> {
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
    pub(crate) fn attend(
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
        let tiles = &*attention::tiles(places);
        let longest = places
            .iter()
            .map(|place| place.position + 1)
            .max()
            .unwrap_or(0);
        let n_pieces = tiles.len() * sizes.n_kv_heads;
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
