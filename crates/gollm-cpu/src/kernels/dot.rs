//! Dot products of a few tokens with rows of a weight: what decoding does.
//!
//! Each weight is read once and used for every token, so the time is that of reading the weights.
//! Four rows go side by side: four streams for the memory to run ahead on, and four sums that do
//! not wait for one another.

use std::ops::Range;

use super::rows::{F32, Rows, Stored, with_stored};
use crate::simd::{LANES, Simd, Task};
use crate::threads::Shared;

/// Rows side by side.
const ROWS: usize = 4;
/// The most tokens for which reading the weights, and not arithmetic, takes the time.
pub(crate) const MOST_TOKENS: usize = 8;

/// `out[t, o] = x_t · weight_o` for some rows `o` of the weight and all tokens.
pub(crate) struct Dots<'a> {
    pub(crate) weight: Rows<'a>,
    /// `[n_tokens, n_columns]`.
    pub(crate) x: &'a [f32],
    /// `[n_tokens, n_rows]`; only columns `range` are written.
    pub(crate) out: Shared<'a, f32>,
    /// Which rows of the weight.
    pub(crate) range: Range<usize>,
}

impl Task for Dots<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        with_stored!(self.weight.dtype, T => dots::<S, T>(simd, &self));
    }
}

#[inline(always)]
fn dots<S: Simd, T: Stored>(simd: S, task: &Dots<'_>) {
    let (weight, n_columns) = (task.weight, task.weight.n_columns);
    assert!(task.range.end <= weight.n_rows);
    let n_tokens = task.x.len().checked_div(n_columns).unwrap_or(0);
    let row_bytes = n_columns * T::BYTES;
    let mut row = task.range.start;
    while row < task.range.end {
        let n_rows = ROWS.min(task.range.end - row);
        // The last few rows are read together with copies of the very last.
        let rows: [*const u8; ROWS] = std::array::from_fn(|r| {
            let row = (row + r).min(task.range.end - 1);
            weight.bytes[row * row_bytes..(row + 1) * row_bytes].as_ptr()
        });
        let mut token = 0;
        while token < n_tokens {
            let left = n_tokens - token;
            let write = |r: usize, t: usize, sum: f32| {
                if r < n_rows {
                    // SAFETY: column `row + r` is in this thread's range of rows.
                    unsafe { task.out.write((token + t) * weight.n_rows + row + r, sum) };
                }
            };
            let x = |t: usize| task.x[(token + t) * n_columns..][..n_columns].as_ptr();
            // SAFETY: `rows` and `x` each point to `n_columns` readable values.
            token += unsafe {
                match left {
                    4.. => tile::<S, T, 4>(simd, rows, std::array::from_fn(x), n_columns, write),
                    2.. => tile::<S, T, 2>(simd, rows, std::array::from_fn(x), n_columns, write),
                    _ => tile::<S, T, 1>(simd, rows, std::array::from_fn(x), n_columns, write),
                }
            };
        }
        row += n_rows;
    }
}

/// `ROWS` rows times `N` tokens; returns `N`.
///
/// # Safety
///
/// Every pointer of `rows` and `x` must point to `n_columns` readable values of its type.
#[inline(always)]
unsafe fn tile<S: Simd, T: Stored, const N: usize>(
    simd: S,
    rows: [*const u8; ROWS],
    x: [*const f32; N],
    n_columns: usize,
    write: impl Fn(usize, usize, f32),
) -> usize {
    let mut sums = [[simd.splat(0.0); N]; ROWS];
    let whole = n_columns - n_columns % LANES;
    let mut column = 0;
    while column < whole {
        // SAFETY: `column + LANES` is at most `n_columns`.
        unsafe {
            let mut values = [simd.splat(0.0); N];
            for t in 0..N {
                values[t] = simd.load(x[t].add(column));
            }
            for r in 0..ROWS {
                let from = rows[r].add(column * T::BYTES);
                let weight = T::load(simd, from);
                // The row that takes this one's place, so that it is near when its turn comes: a
                // row of f16 is too short for the processor to guess that there is a next one.
                if (column * T::BYTES).is_multiple_of(64) {
                    simd.prefetch(from.wrapping_add(ROWS * n_columns * T::BYTES).cast());
                }
                for t in 0..N {
                    sums[r][t] = simd.fma(weight, values[t], sums[r][t]);
                }
            }
        }
        column += LANES;
    }
    if whole < n_columns {
        let n = n_columns - whole;
        for r in 0..ROWS {
            for t in 0..N {
                // SAFETY: `whole + n` is `n_columns`.
                unsafe {
                    let weight = T::load_some(simd, rows[r].add(whole * T::BYTES), n);
                    let x = F32::load_some(simd, x[t].add(whole).cast(), n);
                    sums[r][t] = simd.fma(weight, x, sums[r][t]);
                }
            }
        }
    }
    for r in 0..ROWS {
        for t in 0..N {
            write(r, t, simd.sum(sums[r][t]));
        }
    }
    N
}
