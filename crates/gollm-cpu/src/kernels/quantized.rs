//! Products with 8- and 4-bit weights, in integers.
//!
//! The activations of a token are quantized too, to 8 bits in blocks of 32 with one scale each. Then a
//! block of a row and a block of a token is a sum of 32 products of small integers, which processors
//! do four at a time and exactly, times two scales. The panels (`panels.rs`) put 16 rows side by side,
//! so a vector of 16 sums needs no adding up across lanes, and one load of weights serves up to eight
//! tokens.
//!
//! What it costs: rounding an activation moves it by at most 1/254 of the largest in its block.

use std::ops::Range;

use crate::panels::{BLOCK, Panels};
use crate::simd::{LANES, Simd, Task};
use crate::threads::Shared;

/// Activations rounded to 8 bits.
#[derive(Debug, Default)]
pub(crate) struct Activations {
    /// `[n_tokens, n_in]`.
    quants: Vec<i8>,
    /// What a quant is multiplied by, `[n_tokens, n_in / 32]`.
    scales: Vec<f32>,
    /// The sum of each block's quants, `[n_tokens, n_in / 32]`.
    sums: Vec<i32>,
}

impl Activations {
    /// Makes room for `n_tokens` rows of `n_in`, a multiple of 32.
    pub(crate) fn resize(&mut self, n_tokens: usize, n_in: usize) {
        self.quants.resize(n_tokens * n_in, 0);
        self.scales.resize(n_tokens * n_in / BLOCK, 0.0);
        self.sums.resize(n_tokens * n_in / BLOCK, 0);
    }

    /// The three parts, for writing a range of blocks from each of several threads.
    pub(crate) fn shared(&mut self) -> SharedActivations<'_> {
        SharedActivations {
            quants: Shared::new(&mut self.quants),
            scales: Shared::new(&mut self.scales),
            sums: Shared::new(&mut self.sums),
        }
    }
}

/// [`Activations`] that several threads fill.
#[derive(Clone, Copy)]
pub(crate) struct SharedActivations<'a> {
    quants: Shared<'a, i8>,
    scales: Shared<'a, f32>,
    sums: Shared<'a, i32>,
}

/// Rounds some blocks of activations.
pub(crate) struct Quantize<'a> {
    /// All activations.
    pub(crate) x: &'a [f32],
    pub(crate) out: SharedActivations<'a>,
    /// Which blocks of 32 of `x`, counted through all tokens.
    pub(crate) blocks: Range<usize>,
}

impl Task for Quantize<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _simd: S) {
        // Plain Rust: inside a function with the machine's features the compiler makes vectors of it.
        for block in self.blocks {
            let x = &self.x[block * BLOCK..(block + 1) * BLOCK];
            let mut largest = [0.0f32; LANES];
            for half in x.chunks_exact(LANES) {
                for (largest, v) in largest.iter_mut().zip(half) {
                    *largest = if v.abs() > *largest {
                        v.abs()
                    } else {
                        *largest
                    };
                }
            }
            let largest = largest.into_iter().fold(0.0f32, f32::max);
            // A block of zeros, and one with an infinity or a NaN, which the scale then carries on.
            let inverse = if largest > 0.0 { 127.0 / largest } else { 0.0 };
            let mut sum = 0;
            let mut quants = [0i8; BLOCK];
            for (q, v) in quants.iter_mut().zip(x) {
                // 1.5 · 2^23 pushes the fraction out of the mantissa, which rounds to the nearest whole
                // number and leaves that in the lowest bits.
                *q = (v * inverse + 12_582_912.0).to_bits() as u8 as i8;
                sum += i32::from(*q);
            }
            let nan = x.iter().any(|v| v.is_nan());
            let scale = if nan { f32::NAN } else { largest / 127.0 };
            self.out.quants.write_slice(block * BLOCK, &quants);
            self.out.scales.write(block, scale);
            self.out.sums.write(block, sum);
        }
    }
}

/// `out[t, o] = x_t · weight_o` for all tokens and the rows `o` of some panels.
pub(crate) struct PanelProducts<'a> {
    pub(crate) weight: &'a Panels,
    pub(crate) x: &'a Activations,
    /// `[n_tokens, n_rows]`; only columns of the panels in `range` are written.
    pub(crate) out: Shared<'a, f32>,
    /// Which panels.
    pub(crate) range: Range<usize>,
}

impl Task for PanelProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let n_blocks = self.weight.n_blocks();
        let n_tokens = self.x.scales.len().checked_div(n_blocks).unwrap_or(0);
        for panel in self.range.clone() {
            let mut token = 0;
            while token < n_tokens {
                let most = S::QUANTIZED_TOKENS.min(n_tokens - token);
                token += match most {
                    8.. => tile::<S, 8>(simd, &self, panel, token),
                    4.. => tile::<S, 4>(simd, &self, panel, token),
                    2.. => tile::<S, 2>(simd, &self, panel, token),
                    _ => tile::<S, 1>(simd, &self, panel, token),
                };
            }
        }
    }
}

/// Four quants of a block, the `c`-th of eight times four.
///
/// # Safety
///
/// The block must be readable.
#[inline(always)]
unsafe fn four(quants: *const i8, block: usize, c: usize) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        quants
            .add(block * BLOCK + 4 * c)
            .cast::<i32>()
            .read_unaligned()
    }
}

/// One panel times `N` tokens; returns `N`.
#[inline(always)]
fn tile<S: Simd, const N: usize>(
    simd: S,
    task: &PanelProducts<'_>,
    panel: usize,
    token: usize,
) -> usize {
    let (type_, n_blocks) = (task.weight.type_, task.weight.n_blocks());
    let (lines, scales) = task.weight.panel(panel);
    let block_bytes = type_.lines() * 64;
    assert!(lines.len() == n_blocks * block_bytes && scales.len() >= n_blocks * 2 * LANES);
    let mut quants = [std::ptr::null::<i8>(); N];
    let (mut x_scales, mut x_sums) = ([&[0.0f32][..]; N], [&[0i32][..]; N]);
    for t in 0..N {
        let blocks = (token + t) * n_blocks..(token + t + 1) * n_blocks;
        quants[t] = task.x.quants[blocks.start * BLOCK..blocks.end * BLOCK].as_ptr();
        x_scales[t] = &task.x.scales[blocks.clone()];
        x_sums[t] = &task.x.sums[blocks];
    }
    let mut totals = [simd.splat(0.0); N];
    for block in 0..n_blocks {
        // Σ (w + z) · a − z · Σ a = Σ w · a.
        let mut sums = [simd.splat_i32(0); N];
        for t in 0..N {
            sums[t] = simd.splat_i32(-type_.zero_point() * x_sums[t][block]);
        }
        // SAFETY: a block is `block_bytes` of `lines` (asserted above) and 32 quants of each token,
        // that is eight times four; its scales are 32 bytes of `scales`.
        unsafe {
            let lines = lines.as_ptr().add(block * block_bytes);
            if type_.lines() == 8 {
                for c in 0..8 {
                    let weights = simd.load_u8(lines.add(64 * c));
                    for t in 0..N {
                        sums[t] = simd.dot4(sums[t], weights, four(quants[t], block, c));
                    }
                }
            } else {
                for c in 0..4 {
                    let (low, high) = simd.nibbles(simd.load_u8(lines.add(64 * c)));
                    for t in 0..N {
                        sums[t] = simd.dot4(sums[t], low, four(quants[t], block, c));
                        sums[t] = simd.dot4(sums[t], high, four(quants[t], block, c + 4));
                    }
                }
            }
            let scale = simd.load_f16(scales.as_ptr().add(block * 2 * LANES));
            for t in 0..N {
                let scale = simd.mul(scale, simd.splat(x_scales[t][block]));
                totals[t] = simd.fma(simd.to_f32(sums[t]), scale, totals[t]);
            }
        }
    }
    let (first, n_rows) = (panel * LANES, task.weight.n_rows());
    for t in 0..N {
        let mut values = [0.0f32; LANES];
        // SAFETY: an array of 16.
        unsafe { simd.store(values.as_mut_ptr(), totals[t]) };
        let n = LANES.min(n_rows - first);
        task.out
            .write_slice((token + t) * n_rows + first, &values[..n]);
    }
    N
}
