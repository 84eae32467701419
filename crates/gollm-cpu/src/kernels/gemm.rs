//! Many tokens times a weight: what reading a prompt does.
//!
//! Here each weight is used for hundreds of tokens, so the time is that of the multiply-adds, and
//! the work is to keep the two units that do them fed. A tile of `TILE_ROWS` tokens ×
//! `TILE_VECTORS` vectors of outputs stays in registers while the inner loop runs over the columns:
//! one load of weights serves all tokens of the tile, one activation all its outputs. Both are
//! packed first, so that the loop reads each of them from one place, in order:
//!
//! - the tokens in tiles, `[tile][column][token]`, once for all outputs;
//! - the weights of a few panels of outputs, `[panel][column][output]`, just before they are used,
//!   by the thread that uses them: they then are in its second cache. Widening f16 or bf16 happens
//!   here, once.
//!
//! A tile of tokens then meets all packed panels while it is near. Long rows are cut into
//! blocks of columns, so that both fit; the sums of later blocks are added to those of the first.
//!
//! Source of the scheme: Goto & van de Geijn 2008, <https://doi.org/10.1145/1356052.1356053>.

use std::cell::RefCell;
use std::ops::Range;

use super::rows::{F32, Rows, Stored, with_stored};
use crate::simd::{Isa, LANES, Simd, Task};
use crate::threads::Shared;

/// The sizes of the register tile, which differ by instruction set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TileSize {
    /// Tokens.
    pub(crate) tokens: usize,
    /// Outputs.
    pub(crate) outputs: usize,
}

impl TileSize {
    /// The tile of an instruction set.
    pub(crate) fn of(isa: Isa) -> Self {
        struct Ask;
        impl Task for Ask {
            type Output = TileSize;

            #[inline(always)]
            fn run<S: Simd>(self, _simd: S) -> TileSize {
                TileSize {
                    tokens: S::TILE_ROWS,
                    outputs: S::TILE_VECTORS * LANES,
                }
            }
        }
        isa.run(Ask)
    }

    /// How many numbers `n_tokens` packed rows of `n_columns` take.
    pub(crate) fn packed_len(self, n_tokens: usize, n_columns: usize) -> usize {
        n_tokens.div_ceil(self.tokens) * self.tokens * n_columns
    }
}

/// Packs some tiles of tokens: `packed[tile][column][token]`. The last tile is filled up with
/// zeros.
pub(crate) struct PackTokens<'a> {
    /// `[n_tokens, n_columns]`.
    pub(crate) x: &'a [f32],
    pub(crate) n_columns: usize,
    pub(crate) packed: Shared<'a, f32>,
    /// Which tiles.
    pub(crate) range: Range<usize>,
}

impl Task for PackTokens<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (n_columns, n_tile) = (self.n_columns, S::TILE_ROWS);
        let n_tokens = self.x.len() / n_columns.max(1);
        for tile in self.range {
            // SAFETY: the threads of a region work on different tiles.
            let packed = unsafe {
                self.packed
                    .part(tile * n_tile * n_columns, n_tile * n_columns)
            };
            for column in (0..n_columns).step_by(LANES) {
                let n = LANES.min(n_columns - column);
                let mut rows = [simd.splat(0.0); LANES];
                for t in 0..n_tile.min(n_tokens - tile * n_tile) {
                    let from = &self.x[(tile * n_tile + t) * n_columns + column..][..n];
                    // SAFETY: `n` elements.
                    rows[t] = unsafe {
                        if n == LANES {
                            simd.load(from.as_ptr())
                        } else {
                            F32::load_some(simd, from.as_ptr().cast(), n)
                        }
                    };
                }
                let turned = simd.transpose(rows);
                for c in 0..n {
                    let to = &mut packed[(column + c) * n_tile..];
                    if let Some(to) = to.get_mut(..LANES) {
                        // What is too much, the next column overwrites.
                        // SAFETY: 16 elements.
                        unsafe { simd.store(to.as_mut_ptr(), turned[c]) };
                    } else {
                        let mut room = [0.0f32; LANES];
                        // SAFETY: an array of 16.
                        unsafe { simd.store(room.as_mut_ptr(), turned[c]) };
                        to[..n_tile].copy_from_slice(&room[..n_tile]);
                    }
                }
            }
        }
    }
}

/// `out[t, o] = x_t · weight_o` for all tokens and the outputs of some panels.
pub(crate) struct PackedProducts<'a> {
    pub(crate) weight: Rows<'a>,
    /// What [`PackTokens`] made.
    pub(crate) packed: &'a [f32],
    pub(crate) n_tokens: usize,
    /// `[n_tokens, n_rows]`; only columns of the panels in `range` are written.
    pub(crate) out: Shared<'a, f32>,
    /// Which panels of `TILE_VECTORS · 16` outputs.
    pub(crate) range: Range<usize>,
}

/// Columns ahead whose weights are asked for, so that they are in the first cache when their turn
/// comes.
const AHEAD: usize = 8;
/// The most panels packed at a time, and the most columns of them: 4 x 32 x 768 x 4 bytes, a third
/// of a second cache of 1 MiB.
const PANELS: usize = 4;
const COLUMNS: usize = 768;

thread_local! {
    /// Packed panels of weights.
    static PACKED: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

impl Task for PackedProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        // Taken and put back: a closure around the work would keep it from being inlined.
        let mut packed = PACKED.take();
        let n_columns = self.weight.n_columns;
        // Blocks of nearly equal length.
        let block = n_columns.div_ceil(n_columns.div_ceil(COLUMNS).max(1));
        packed.resize(PANELS * S::TILE_VECTORS * LANES * block, 0.0);
        let mut panel = self.range.start;
        while panel < self.range.end {
            let panels = panel..self.range.end.min(panel + PANELS);
            let mut column = 0;
            while column < n_columns {
                let columns = column..n_columns.min(column + block);
                with_stored!(self.weight.dtype, T => {
                    pack_panels::<S, T>(simd, self.weight, panels.clone(), columns.clone(), &mut packed);
                });
                products(simd, &self, panels.clone(), columns.clone(), &packed);
                column = columns.end;
            }
            panel = panels.end;
        }
        PACKED.set(packed);
    }
}

/// `packed[panel][column][output]` for some columns of some panels; outputs that do not exist are
/// zeros.
#[inline(always)]
fn pack_panels<S: Simd, T: Stored>(
    simd: S,
    weight: Rows<'_>,
    panels: Range<usize>,
    columns: Range<usize>,
    packed: &mut [f32],
) {
    let width = S::TILE_VECTORS * LANES;
    let row_bytes = weight.n_columns * T::BYTES;
    for (panel, packed) in panels.zip(packed.chunks_exact_mut(width * columns.len())) {
        for v in 0..S::TILE_VECTORS {
            let first = panel * width + v * LANES;
            for column in columns.clone().step_by(LANES) {
                let n = LANES.min(columns.end - column);
                let mut rows = [simd.splat(0.0); LANES];
                for r in 0..LANES {
                    let start = (first + r) * row_bytes;
                    let Some(row) = weight.bytes.get(start..start + row_bytes) else {
                        break;
                    };
                    let from = row[column * T::BYTES..].as_ptr();
                    // SAFETY: `row` holds `n_columns` weights, so `n` of them from `column` on.
                    rows[r] = unsafe {
                        if n == LANES {
                            T::load(simd, from)
                        } else {
                            T::load_some(simd, from, n)
                        }
                    };
                }
                let to = &mut packed[(column - columns.start) * width + v * LANES..];
                let turned = simd.transpose(rows);
                for c in 0..n {
                    let to = &mut to[c * width..][..LANES];
                    // SAFETY: 16 elements.
                    unsafe { simd.store(to.as_mut_ptr(), turned[c]) };
                }
            }
        }
    }
}

/// All tiles of tokens times some packed panels, for some columns.
#[inline(always)]
fn products<S: Simd>(
    simd: S,
    task: &PackedProducts<'_>,
    panels: Range<usize>,
    columns: Range<usize>,
    packed: &[f32],
) {
    let n_columns = task.weight.n_columns;
    let tile_len = S::TILE_ROWS * n_columns;
    let (tokens_in_tile, width) = (S::TILE_ROWS, S::TILE_VECTORS * LANES);
    let n_rows = task.weight.n_rows;
    let n_tiles = task.n_tokens.div_ceil(tokens_in_tile);
    assert!(task.packed.len() >= n_tiles * tile_len && columns.end <= n_columns);
    assert!(packed.len() >= panels.len() * width * columns.len());
    for tile in 0..n_tiles {
        let x = task.packed[tile * tile_len + columns.start * tokens_in_tile..].as_ptr();
        let n_tokens = tokens_in_tile.min(task.n_tokens - tile * tokens_in_tile);
        for (panel, packed) in panels
            .clone()
            .zip(packed.chunks_exact(width * columns.len()))
        {
            let first = panel * width;
            let place = Place {
                out: task.out,
                first: tile * tokens_in_tile * n_rows + first,
                stride: n_rows,
                n_tokens,
                n_outputs: width.min(n_rows - first),
                add: columns.start > 0,
            };
            let (panel, n) = (packed.as_ptr(), columns.len());
            // The tile's sizes are constants of the instruction set; a const generic cannot be one
            // of those, so the three that exist are written out. SAFETY: for each column `x` has
            // `TILE_ROWS` numbers and `panel` `width` (asserted).
            unsafe {
                match (S::TILE_ROWS, S::TILE_VECTORS) {
                    (12, 2) => tile_sums::<S, 12, 2>(simd, x, panel, n, place),
                    (6, 1) => tile_sums::<S, 6, 1>(simd, x, panel, n, place),
                    _ => tile_sums::<S, 4, 1>(simd, x, panel, n, place),
                }
            }
        }
    }
}

/// Where the sums of a tile go.
#[derive(Clone, Copy)]
struct Place<'a> {
    out: Shared<'a, f32>,
    /// The tile's first number.
    first: usize,
    /// Numbers from one token to the next.
    stride: usize,
    /// What of the tile exists.
    n_tokens: usize,
    n_outputs: usize,
    /// Whether earlier columns have left their sums there.
    add: bool,
}

impl Place<'_> {
    /// Writes vector `v` of token `t`, or what exists of it.
    #[inline(always)]
    fn write<S: Simd>(self, simd: S, t: usize, v: usize, sums: S::F32) {
        if t >= self.n_tokens || v * LANES >= self.n_outputs {
            return;
        }
        let n = LANES.min(self.n_outputs - v * LANES);
        let at = self.first + t * self.stride + v * LANES;
        // SAFETY: this thread's own outputs.
        let out = unsafe { self.out.part(at, n) };
        let mut room = [0.0f32; LANES];
        // The last panel of a weight may end inside a vector.
        let to = if n == LANES {
            out.as_mut_ptr()
        } else {
            room[..n].copy_from_slice(out);
            room.as_mut_ptr()
        };
        // SAFETY: 16 elements either way.
        unsafe {
            let before = if self.add {
                simd.load(to)
            } else {
                simd.splat(0.0)
            };
            simd.store(to, simd.add(sums, before));
        }
        if n < LANES {
            out.copy_from_slice(&room[..n]);
        }
    }
}

/// `R` tokens × `V` vectors of outputs.
///
/// # Safety
///
/// For each column `x` must have `R` readable numbers and `panel` `16 · V`.
#[inline(always)]
unsafe fn tile_sums<S: Simd, const R: usize, const V: usize>(
    simd: S,
    x: *const f32,
    panel: *const f32,
    n_columns: usize,
    place: Place<'_>,
) {
    let mut sums = [[simd.splat(0.0); V]; R];
    for column in 0..n_columns {
        // SAFETY: `column` is below `n_columns`.
        unsafe {
            let mut weights = [simd.splat(0.0); V];
            for v in 0..V {
                let from = panel.add((column * V + v) * LANES);
                weights[v] = simd.load(from);
                simd.prefetch(from.wrapping_add(AHEAD * V * LANES));
            }
            for r in 0..R {
                let x = simd.splat(*x.add(column * R + r));
                for v in 0..V {
                    sums[r][v] = simd.fma(x, weights[v], sums[r][v]);
                }
            }
        }
    }
    for t in 0..R {
        for v in 0..V {
            place.write(simd, t, v, sums[t][v]);
        }
    }
}
