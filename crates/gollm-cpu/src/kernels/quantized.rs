//! Products with 8- and 4-bit weights, in integers.
//!
//! The activations of a token are quantized too, to 8 bits in blocks of 32 with one scale each.
//! Then a block of a row and a block of a token is a sum of 32 products of small integers, which
//! processors do four at a time and exactly, times two scales. The panels (`panels.rs`) put 16 rows
//! side by side, so a vector of 16 sums needs no adding up across lanes, and one load of weights
//! serves up to eight tokens.
//!
//! What it costs: rounding an activation moves it by at most 1/254 of the largest in its block.

use std::cell::RefCell;
use std::ops::Range;

use super::activations::{Activations, WORDS, tile_len};
use crate::blocks::{Blocks, Quantized};
use crate::panels::{Panel, Panels};
use crate::simd::{LANES, Simd, Task};
use crate::threads::Shared;

/// `out[t, o] = x_t · weight_o` for all tokens and the rows `o` of some panels.
pub(crate) struct PanelProducts<'a> {
    pub(crate) weight: QuantizedWeight<'a>,
    pub(crate) x: &'a Activations,
    /// `[n_tokens, n_rows]`; only columns of the panels in `range` are written.
    pub(crate) out: Shared<'a, f32>,
    /// Which panels.
    pub(crate) range: Range<usize>,
}

/// A q8_0 or q4_0 matrix in one of two forms.
#[derive(Clone, Copy)]
pub(crate) enum QuantizedWeight<'a> {
    /// Repacked when it was uploaded.
    Panels(&'a Panels),
    /// As it lies in the file: a thread repacks each panel just before it uses it.
    Blocks(Blocks<'a>),
}

impl QuantizedWeight<'_> {
    pub(crate) fn n_rows(self) -> usize {
        match self {
            Self::Panels(panels) => panels.n_rows(),
            Self::Blocks(blocks) => blocks.n_rows,
        }
    }
}

thread_local! {
    /// The panel in use, of weights that are read where they lie.
    static PANEL: RefCell<Panels> = RefCell::default();
}

impl Task for PanelProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let n_rows = self.weight.n_rows();
        match self.weight {
            QuantizedWeight::Panels(panels) => {
                for index in self.range {
                    let panel = panels.panel(index);
                    all_tokens(simd, panel, self.x, self.out, index * LANES, n_rows);
                }
            }
            QuantizedWeight::Blocks(blocks) => {
                // Taken and put back: a closure around the work would keep it from being inlined.
                let mut scratch = PANEL.take();
                for index in self.range {
                    scratch.repack(blocks, index * LANES);
                    all_tokens(
                        simd,
                        scratch.panel(0),
                        self.x,
                        self.out,
                        index * LANES,
                        n_rows,
                    );
                }
                PANEL.set(scratch);
            }
        }
    }
}

/// One panel times all tokens.
#[inline(always)]
fn all_tokens<S: Simd>(
    simd: S,
    panel: Panel<'_>,
    x: &Activations,
    out: Shared<'_, f32>,
    first_row: usize,
    n_rows: usize,
) {
    assert!(x.n_blocks == panel.n_blocks);
    let mut token = 0;
    while token < x.n_tokens {
        let n = tile_len::<S>(token, x.n_tokens);
        let to = Columns {
            out,
            first: token * n_rows + first_row,
            n: LANES.min(n_rows - first_row),
            stride: n_rows,
        };
        match n {
            8 => tile::<S, 8>(simd, panel, x, token, to),
            4 => tile::<S, 4>(simd, panel, x, token, to),
            2 => tile::<S, 2>(simd, panel, x, token, to),
            _ => tile::<S, 1>(simd, panel, x, token, to),
        }
        token += n;
    }
}

/// Where the outputs of a tile go: `n` numbers of each token, `stride` apart.
#[derive(Clone, Copy)]
struct Columns<'a> {
    out: Shared<'a, f32>,
    first: usize,
    n: usize,
    stride: usize,
}

/// One panel times `N` tokens.
#[inline(always)]
fn tile<S: Simd, const N: usize>(
    simd: S,
    panel: Panel<'_>,
    x: &Activations,
    token: usize,
    to: Columns<'_>,
) {
    let Panel {
        type_,
        n_blocks,
        lines,
        scales,
    } = panel;
    let block_bytes = type_.lines() * 64;
    assert!(lines.len() == n_blocks * block_bytes && scales.len() >= n_blocks * 2 * LANES);
    let words = &x.words[token * n_blocks * WORDS..(token + N) * n_blocks * WORDS];
    let shifts = if type_ == Quantized::Q8_0 { 9 } else { 10 };
    let mut totals = [simd.splat(0.0); N];
    for block in 0..n_blocks {
        // SAFETY: a block is `block_bytes` of `lines`, its scales 32 bytes of `scales` (asserted
        // above), and `WORDS` words for each of `N` tokens.
        unsafe {
            let x = words.as_ptr().add(block * N * WORDS).cast::<i32>();
            let lines = lines.as_ptr().add(block * block_bytes);
            // Σ (w + z) · a − z · Σ a = Σ w · a.
            let mut sums = [simd.splat_i32(0); N];
            for t in 0..N {
                sums[t] = simd.splat_i32(*x.add(shifts * N + t));
            }
            if type_ == Quantized::Q8_0 {
                for c in 0..8 {
                    let weights = simd.load_u8(lines.add(64 * c));
                    for t in 0..N {
                        sums[t] = simd.dot4(sums[t], weights, *x.add(c * N + t));
                    }
                }
            } else {
                for c in 0..4 {
                    let (low, high) = simd.nibbles(simd.load_u8(lines.add(64 * c)));
                    for t in 0..N {
                        sums[t] = simd.dot4(sums[t], low, *x.add(c * N + t));
                        sums[t] = simd.dot4(sums[t], high, *x.add((c + 4) * N + t));
                    }
                }
            }
            let scale = simd.load_f16(scales.as_ptr().add(block * 2 * LANES));
            for t in 0..N {
                let scale = simd.mul(scale, simd.splat(*x.add(8 * N + t).cast::<f32>()));
                totals[t] = simd.fma(simd.to_f32(sums[t]), scale, totals[t]);
            }
        }
    }
    for t in 0..N {
        let mut values = [0.0f32; LANES];
        // SAFETY: an array of 16; the rows of a panel are in this thread's range of panels.
        unsafe {
            simd.store(values.as_mut_ptr(), totals[t]);
            to.out
                .write_slice(to.first + t * to.stride, &values[..to.n]);
        }
    }
}
