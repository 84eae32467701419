//! One block of keys and values, and what it adds to the rows that see it.

use crate::kernels::elementwise::exp;
use crate::kernels::rows::Stored;
use crate::simd::{LANES, Simd};

/// Keys in a block: four vectors of scores.
pub(super) const KEYS: usize = 64;
const VECTORS: usize = KEYS / LANES;

/// Scratch memory for one piece of work, kept by each thread.
#[derive(Default)]
pub(super) struct Scratch {
    /// `[rows, padded]`: queries of the tile, row `r` being token `r / group`, head `r % group`.
    pub(super) q: Vec<f32>,
    /// `[padded, KEYS]`: a block of keys, turned.
    keys: Vec<f32>,
    /// `[KEYS, padded]`: the values of the block, next to each other. In the cache they are a power
    /// of two apart, often, and would push each other out of the nearest cache.
    values: Vec<f32>,
    /// `[rows, padded]`: weighted sums of values.
    pub(super) sums: Vec<f32>,
    /// For each row the largest score so far and the sum of weights.
    largest: Vec<f32>,
    pub(super) total: Vec<f32>,
}

impl Scratch {
    /// Makes room for `n_rows` rows of `padded` numbers that have seen no key yet.
    pub(super) fn start(&mut self, n_rows: usize, padded: usize) {
        let fill = |values: &mut Vec<f32>, n: usize, value: f32| {
            values.clear();
            values.resize(n, value);
        };
        fill(&mut self.q, n_rows * padded, 0.0);
        fill(&mut self.sums, n_rows * padded, 0.0);
        fill(&mut self.total, n_rows, 0.0);
        fill(&mut self.largest, n_rows, f32::NEG_INFINITY);
        self.keys.resize(padded * KEYS, 0.0);
        self.values.resize(padded * KEYS, 0.0);
    }
}

/// Up to 64 cached tokens of one head.
pub(super) struct Block {
    pub(super) keys: *const u8,
    pub(super) values: *const u8,
    /// Bytes from one token to the next.
    pub(super) stride: usize,
    pub(super) n_keys: usize,
    pub(super) head_dim: usize,
    /// `head_dim`, filled up to whole vectors.
    pub(super) padded: usize,
}

impl Block {
    /// `turned[i][key] = keys[key][i]`; keys that are not there are zeros.
    ///
    /// # Safety
    ///
    /// `keys` must point to `n_keys` cached rows of `head_dim` numbers.
    #[inline(always)]
    pub(super) unsafe fn turn_keys<S: Simd, T: Stored>(&self, simd: S, scratch: &mut Scratch) {
        for i in (0..self.head_dim).step_by(LANES) {
            let n = LANES.min(self.head_dim - i);
            for v in 0..VECTORS {
                let mut rows = [simd.splat(0.0); LANES];
                for j in 0..LANES {
                    let key = v * LANES + j;
                    if key < self.n_keys {
                        // SAFETY: `key` is below `n_keys`, and `i + n` at most `head_dim`.
                        rows[j] = unsafe {
                            load::<S, T>(simd, self.keys.add(key * self.stride + i * T::BYTES), n)
                        };
                    }
                }
                let turned_rows = simd.transpose(rows);
                for d in 0..LANES {
                    let to = &mut scratch.keys[(i + d) * KEYS + v * LANES..][..LANES];
                    // SAFETY: 16 elements.
                    unsafe { simd.store(to.as_mut_ptr(), turned_rows[d]) };
                }
            }
        }
    }

    /// `copy[key][i] = values[key][i]`, padded with zeros.
    ///
    /// # Safety
    ///
    /// `values` must point to `n_keys` cached rows of `head_dim` numbers.
    #[inline(always)]
    pub(super) unsafe fn copy_values<S: Simd, T: Stored>(&self, simd: S, scratch: &mut Scratch) {
        let rows = scratch
            .values
            .chunks_exact_mut(self.padded)
            .take(self.n_keys);
        for (key, row) in rows.enumerate() {
            for (c, to) in row.chunks_exact_mut(LANES).enumerate() {
                let n = LANES.min(self.head_dim - c * LANES);
                // SAFETY: `key` is below `n_keys`, and `n` numbers are left; `to` has 16.
                unsafe {
                    let from = self.values.add(key * self.stride + c * LANES * T::BYTES);
                    simd.store(to.as_mut_ptr(), load::<S, T>(simd, from, n));
                }
            }
        }
    }

    /// Takes this block into the sums of up to `R` rows from `first` on; returns how many.
    #[inline(always)]
    pub(super) fn rows<S: Simd, const R: usize>(
        &self,
        simd: S,
        scratch: &mut Scratch,
        first: usize,
        n_rows: usize,
        visible: impl Fn(usize) -> usize,
    ) -> usize {
        let n = R.min(n_rows - first);
        // Rows beyond the last are copies of it, and are dropped.
        let mut q = [&scratch.q[first * self.padded..]; R];
        for r in 0..R {
            q[r] = &scratch.q[(first + r.min(n - 1)) * self.padded..][..self.padded];
        }
        let mut scores = [[simd.splat(0.0); VECTORS]; R];
        for i in 0..self.head_dim {
            let keys = scratch.keys[i * KEYS..][..KEYS].as_ptr();
            let mut vectors = [simd.splat(0.0); VECTORS];
            for v in 0..VECTORS {
                // SAFETY: 64 elements.
                vectors[v] = unsafe { simd.load(keys.add(v * LANES)) };
            }
            for r in 0..R {
                let q = simd.splat(q[r][i]);
                for v in 0..VECTORS {
                    scores[r][v] = simd.fma(q, vectors[v], scores[r][v]);
                }
            }
        }
        let mut weights = [[0.0f32; KEYS]; R];
        let mut shrinks = [1.0f32; R];
        let mut most_visible = 0;
        for r in 0..n {
            let n_visible = visible(first + r);
            most_visible = most_visible.max(n_visible);
            if n_visible > 0 {
                let (largest, total) = (&mut scratch.largest, &mut scratch.total);
                shrinks[r] = softmax_step(
                    simd,
                    scores[r],
                    n_visible,
                    &mut weights[r],
                    &mut largest[first + r],
                    &mut total[first + r],
                );
            }
        }
        let sums = &mut scratch.sums[first * self.padded..];
        let values = &scratch.values[..most_visible * self.padded];
        if n == R {
            add_values::<S, R>(simd, &weights, &shrinks, values, self.padded, sums);
        } else {
            for r in 0..n {
                let sums = &mut sums[r * self.padded..];
                add_values::<S, 1>(
                    simd,
                    &[weights[r]],
                    &[shrinks[r]],
                    values,
                    self.padded,
                    sums,
                );
            }
        }
        n
    }
}

/// `sums_r = sums_r · shrink_r + Σ_j weights_rj · values_j` for `R` rows of `padded` numbers.
#[inline(always)]
fn add_values<S: Simd, const R: usize>(
    simd: S,
    weights: &[[f32; KEYS]; R],
    shrinks: &[f32; R],
    values: &[f32],
    padded: usize,
    sums: &mut [f32],
) {
    assert!(sums.len() >= R * padded && values.len() <= KEYS * padded);
    let mut i = 0;
    while i < padded {
        // SAFETY: columns `i..` of rows of `padded` numbers, four vectors where there are four.
        unsafe {
            let (from, to) = (values.as_ptr().add(i), sums.as_mut_ptr().add(i));
            let n_keys = values.len() / padded;
            if padded - i >= 4 * LANES {
                weigh::<S, R, 4>(simd, weights, shrinks, from, n_keys, padded, to);
                i += 4 * LANES;
            } else {
                weigh::<S, R, 1>(simd, weights, shrinks, from, n_keys, padded, to);
                i += LANES;
            }
        }
    }
}

/// `V` vectors of columns of the weighted sums.
///
/// # Safety
///
/// `values` must point to `n_keys` rows, `stride` numbers apart, of `V · 16` numbers, and `sums` to
/// `R` such rows.
#[inline(always)]
unsafe fn weigh<S: Simd, const R: usize, const V: usize>(
    simd: S,
    weights: &[[f32; KEYS]; R],
    shrinks: &[f32; R],
    values: *const f32,
    n_keys: usize,
    stride: usize,
    sums: *mut f32,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut totals = [[simd.splat(0.0); V]; R];
        for r in 0..R {
            for v in 0..V {
                let before = simd.load(sums.add(r * stride + v * LANES));
                totals[r][v] = simd.mul(before, simd.splat(shrinks[r]));
            }
        }
        for key in 0..n_keys.min(KEYS) {
            let mut value = [simd.splat(0.0); V];
            for v in 0..V {
                value[v] = simd.load(values.add(key * stride + v * LANES));
            }
            for r in 0..R {
                let weight = simd.splat(weights[r][key]);
                for v in 0..V {
                    totals[r][v] = simd.fma(weight, value[v], totals[r][v]);
                }
            }
        }
        for r in 0..R {
            for v in 0..V {
                simd.store(sums.add(r * stride + v * LANES), totals[r][v]);
            }
        }
    }
}

/// 16 numbers, or fewer and zeros.
///
/// # Safety
///
/// `n` numbers must be readable.
#[inline(always)]
unsafe fn load<S: Simd, T: Stored>(simd: S, from: *const u8, n: usize) -> S::F32 {
    // SAFETY: the caller's promise.
    unsafe {
        if n == LANES {
            T::load(simd, from)
        } else {
            T::load_some(simd, from, n)
        }
    }
}

/// Fills in the weights of a block, relative to the largest score so far; returns by how much the
/// sums so far shrink.
#[inline(always)]
fn softmax_step<S: Simd>(
    simd: S,
    scores: [S::F32; VECTORS],
    n_visible: usize,
    weights: &mut [f32; KEYS],
    largest: &mut f32,
    total: &mut f32,
) -> f32 {
    let at = weights.as_mut_ptr();
    for v in 0..VECTORS {
        // SAFETY: four vectors of 16 in an array of 64.
        unsafe { simd.store(at.add(v * LANES), scores[v]) };
    }
    // Tokens that this row may not see.
    weights[n_visible..].fill(f32::NEG_INFINITY);
    let mut highest = simd.splat(*largest);
    let at = weights.as_mut_ptr();
    for v in 0..VECTORS {
        // SAFETY: as above.
        highest = simd.max(highest, unsafe { simd.load(at.add(v * LANES)) });
    }
    let new_largest = simd.largest(highest);
    let shift = simd.splat(-new_largest);
    for v in 0..VECTORS {
        // SAFETY: as above.
        unsafe {
            let score = simd.load(at.add(v * LANES));
            simd.store(at.add(v * LANES), exp(simd, simd.add(score, shift)));
        }
    }
    weights[n_visible..].fill(0.0);
    let at = weights.as_ptr();
    let mut sum = simd.splat(0.0);
    for v in 0..VECTORS {
        // SAFETY: as above.
        sum = simd.add(sum, unsafe { simd.load(at.add(v * LANES)) });
    }
    // 0 at the first block, where there is nothing to shrink.
    let shrink = (*largest - new_largest).exp();
    *total = *total * shrink + simd.sum(sum);
    *largest = new_largest;
    shrink
}
