//! Products with a weight: which kernel, and how windows meet.

use std::ops::Range;

use gollm_tensor::{DType, Result, Tensor};

use crate::kernels::{Kernel, Product};
use crate::memory::{Memory, Window, columns, memory};
use crate::recorder::Bound::{self, Buffer};
use crate::recorder::Launch;
use crate::wgpu_backend::Inner;

/// Up to so many tokens the weight is read once for every few of them; above, in tiles.
const FEW_TOKENS: usize = 16;
/// Tokens of one workgroup of the kernels for few tokens, at most.
const MOST_TOKENS: usize = 8;
/// Rows of a weight, and tokens, of one workgroup; as in the kernels' files.
const MATVEC_ROWS: usize = 4;
const GATE_UP_ROWS: usize = 2;
const TILE: usize = 64;

/// The product of some tokens with one window of a weight.
struct Piece<'a> {
    x: &'a Window,
    y: &'a Window,
    tokens: Range<usize>,
    weight: &'a Memory,
    rows: Range<usize>,
    n_out: usize,
}

impl Inner {
    /// `x · weightᵀ`, `[n_tokens, n_out]`.
    pub(crate) fn product(&self, x: &Memory, n_tokens: usize, weight: &Tensor) -> Result<Memory> {
        let (n_out, dtype, weight_memory) = (weight.shape()[0], weight.dtype(), memory(weight)?);
        if columns(weight) == 0 {
            // A sum of nothing.
            return self.zeroed(&[n_tokens, n_out], DType::F32);
        }
        let y = self.result(n_tokens, n_out)?;
        for (from, to, tokens) in shared_rows(&x.windows, &y.windows) {
            for window in &weight_memory.windows {
                let piece = Piece {
                    x: from,
                    y: to,
                    tokens: tokens.clone(),
                    weight: weight_memory,
                    rows: window.rows.clone(),
                    n_out,
                };
                let few = tokens.len() <= FEW_TOKENS;
                let (kernel, n_groups) = if few {
                    (
                        Kernel::Matvec(few_tokens(dtype, tokens.len())),
                        piece.few(MATVEC_ROWS),
                    )
                } else {
                    let tiles = window.n_rows().div_ceil(TILE) * tokens.len().div_ceil(TILE);
                    (Kernel::Matmul(dtype), tiles)
                };
                self.multiply(kernel, n_groups, &piece, &[Buffer(window.buffer())])?;
            }
        }
        Ok(y)
    }

    /// `silu(x · gateᵀ) · (x · upᵀ)`, `[n_tokens, hidden_dim]`.
    pub(crate) fn gated(
        &self,
        x: &Memory,
        n_tokens: usize,
        [gate, up]: [&Tensor; 2],
    ) -> Result<Memory> {
        let same_windows = memory(gate)?.same_rows(memory(up)?);
        let fused = n_tokens <= FEW_TOKENS && gate.dtype() == up.dtype() && same_windows;
        if !fused || columns(gate) == 0 {
            let gate = self.product(x, n_tokens, gate)?;
            let up = self.product(x, n_tokens, up)?;
            return self.by_number(Kernel::Swiglu, &gate, &up);
        }
        let y = self.result(n_tokens, gate.shape()[0])?;
        let (gate_memory, up_memory) = (memory(gate)?, memory(up)?);
        for (from, to, tokens) in shared_rows(&x.windows, &y.windows) {
            for (gate_window, up_window) in gate_memory.windows.iter().zip(&up_memory.windows) {
                let piece = Piece {
                    x: from,
                    y: to,
                    tokens: tokens.clone(),
                    weight: gate_memory,
                    rows: gate_window.rows.clone(),
                    n_out: y.columns,
                };
                let kernel = Kernel::GateUp(few_tokens(gate.dtype(), tokens.len()));
                let weights = [Buffer(gate_window.buffer()), Buffer(up_window.buffer())];
                self.multiply(kernel, piece.few(GATE_UP_ROWS), &piece, &weights)?;
            }
        }
        Ok(y)
    }

    fn multiply(
        &self,
        kernel: Kernel,
        n_groups: usize,
        piece: &Piece<'_>,
        weights: &[Bound<'_>],
    ) -> Result<()> {
        let params = [
            piece.weight.columns,
            piece.tokens.len(),
            piece.rows.len(),
            piece.weight.row_words,
            piece.tokens.start - piece.x.rows.start,
            piece.tokens.start - piece.y.rows.start,
            piece.n_out,
            piece.rows.start,
        ];
        let mut buffers = vec![Buffer(piece.x.buffer())];
        buffers.extend_from_slice(weights);
        buffers.push(Buffer(piece.y.buffer()));
        let n_products = piece.tokens.len() * piece.rows.len() * weights.len();
        let launch = Launch {
            params: &params.map(|n| n as u32),
            buffers: &buffers,
            n_groups,
            work: n_products as u64 * piece.weight.columns as u64,
        };
        self.launch(kernel, &launch)
    }
}

impl Piece<'_> {
    /// Workgroups of a kernel for few tokens.
    fn few(&self, rows: usize) -> usize {
        let tokens = self.tokens.len();
        self.rows.len().div_ceil(rows) * tokens.div_ceil(tokens_of_a_group(tokens))
    }
}

fn few_tokens(dtype: DType, n_tokens: usize) -> Product {
    Product {
        dtype,
        tokens: tokens_of_a_group(n_tokens) as u32,
    }
}

/// A power of two, so that there are few kernels to compile.
fn tokens_of_a_group(n_tokens: usize) -> usize {
    n_tokens.next_power_of_two().min(MOST_TOKENS)
}

/// The rows that two lists of windows have in common, window by window.
fn shared_rows<'a>(
    a: &'a [Window],
    b: &'a [Window],
) -> impl Iterator<Item = (&'a Window, &'a Window, Range<usize>)> {
    a.iter().flat_map(move |a| {
        b.iter().filter_map(move |b| {
            let rows = a.rows.start.max(b.rows.start)..a.rows.end.min(b.rows.end);
            (!rows.is_empty()).then_some((a, b, rows))
        })
    })
}
