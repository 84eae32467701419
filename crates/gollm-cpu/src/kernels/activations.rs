//! Activations in 8 bits, for products with quantized weights.

use std::ops::Range;

use crate::blocks::{BLOCK, Quantized};
use crate::simd::{LANES, Simd, Task};
use crate::threads::Shared;

/// Activations rounded to 8 bits, in tiles of as many tokens as the kernel takes at once.
///
/// A tile of `N` tokens is a list of its blocks, and everything that the kernel needs of a block
/// lies together: the quants, four of each token and then the next four, the scales, and the sums
/// of the quants times minus the zero points. One address then reaches all of it.
#[derive(Debug, Default)]
pub(crate) struct Activations {
    pub(crate) words: Vec<u32>,
    pub(crate) n_tokens: usize,
    pub(crate) n_blocks: usize,
}

/// 32-bit words of one block of one token: 8 of quants, one scale, two sums.
pub(crate) const WORDS: usize = 8 + 1 + 2;

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

/// The tile that starts at `token` has this many tokens: the most that the instruction set takes,
/// or the largest power of two that is left.
#[inline(always)]
pub(crate) fn tile_len<S: Simd>(token: usize, n_tokens: usize) -> usize {
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
