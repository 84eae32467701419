//! Chooses the kernel for a product and deals out its work.
//!
//! | weight | tokens | kernel | one piece of work |
//! |---|---|---|---|
//! | f32, f16, bf16 | up to 8 | `dot` | 16 rows |
//! | f32, f16, bf16 | more | `gemm` | one panel of the register tile |
//! | q8_0, q4_0 | any | `quantized` | one panel of 16 rows |
//!
//! What a kernel wants done to the activations first (packing, rounding to 8 bits) is done once for
//! all weights that they meet.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use crate::buffers::{Buffer, Buffers};
use crate::kernels::dot::{self, Dots};
use crate::kernels::gemm::{PackTokens, PackedProducts, TileSize};
use crate::kernels::quantized::{Activations, PanelProducts, Quantize};
use crate::memory::Weight;
use crate::simd::{LANES, Machine};
use crate::threads::{Pool, Shared};

/// Below this many multiply-adds a product is done before a second thread has begun.
const WORTH_THREADS: usize = 1 << 14;

/// Everything that runs kernels.
#[derive(Debug)]
pub(crate) struct Workshop {
    pub(crate) machine: Machine,
    pub(crate) pool: Pool,
    pub(crate) buffers: Buffers,
    rounded: Mutex<Vec<Activations>>,
}

/// Activations as a kernel wants them.
enum Prepared<'a> {
    /// As they are.
    Plain,
    /// In tiles.
    Packed(Buffer),
    /// In 8 bits; goes back to the workshop afterwards.
    Rounded(Lent<'a>),
}

/// Room for rounded activations, which returns to its workshop.
struct Lent<'a> {
    activations: Activations,
    home: &'a Mutex<Vec<Activations>>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut kept = self.home.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < 2 {
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

impl Workshop {
    pub(crate) fn new(machine: Machine, pool: Pool) -> Self {
        Self {
            machine,
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
        let quantized = |p: &Product<'_>| matches!(p.weight, Weight::Panels(_));
        let rows = products.iter().any(|p| !quantized(p));
        let plain = if rows {
            self.prepare_rows(x, n_in, n_tokens)
        } else {
            Prepared::Plain
        };
        let rounded = products
            .iter()
            .any(quantized)
            .then(|| self.prepare_panels(x, n_in, n_tokens));
        let tasks: Vec<Piece<'_>> = products
            .iter_mut()
            .map(|product| {
                let x = match (&product.weight, &rounded) {
                    (Weight::Panels(_), Some(rounded)) => rounded,
                    _ => &plain,
                };
                Piece::new(self.machine, product, x, n_tokens)
            })
            .collect();
        self.deal_out(&tasks, n_in * n_tokens, |task, range| {
            task.run(self.machine, x, range);
        });
    }

    /// Runs all pieces of all tasks, `work` multiply-adds for each output of one.
    fn deal_out(
        &self,
        tasks: &[Piece<'_>],
        work: usize,
        run: impl Fn(&Piece<'_>, Range<usize>) + Sync,
    ) {
        let n_pieces: usize = tasks.iter().map(|task| task.n_pieces).sum();
        let n_outputs: usize = tasks.iter().map(|task| task.n_outputs).sum();
        let run_range = |range: Range<usize>| {
            let mut first = 0;
            for task in tasks {
                let start = range.start.clamp(first, first + task.n_pieces) - first;
                let end = range.end.clamp(first, first + task.n_pieces) - first;
                if start < end {
                    run(task, start..end);
                }
                first += task.n_pieces;
            }
        };
        self.pool
            .for_each(n_pieces, self.grain(n_pieces, work * n_outputs), run_range);
    }

    /// Pieces that a thread takes at a time: a few times for each thread, so that a slow one does not
    /// keep the others waiting, or all where it is not worth waking anyone.
    pub(crate) fn grain(&self, n_pieces: usize, multiply_adds: usize) -> usize {
        if multiply_adds < WORTH_THREADS {
            return n_pieces;
        }
        n_pieces.div_ceil(4 * self.pool.n_threads())
    }

    fn prepare_rows(&self, x: &[f32], n_in: usize, n_tokens: usize) -> Prepared<'_> {
        if n_tokens <= dot::MOST_TOKENS {
            return Prepared::Plain;
        }
        let size = TileSize::of(self.machine);
        let mut packed = self.buffers.take(size.packed_len(n_tokens, n_in));
        let shared = Shared::new(&mut packed);
        let n_tiles = n_tokens.div_ceil(size.tokens);
        self.pool
            .for_each(n_tiles, self.grain(n_tiles, x.len()), |range| {
                self.machine.run(PackTokens {
                    x,
                    n_columns: n_in,
                    packed: shared,
                    range,
                });
            });
        Prepared::Packed(packed)
    }

    fn prepare_panels(&self, x: &[f32], n_in: usize, n_tokens: usize) -> Prepared<'_> {
        let mut kept = self.rounded.lock().unwrap_or_else(PoisonError::into_inner);
        let mut activations = kept.pop().unwrap_or_default();
        drop(kept);
        activations.resize(n_tokens, n_in);
        let out = activations.shared();
        self.pool
            .for_each(n_tokens, self.grain(n_tokens, x.len()), |tokens| {
                self.machine.run(Quantize {
                    x,
                    n_in,
                    out,
                    tokens,
                });
            });
        Prepared::Rounded(Lent {
            activations,
            home: &self.rounded,
        })
    }
}

/// A product that is ready to be dealt out.
struct Piece<'a> {
    weight: &'a Weight<'a>,
    x: &'a Prepared<'a>,
    out: Shared<'a, f32>,
    n_tokens: usize,
    n_outputs: usize,
    n_pieces: usize,
    /// Outputs of a piece.
    width: usize,
}

impl<'a> Piece<'a> {
    fn new(
        machine: Machine,
        product: &'a mut Product<'_>,
        x: &'a Prepared<'a>,
        n_tokens: usize,
    ) -> Self {
        let (n_outputs, width) = match (&product.weight, x) {
            (Weight::Rows(rows), Prepared::Packed(_)) => {
                (rows.n_rows, TileSize::of(machine).outputs)
            }
            (Weight::Rows(rows), _) => (rows.n_rows, LANES),
            (Weight::Panels(panels), _) => (panels.n_rows(), LANES),
        };
        Self {
            weight: &product.weight,
            x,
            out: Shared::new(product.out),
            n_tokens,
            n_outputs,
            n_pieces: n_outputs.div_ceil(width),
            width,
        }
    }

    /// Runs some pieces. Each writes its own columns of `out`, so threads never meet.
    fn run(&self, machine: Machine, x: &[f32], range: Range<usize>) {
        match (self.weight, self.x) {
            (Weight::Rows(weight), Prepared::Packed(packed)) => machine.run(PackedProducts {
                weight: *weight,
                packed,
                n_tokens: self.n_tokens,
                out: self.out,
                range,
            }),
            (Weight::Rows(weight), _) => machine.run(Dots {
                weight: *weight,
                x,
                out: self.out,
                range: range.start * self.width..(range.end * self.width).min(self.n_outputs),
            }),
            (Weight::Panels(weight), Prepared::Rounded(lent)) => machine.run(PanelProducts {
                weight,
                x: &lent.activations,
                out: self.out,
                range,
            }),
            // `products` rounds the activations whenever one weight is in panels.
            (Weight::Panels(_), _) => {}
        }
    }
}
