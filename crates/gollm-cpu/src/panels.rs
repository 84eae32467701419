//! Repacked quantized weights: panels of 16 rows, as the kernel reads them.
//!
//! In the file a block of 32 weights of one row lies together. A kernel that computes 16 outputs at
//! once wants the same four columns of 16 rows side by side, 64 bytes, so that one instruction
//! multiplies them with four activations and no sum ever crosses lanes. So the blocks are repacked
//! once, when a weight is uploaded; it stays the same number of bytes.
//!
//! One panel, for `n_blocks = n_in / 32`:
//!
//! ```text
//! block 0 | block 1 | …     each 8 (q8_0) or 4 (q4_0) lines of 64 bytes:
//!     line c, bytes 4r..4r+4 = columns 4c..4c+4 of row r
//! scales of block 0 | scales of block 1 | …   16 f16 each, row after row
//! ```
//!
//! Bytes are stored as `q + zero_point`, unsigned: 128 for q8_0, 8 for q4_0 (as ggml has it
//! already). The kernel subtracts `zero_point · Σ activations` once a block instead of converting
//! each weight. In q4_0 the low halves of line `c` are columns `4c..`, the high halves columns `16
//! + 4c..`.

use crate::blocks::{BLOCK, Blocks, Quantized};
use crate::simd::LANES;

/// Bytes of a line.
const LINE: usize = 64;

/// 64 bytes on a boundary of 64: a cache line, a register.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; LINE]);

/// A q8_0 or q4_0 matrix in panels of 16 rows; the last panel is filled up with zeros.
#[derive(Default)]
pub(crate) struct Panels {
    type_: Quantized,
    n_rows: usize,
    n_blocks: usize,
    lines: Vec<Line>,
}

/// 16 repacked rows.
#[derive(Clone, Copy)]
pub(crate) struct Panel<'a> {
    pub(crate) type_: Quantized,
    pub(crate) n_blocks: usize,
    /// All lines of block 0, then those of block 1, …
    pub(crate) lines: &'a [u8],
    /// 16 f16 for each block.
    pub(crate) scales: &'a [u8],
}

impl Panels {
    /// Lays out `bytes`, a matrix of `n_rows` rows of `n_columns` in ggml's blocks.
    ///
    /// `bytes` has the length that the shape needs (checked by `Device::upload`).
    pub(crate) fn new(type_: Quantized, [n_rows, n_columns]: [usize; 2], bytes: &[u8]) -> Self {
        let n_blocks = n_columns / BLOCK;
        let n_lines = n_rows.div_ceil(LANES) * Self::lines_per_panel(type_, n_blocks);
        let mut panels = Self {
            type_,
            n_rows,
            n_blocks,
            lines: vec![Line([0; LINE]); n_lines],
        };
        panels.place_all(bytes);
        panels
    }

    /// Lays out the 16 rows that begin at `first`, or those that are left, in place of what is
    /// here.
    pub(crate) fn repack(&mut self, blocks: Blocks<'_>, first: usize) {
        let Blocks {
            type_, n_blocks, ..
        } = blocks;
        let n_rows = LANES.min(blocks.n_rows - first);
        (self.type_, self.n_rows, self.n_blocks) = (type_, n_rows, n_blocks);
        if n_rows < LANES {
            // Rows that do not exist are zeros.
            self.lines.clear();
        }
        let n_lines = Self::lines_per_panel(type_, n_blocks);
        self.lines.resize(n_lines, Line([0; LINE]));
        self.place_all(blocks.rows(first..first + n_rows));
    }

    /// Deals out all blocks of the file.
    fn place_all(&mut self, bytes: &[u8]) {
        let row_bytes = self.n_blocks * self.type_.dtype().block_bytes();
        for (row, bytes) in bytes.chunks_exact(row_bytes.max(1)).enumerate() {
            for (block, bytes) in bytes
                .chunks_exact(self.type_.dtype().block_bytes())
                .enumerate()
            {
                self.place(row, block, bytes);
            }
        }
    }

    /// How many rows there are, without those that fill up the last panel.
    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// How many blocks a row has.
    pub(crate) fn n_blocks(&self) -> usize {
        self.n_blocks
    }

    /// 16 rows.
    pub(crate) fn panel(&self, index: usize) -> Panel<'_> {
        let n_lines = Self::lines_per_panel(self.type_, self.n_blocks);
        let lines = &self.lines[index * n_lines..(index + 1) * n_lines];
        let (blocks, scales) = lines.split_at(self.n_blocks * self.type_.lines());
        Panel {
            type_: self.type_,
            n_blocks: self.n_blocks,
            lines: bytes_of(blocks),
            scales: bytes_of(scales),
        }
    }

    /// The bytes of memory that a matrix takes.
    pub(crate) fn n_bytes(type_: Quantized, [n_rows, n_columns]: [usize; 2]) -> usize {
        n_rows.div_ceil(LANES) * Self::lines_per_panel(type_, n_columns / BLOCK) * LINE
    }

    /// A row in ggml's blocks again.
    pub(crate) fn row(&self, row: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.n_blocks * self.type_.dtype().block_bytes());
        let Panel { lines, scales, .. } = self.panel(row / LANES);
        let lane = row % LANES;
        let n_bytes = self.type_.lines() * LINE;
        for (lines, scales) in lines
            .chunks_exact(n_bytes)
            .zip(scales.chunks_exact(2 * LANES))
        {
            bytes.extend_from_slice(&scales[2 * lane..2 * lane + 2]);
            for line in lines.chunks_exact(LINE) {
                let quad = &line[4 * lane..4 * lane + 4];
                bytes.extend(quad.iter().map(|b| b ^ self.type_.flip()));
            }
        }
        bytes
    }

    /// Lines of one panel: its blocks and, two blocks to a line, their scales.
    fn lines_per_panel(type_: Quantized, n_blocks: usize) -> usize {
        n_blocks * type_.lines() + n_blocks.div_ceil(2)
    }

    /// Deals out one block of the file.
    fn place(&mut self, row: usize, block: usize, bytes: &[u8]) {
        let type_ = self.type_;
        let (panel, lane) = (row / LANES, row % LANES);
        let start = panel * Self::lines_per_panel(type_, self.n_blocks);
        let first = start + block * type_.lines();
        let flip = u32::from_ne_bytes([type_.flip(); 4]);
        for (line, quad) in self.lines[first..]
            .iter_mut()
            .zip(bytes[2..].chunks_exact(4))
        {
            // Four bytes at a time: where there is no memory for whole matrices, this is done at
            // every use.
            let four = u32::from_ne_bytes([quad[0], quad[1], quad[2], quad[3]]) ^ flip;
            line.0[4 * lane..4 * lane + 4].copy_from_slice(&four.to_ne_bytes());
        }
        let scales = start + self.n_blocks * type_.lines() + block / 2;
        let at = (block % 2) * 2 * LANES + 2 * lane;
        self.lines[scales].0[at..at + 2].copy_from_slice(&bytes[..2]);
    }
}

fn bytes_of(lines: &[Line]) -> &[u8] {
    // SAFETY: a `Line` is 64 bytes without padding, and the result borrows the same memory.
    unsafe { std::slice::from_raw_parts(lines.as_ptr().cast(), lines.len() * LINE) }
}

impl std::fmt::Debug for Panels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Panels({:?} [{}, {}])",
            self.type_,
            self.n_rows,
            self.n_blocks * BLOCK
        )
    }
}

#[cfg(test)]
mod tests {
    use gollm_tensor::quantize;

    use super::*;

    #[test]
    fn every_row_comes_back_as_it_was() {
        for type_ in [Quantized::Q8_0, Quantized::Q4_0] {
            for shape @ [n_rows, n_columns] in [[1, 32], [16, 64], [17, 96], [50, 160]] {
                let values: Vec<f32> = (0..n_rows * n_columns)
                    .map(|i| ((i * 37 + 11) % 101) as f32 - 50.0)
                    .collect();
                let bytes = quantize(&values, type_.dtype()).unwrap();
                let panels = Panels::new(type_, shape, &bytes);
                let rows: Vec<u8> = (0..n_rows).flat_map(|row| panels.row(row)).collect();
                assert_eq!(rows, bytes, "{type_:?} {shape:?}");
            }
        }
    }

    #[test]
    fn a_full_matrix_takes_no_more_than_in_the_file() {
        let bytes = vec![0; 64 * 8 * 34];
        let panels = Panels::new(Quantized::Q8_0, [64, 256], &bytes);
        assert_eq!(panels.lines.len() * LINE, bytes.len());
    }
}
