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

use crate::panels::{BLOCK, Panels, Quantized};
use crate::simd::{LANES, Simd, Task};
use crate::threads::Shared;

/// Activations rounded to 8 bits, in tiles of as many tokens as the kernel takes at once.
///
/// A tile of `N` tokens is a list of its blocks, and everything that the kernel needs of a block lies
/// together: the quants, four of each token and then the next four, the scales, and the sums of the
/// quants times minus the zero points. One address then reaches all of it.
#[derive(Debug, Default)]
pub(crate) struct Activations {
    words: Vec<u32>,
    n_tokens: usize,
    n_blocks: usize,
}

/// 32-bit words of one block of one token: 8 of quants, one scale, two sums.
const WORDS: usize = 8 + 1 + 2;

impl Activations {
    /// Makes room for `n_tokens` rows of `n_in`, a multiple of 32.
    pub(crate) fn resize(&mut self, n_tokens: usize, n_in: usize) {
        (self.n_tokens, self.n_blocks) = (n_tokens, n_in / BLOCK);
        let n = n_tokens * self.n_blocks * WORDS;
        if self.words.len() < n {
            self.words.resize(n, 0);
        }
    }

    /// The words, for writing from several threads.
    pub(crate) fn shared(&mut self) -> Shared<'_, u32> {
        Shared::new(&mut self.words)
    }
}

/// The tile that starts at `token` has this many tokens: the most that the machine takes, or the
/// largest power of two that is left.
#[inline(always)]
fn tile_len<S: Simd>(token: usize, n_tokens: usize) -> usize {
    let left = (n_tokens - token).min(S::QUANTIZED_TOKENS);
    1 << left.ilog2()
}

/// Rounds the activations of some tokens.
pub(crate) struct Quantize<'a> {
    /// `[n_tokens, n_in]`.
    pub(crate) x: &'a [f32],
    pub(crate) n_in: usize,
    pub(crate) out: Shared<'a, u32>,
    /// Which tokens.
    pub(crate) tokens: Range<usize>,
}

impl Task for Quantize<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (n_tokens, n_blocks) = (self.x.len() / self.n_in, self.n_in / BLOCK);
        let mut first = 0;
        while first < n_tokens {
            let n = tile_len::<S>(first, n_tokens);
            for t in 0..n {
                let token = first + t;
                if !self.tokens.contains(&token) {
                    continue;
                }
                for block in 0..n_blocks {
                    let start = token * self.n_in + block * BLOCK;
                    let mut quants = [0u32; BLOCK / 4];
                    let (scale, sum) = round(simd, &self.x[start..start + BLOCK], &mut quants);
                    let at = (first * n_blocks + n * block) * WORDS + t;
                    // SAFETY: all words of this token, which is in this thread's range.
                    let write =
                        |word: usize, value| unsafe { self.out.write(at + word * n, value) };
                    for (c, four) in quants.into_iter().enumerate() {
                        write(c, four);
                    }
                    write(8, scale.to_bits());
                    for (i, type_) in [Quantized::Q8_0, Quantized::Q4_0].into_iter().enumerate() {
                        let shifted = -type_.zero_point() * sum;
                        write(9 + i, shifted.cast_unsigned());
                    }
                }
            }
            first += n;
        }
    }
}

/// A block in 8 bits: fills in the quants, returns what they are multiplied by and their sum.
#[inline(always)]
fn round<S: Simd>(simd: S, x: &[f32], quants: &mut [u32; BLOCK / 4]) -> (f32, i32) {
    assert!(x.len() == 2 * LANES);
    // SAFETY: two vectors of 16, and 32 bytes.
    unsafe {
        let (a, b) = (simd.load(x.as_ptr()), simd.load(x.as_ptr().add(LANES)));
        let minus = simd.splat(-1.0);
        let (minus_a, minus_b) = (simd.mul(a, minus), simd.mul(b, minus));
        let highest = simd.max(simd.max(a, minus_a), simd.max(b, minus_b));
        let highest = simd.largest(highest);
        // Below 1e-36 the quotient would not be finite; such a block counts as zeros.
        let inverse = simd.splat(if highest > 1e-36 {
            127.0 / highest
        } else {
            0.0
        });
        let (a, b) = (simd.mul(a, inverse), simd.mul(b, inverse));
        let to = quants.as_mut_ptr().cast::<i8>();
        simd.store_i8(to, a);
        simd.store_i8(to.add(LANES), b);
        let sum = simd.sum(simd.add(simd.round(a), simd.round(b)));
        // A NaN or an infinity among the activations made the sum a NaN; the scale carries it on.
        (highest / 127.0 + 0.0 * sum, sum as i32)
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
        let n_tokens = self.x.n_tokens;
        assert!(self.x.n_blocks == self.weight.n_blocks());
        for panel in self.range.clone() {
            let mut token = 0;
            while token < n_tokens {
                token += match tile_len::<S>(token, n_tokens) {
                    8 => tile::<S, 8>(simd, &self, panel, token),
                    4 => tile::<S, 4>(simd, &self, panel, token),
                    2 => tile::<S, 2>(simd, &self, panel, token),
                    _ => tile::<S, 1>(simd, &self, panel, token),
                };
            }
        }
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
    let words = &task.x.words[token * n_blocks * WORDS..(token + N) * n_blocks * WORDS];
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
    let (first, n_rows) = (panel * LANES, task.weight.n_rows());
    for t in 0..N {
        let mut values = [0.0f32; LANES];
        // SAFETY: an array of 16.
        unsafe { simd.store(values.as_mut_ptr(), totals[t]) };
        let n = LANES.min(n_rows - first);
        // SAFETY: the rows of a panel are in this thread's range of panels.
        unsafe {
            task.out
                .write_slice((token + t) * n_rows + first, &values[..n]);
        }
    }
    N
}
