//! Chooses the kernel for a product and deals out its work.
//!
//! | weight | tokens | kernel | one piece of work |
//! |---|---|---|---|
//! | f32, f16, bf16 | up to 8 | `dot` | 16 rows |
//! | f32, f16, bf16 | more | `gemm` | one panel of the register tile |
//! | q8_0, q4_0 | any | `quantized` | one panel of 16 rows, repacked at upload or here |
//!
//! What a kernel wants done to the activations first (packing, rounding to 8 bits) is done once for
//! all weights that they meet.

use std::ops::Range;
use std::sync::Mutex;

use crate::buffers::{Buffer, Buffers, try_lock};
use crate::kernels::activations::{Activations, Quantize};
use crate::kernels::dot::{self, Dots};
use crate::kernels::gemm::{PackTokens, PackedProducts, TileSize};
use crate::kernels::quantized::{PanelProducts, QuantizedWeight};
use crate::kernels::rows::Rows;
use crate::memory::Weight;
use crate::simd::{Isa, LANES};
use crate::threads::{Pool, Shared};

/// Below this many multiply-adds a product is done before a second thread has begun.
const WORTH_THREADS: usize = 1 << 14;

/// Executor of kernels: instruction set, threads and reusable buffers.
#[derive(Debug)]
pub(crate) struct Executor {
    pub(crate) isa: Isa,
    pub(crate) pool: Pool,
    pub(crate) buffers: Buffers,
    rounded: Mutex<Vec<Activations>>,
}

/// Memory for rounded activations, which returns to its executor.
struct Lent<'a> {
    activations: Activations,
    home: &'a Mutex<Vec<Activations>>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(mut kept) = try_lock(self.home)
            && kept.len() < 2
        {
            kept.push(std::mem::take(&mut self.activations));
        }
    }
}

/// One weight and where its product goes.
pub(crate) struct Product<'a> {
    pub(crate) weight: Weight<'a>,
    /// `[n_tokens, n_out]`.
    pub(crate) out: &'a mut [f32],
}

impl Executor {
    pub(crate) fn new(isa: Isa, pool: Pool) -> Self {
        Self {
            isa,
            pool,
            buffers: Buffers::default(),
            rounded: Mutex::default(),
        }
    }

    /// `out_t = x_t · weightᵀ` for several weights, in one go.
    ///
    /// `x` is `[n_tokens, n_in]`, and every weight has `n_in` columns.
    pub(crate) fn products(&self, x: &[f32], n_in: usize, products: &mut [Product<'_>]) {
        let n_tokens = x.len().checked_div(n_in).unwrap_or(0);
        if n_tokens == 0 {
            return;
        }
        let any = |quantized: bool| {
            let is = |p: &Product<'_>| matches!(p.weight, Weight::Quantized(_)) == quantized;
            products.iter().any(is)
        };
        let packed = (any(false) && n_tokens > dot::MOST_TOKENS).then(|| self.pack(x, n_in));
        let mut rounded = self.lend();
        if any(true) {
            self.round(x, n_in, &mut rounded.activations);
        }
        let tasks: Vec<Pieces<'_>> = products
            .iter_mut()
            .map(|product| {
                let kernel = match (&product.weight, &packed) {
                    (Weight::Rows(weight), None) => Kernel::Dots(*weight, x),
                    (Weight::Rows(weight), Some(packed)) => {
                        Kernel::Packed(*weight, packed, n_tokens)
                    }
                    (Weight::Quantized(weight), _) => Kernel::Panels(*weight, &rounded.activations),
                };
                Pieces::new(self.isa, kernel, product.out)
            })
            .collect();
        self.deal_out(&tasks, n_in * n_tokens);
    }

    /// Runs all pieces of all tasks, `work` multiply-adds for each output of one.
    fn deal_out(&self, tasks: &[Pieces<'_>], work: usize) {
        let n_pieces: usize = tasks.iter().map(|task| task.n_pieces).sum();
        let n_outputs: usize = tasks.iter().map(|task| task.n_outputs).sum();
        let grain = self.grain(n_pieces, work * n_outputs);
        self.pool.for_each(n_pieces, grain, |range| {
            let mut first = 0;
            for task in tasks {
                let start = range.start.clamp(first, first + task.n_pieces) - first;
                let end = range.end.clamp(first, first + task.n_pieces) - first;
                if start < end {
                    task.run(self.isa, start..end);
                }
                first += task.n_pieces;
            }
        });
    }

    /// The fewest pieces that are worth a thread's while; all of them where it is not worth waking
    /// anyone.
    pub(crate) fn grain(&self, n_pieces: usize, multiply_adds: usize) -> usize {
        (n_pieces * WORTH_THREADS).div_ceil(multiply_adds.max(1))
    }

    /// The activations in tiles.
    fn pack(&self, x: &[f32], n_in: usize) -> Buffer {
        let (size, n_tokens) = (TileSize::of(self.isa), x.len() / n_in);
        let mut packed = self.buffers.take(size.packed_len(n_tokens, n_in));
        let shared = Shared::new(&mut packed);
        let n_tiles = n_tokens.div_ceil(size.tokens);
        let grain = self.grain(n_tiles, x.len());
        self.pool.for_each(n_tiles, grain, |range| {
            self.isa.run(PackTokens {
                x,
                n_columns: n_in,
                packed: shared,
                range,
            });
        });
        packed
    }

    /// The activations in 8 bits.
    fn round(&self, x: &[f32], n_in: usize, rounded: &mut Activations) {
        let n_tokens = x.len() / n_in;
        rounded.resize(n_tokens, n_in);
        let out = rounded.shared();
        let grain = self.grain(n_tokens, x.len());
        self.pool.for_each(n_tokens, grain, |tokens| {
            self.isa.run(Quantize {
                x,
                n_in,
                out,
                tokens,
            });
        });
    }

    fn lend(&self) -> Lent<'_> {
        let kept = try_lock(&self.rounded).and_then(|mut kept| kept.pop());
        Lent {
            activations: kept.unwrap_or_default(),
            home: &self.rounded,
        }
    }
}

/// A kernel with its weight and the activations as it wants them.
enum Kernel<'a> {
    Dots(Rows<'a>, &'a [f32]),
    /// And how many tokens were packed.
    Packed(Rows<'a>, &'a [f32], usize),
    Panels(QuantizedWeight<'a>, &'a Activations),
}

/// A product cut into pieces of work.
struct Pieces<'a> {
    kernel: Kernel<'a>,
    out: Shared<'a, f32>,
    n_outputs: usize,
    n_pieces: usize,
    /// Outputs of a piece.
    width: usize,
}

impl<'a> Pieces<'a> {
    fn new(isa: Isa, kernel: Kernel<'a>, out: &'a mut [f32]) -> Self {
        let (n_outputs, width) = match kernel {
            Kernel::Dots(weight, _) => (weight.n_rows, LANES),
            Kernel::Packed(weight, ..) => (weight.n_rows, TileSize::of(isa).outputs),
            Kernel::Panels(weight, _) => (weight.n_rows(), LANES),
        };
        Self {
            kernel,
            out: Shared::new(out),
            n_outputs,
            n_pieces: n_outputs.div_ceil(width),
            width,
        }
    }

    /// Runs some pieces. Each writes its own columns of `out`, so threads never meet.
    fn run(&self, isa: Isa, range: Range<usize>) {
        let out = self.out;
        match self.kernel {
            Kernel::Dots(weight, x) => isa.run(Dots {
                weight,
                x,
                out,
                range: range.start * self.width..(range.end * self.width).min(self.n_outputs),
            }),
            Kernel::Packed(weight, packed, n_tokens) => isa.run(PackedProducts {
                weight,
                packed,
                n_tokens,
                out,
                range,
            }),
            Kernel::Panels(weight, x) => isa.run(PanelProducts {
                weight,
                x,
                out,
                range,
            }),
        }
    }
}
