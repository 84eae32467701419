//! Attention over the cache in one pass, without keeping the scores.
//!
//! A softmax seems to need all scores before it can weigh the first value. It does not: keep the
//! largest score so far, `m`, the sum of `e^(s − m)` so far and the weighted sum of values so far; when
//! a larger score comes, both sums shrink by `e^(m − m')`. So the keys are taken in blocks of 64, and
//! nothing grows with the context. Source: Milakov & Gimelshein 2018,
//! <https://arxiv.org/abs/1805.02867>; Dao et al. 2022, <https://arxiv.org/abs/2205.14135>.
//!
//! One piece of work is a tile of up to 16 consecutive tokens of one sequence and one key/value head,
//! with all query heads that share it: each block of keys and values is read once for all of them. The
//! keys of a block are turned, so that a vector holds one number of 16 keys and scores need no sums
//! across lanes.

use std::cell::RefCell;
use std::ops::Range;

use gollm_tensor::{DType, Place};

use super::elementwise::exp;
use super::rows::{Stored, with_stored};
use crate::simd::{LANES, Simd, Task};
use crate::threads::Shared;

/// Keys in a block: four vectors of scores.
const KEYS: usize = 64;
const VECTORS: usize = KEYS / LANES;
/// The most tokens in a tile.
pub(crate) const MOST_TOKENS: usize = 16;

/// Consecutive rows that are consecutive tokens of one sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tile {
    pub(crate) first_row: usize,
    pub(crate) n_rows: usize,
}

/// Cuts rows into tiles.
pub(crate) fn tiles(places: &[Place], out: &mut Vec<Tile>) {
    out.clear();
    for (row, place) in places.iter().enumerate() {
        if let (Some(tile), Some(before)) = (out.last_mut(), row.checked_sub(1)) {
            let before = places[before];
            let follows =
                before.sequence == place.sequence && before.position + 1 == place.position;
            if follows && tile.n_rows < MOST_TOKENS {
                tile.n_rows += 1;
                continue;
            }
        }
        out.push(Tile {
            first_row: row,
            n_rows: 1,
        });
    }
}

/// The sizes of an attention.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) context_length: usize,
    pub(crate) n_kv_heads: usize,
    /// Query heads for each key/value head.
    pub(crate) group: usize,
    pub(crate) head_dim: usize,
}

/// Attention of some pieces of work: piece `i` is tile `i / n_kv_heads`, head `i % n_kv_heads`.
pub(crate) struct Attention<'a> {
    /// Rotated queries, `[n_tokens, n_kv_heads · group · head_dim]`.
    pub(crate) q: &'a [f32],
    /// `[n_sequences, context_length, n_kv_heads · head_dim]`, stored as `dtype`.
    pub(crate) keys: &'a [u8],
    pub(crate) values: &'a [u8],
    pub(crate) dtype: DType,
    pub(crate) places: &'a [Place],
    pub(crate) tiles: &'a [Tile],
    pub(crate) sizes: Sizes,
    /// As `q`.
    pub(crate) out: Shared<'a, f32>,
    pub(crate) pieces: Range<usize>,
}

/// Room for one piece of work, kept by each thread.
#[derive(Default)]
struct Scratch {
    /// `[rows, padded]`: queries of the tile, row `r` being token `r / group`, head `r % group`.
    q: Vec<f32>,
    /// `[padded, KEYS]`: a block of keys, turned.
    keys: Vec<f32>,
    /// `[KEYS, padded]`: the values of the block, next to each other. In the cache they are a power of
    /// two apart, often, and would push each other out of the nearest cache.
    values: Vec<f32>,
    /// `[rows, padded]`: weighted sums of values.
    sums: Vec<f32>,
    /// For each row the largest score so far and the sum of weights.
    largest: Vec<f32>,
    total: Vec<f32>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Task for Attention<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let sizes = self.sizes;
        let rows = self.keys.len() / self.dtype.block_bytes() / sizes.head_dim;
        assert!(self.keys.len() == self.values.len());
        assert!(self.places.iter().all(|place| {
            place.position < sizes.context_length
                && (place.sequence + 1) * sizes.context_length * sizes.n_kv_heads <= rows
        }));
        // Taken and put back: a closure around the work would keep it from being inlined.
        let mut scratch = SCRATCH.take();
        for piece in self.pieces.clone() {
            with_stored!(self.dtype, T => attend::<S, T>(simd, &self, piece, &mut scratch));
        }
        SCRATCH.set(scratch);
    }
}

#[inline(always)]
fn attend<S: Simd, T: Stored>(simd: S, task: &Attention<'_>, piece: usize, scratch: &mut Scratch) {
    let Sizes {
        context_length,
        n_kv_heads,
        group,
        head_dim,
    } = task.sizes;
    let (tile, head) = (task.tiles[piece / n_kv_heads], piece % n_kv_heads);
    let (n_rows, padded) = (tile.n_rows * group, head_dim.next_multiple_of(LANES));
    let q_width = n_kv_heads * group * head_dim;
    let row_start =
        |r: usize| (tile.first_row + r / group) * q_width + (head * group + r % group) * head_dim;
    let place = task.places[tile.first_row];

    scratch.q.clear();
    scratch.q.resize(n_rows * padded, 0.0);
    let scale = 1.0 / (head_dim as f32).sqrt();
    for (r, q) in scratch.q.chunks_exact_mut(padded).enumerate() {
        let from = &task.q[row_start(r)..][..head_dim];
        q.iter_mut()
            .zip(from)
            .for_each(|(to, from)| *to = from * scale);
    }
    scratch.keys.resize(padded * KEYS, 0.0);
    scratch.values.resize(padded * KEYS, 0.0);
    scratch.sums.clear();
    scratch.sums.resize(n_rows * padded, 0.0);
    scratch.total.clear();
    scratch.total.resize(n_rows, 0.0);
    scratch.largest.clear();
    scratch.largest.resize(n_rows, f32::NEG_INFINITY);

    // Byte offset of cached row `position` of this sequence and head.
    let at = |position: usize| {
        ((place.sequence * context_length + position) * n_kv_heads + head) * head_dim * T::BYTES
    };
    let n_visible = place.position + tile.n_rows;
    for first in (0..n_visible).step_by(KEYS) {
        let n_keys = KEYS.min(n_visible - first);
        let block = Block {
            keys: task.keys[at(first)..].as_ptr(),
            values: task.values[at(first)..].as_ptr(),
            stride: n_kv_heads * head_dim * T::BYTES,
            n_keys,
            head_dim,
            padded,
        };
        // SAFETY: `run` asserted that every position of every place lies inside the cache, and the
        // block ends at the tile's last one.
        unsafe {
            block.turn_keys::<S, T>(simd, &mut scratch.keys);
            block.copy_values::<S, T>(simd, &mut scratch.values);
        }
        let mut r = 0;
        while r < n_rows {
            // Rows of the same token or the next ones; each sees up to its own position.
            let visible = |r: usize| {
                (place.position + r / group + 1)
                    .saturating_sub(first)
                    .min(n_keys)
            };
            r += if S::TILE_VECTORS == 2 && n_rows - r > 1 {
                block.rows::<S, 4>(simd, scratch, r, n_rows, visible)
            } else {
                block.rows::<S, 1>(simd, scratch, r, n_rows, visible)
            };
        }
    }
    for r in 0..n_rows {
        let sums = &mut scratch.sums[r * padded..][..head_dim];
        let scale = 1.0 / scratch.total[r];
        sums.iter_mut().for_each(|sum| *sum *= scale);
        task.out.write_slice(row_start(r), sums);
    }
}

/// Up to 64 cached tokens of one head.
struct Block {
    keys: *const u8,
    values: *const u8,
    /// Bytes from one token to the next.
    stride: usize,
    n_keys: usize,
    head_dim: usize,
    padded: usize,
}

impl Block {
    /// `turned[i][key] = keys[key][i]`; keys that are not there are zeros.
    ///
    /// # Safety
    ///
    /// `keys` must point to `n_keys` cached rows of `head_dim` numbers.
    #[inline(always)]
    unsafe fn turn_keys<S: Simd, T: Stored>(&self, simd: S, turned: &mut [f32]) {
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
                    let to = &mut turned[(i + d) * KEYS + v * LANES..][..LANES];
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
    unsafe fn copy_values<S: Simd, T: Stored>(&self, simd: S, copy: &mut [f32]) {
        let rows = copy.chunks_exact_mut(self.padded).take(self.n_keys);
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
    fn rows<S: Simd, const R: usize>(
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
/// `values` must point to `n_keys` rows, `stride` numbers apart, of `V · 16` numbers, and `sums` to `R`
/// such rows.
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

/// Fills in the weights of a block, relative to the largest score so far; returns by how much the sums so
/// far shrink.
#[inline(always)]
#[expect(
    clippy::undocumented_unsafe_blocks,
    reason = "one reason for all, where the first one is"
)]
fn softmax_step<S: Simd>(
    simd: S,
    scores: [S::F32; VECTORS],
    n_visible: usize,
    weights: &mut [f32; KEYS],
    largest: &mut f32,
    total: &mut f32,
) -> f32 {
    let at = weights.as_mut_ptr();
    // SAFETY, for the blocks below: four vectors of 16 in an array of 64.
    for v in 0..VECTORS {
        unsafe { simd.store(at.add(v * LANES), scores[v]) };
    }
    // Tokens that this row may not see.
    weights[n_visible..].fill(f32::NEG_INFINITY);
    let mut highest = simd.splat(*largest);
    let at = weights.as_mut_ptr();
    for v in 0..VECTORS {
        highest = simd.max(highest, unsafe { simd.load(at.add(v * LANES)) });
    }
    let new_largest = simd.largest(highest);
    let shift = simd.splat(-new_largest);
    for v in 0..VECTORS {
        unsafe {
            let score = simd.load(at.add(v * LANES));
            simd.store(at.add(v * LANES), exp(simd, simd.add(score, shift)));
        }
    }
    weights[n_visible..].fill(0.0);
    let at = weights.as_ptr();
    let mut sum = simd.splat(0.0);
    for v in 0..VECTORS {
        sum = simd.add(sum, unsafe { simd.load(at.add(v * LANES)) });
    }
    // 0 at the first block, where there is nothing to shrink.
    let shrink = (*largest - new_largest).exp();
    *total = *total * shrink + simd.sum(sum);
    *largest = new_largest;
    shrink
}
