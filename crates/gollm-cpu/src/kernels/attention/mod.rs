//! Attention over the cache in one pass, without keeping the scores.
//!
//! A softmax seems to need all scores before it can weigh the first value. It does not: keep the
//! largest score so far, `m`, the sum of `e^(s − m)` so far and the weighted sum of values so far;
//! when a larger score comes, both sums shrink by `e^(m − m')`. So the keys are taken in blocks of
//! 64, and nothing grows with the context. Source: Milakov & Gimelshein 2018,
//! <https://arxiv.org/abs/1805.02867>; Dao et al. 2022, <https://arxiv.org/abs/2205.14135>.
//!
//! One piece of work is a tile of up to 16 consecutive tokens of one sequence and one key/value
//! head, with all query heads that share it: each block of keys and values is read once for all of
//! them. The keys of a block are turned, so that a vector holds one number of 16 keys and scores
//! need no sums across lanes.

mod block;

use std::cell::RefCell;
use std::ops::Range;

use gollm_tensor::{DType, Place};

use super::rows::{Stored, with_stored};
use crate::simd::{LANES, Simd, Task};
use crate::threads::Shared;
use block::{Block, KEYS, Scratch};

/// The most tokens in a tile.
pub(crate) const MOST_TOKENS: usize = 16;

/// Consecutive rows that are consecutive tokens of one sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tile {
    pub(crate) first_row: usize,
    pub(crate) n_rows: usize,
}

/// Cuts rows into tiles.
pub(crate) fn tiles(places: &[Place]) -> Vec<Tile> {
    let mut out: Vec<Tile> = Vec::new();
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
    out
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

    scratch.start(n_rows, padded);
    let scale = 1.0 / (head_dim as f32).sqrt();
    for (r, q) in scratch.q.chunks_exact_mut(padded).enumerate() {
        let from = &task.q[row_start(r)..][..head_dim];
        q.iter_mut()
            .zip(from)
            .for_each(|(to, from)| *to = from * scale);
    }

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
            block.turn_keys::<S, T>(simd, scratch);
            block.copy_values::<S, T>(simd, scratch);
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
        // SAFETY: the head of these tokens is this piece of work, which is one thread's.
        unsafe { task.out.write_slice(row_start(r), sums) };
    }
}
