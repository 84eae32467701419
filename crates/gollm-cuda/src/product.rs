//! Which kernel a product gets.
//!
//! A few tokens: a warp for each output, all weights of the operation in one launch, RMSNorm on the way.
//! Many: the vendor's library where there is one, else tiles. Between the two lies the number of tokens
//! for which reading the weights once for every eight costs as much as a tile that is half empty.

use gollm_tensor::{DType, Result, Tensor};

use crate::cuda::Cuda;
use crate::kernel::Kernel;
use crate::memory::{argument, matrix_shape, numbers};
use crate::pending::Pending;
use crate::pool::Buffer;
use crate::runtime::{Argument, Library, LibraryProduct};

/// The most tokens that are multiplied eight at a time.
const FEW_TOKENS: usize = 16;

/// Warps of a block of `mat_vec` and `gate_up`.
const WARPS: u32 = 4;

/// Threads of such a block.
pub(crate) const MAT_VEC_BLOCK: u32 = WARPS * 32;

/// The most weights of one launch of `mat_vec`.
const WEIGHTS: usize = 3;

/// Nothing: an address that the kernels take for "there is none".
const NONE: Argument = Argument::Address(0);

/// RMSNorm that is to be done on the way: its gains and epsilon.
#[derive(Clone, Copy)]
pub(crate) struct Norm<'a> {
    pub(crate) gain: &'a Tensor,
    pub(crate) eps: f32,
}

impl Norm<'_> {
    /// The two arguments of a kernel.
    fn arguments(norm: Option<Self>) -> Result<[Argument; 2]> {
        match norm {
            Some(norm) => Ok([argument(norm.gain)?, Argument::F32(norm.eps)]),
            None => Ok([NONE, Argument::F32(0.0)]),
        }
    }
}

/// Whether `n_tokens` are few.
pub(crate) fn is_few(n_tokens: usize) -> bool {
    n_tokens <= FEW_TOKENS
}

impl Cuda {
    /// `x · weightᵀ` for each weight, of x normalized if there is a norm.
    pub(crate) fn products(
        &self,
        x: &Tensor,
        norm: Option<Norm<'_>>,
        weights: &[&Tensor],
    ) -> Result<Vec<Tensor>> {
        let n_tokens = matrix_shape(x).0;
        let new_out = |w: &&Tensor| self.new_result(x, &[n_tokens, matrix_shape(w).0]);
        let outs = weights.iter().map(new_out).collect::<Result<Vec<_>>>()?;
        if is_few(n_tokens) {
            self.few_tokens(x, norm, weights, &outs)?;
            return Ok(outs);
        }
        let normalized = norm.map(|norm| self.normalized(x, norm)).transpose()?;
        let x = normalized.as_ref().unwrap_or(x);
        for (weight, out) in weights.iter().zip(&outs) {
            self.many_tokens(x, weight, out)?;
        }
        Ok(outs)
    }

    /// RMSNorm by itself.
    pub(crate) fn normalized(&self, x: &Tensor, norm: Norm<'_>) -> Result<Tensor> {
        // A row, or each head of it if the gains are those of a head.
        let n_columns = norm.gain.n_elements();
        let n_rows = x.n_elements().checked_div(n_columns).unwrap_or(0);
        let out = self.new_result(x, x.shape())?;
        let [gain, eps] = Norm::arguments(Some(norm))?;
        let n = self.size(n_columns)?;
        let arguments = [argument(x)?, gain, eps, argument(&out)?, n];
        self.launch_rows(Kernel::RmsNorm, n_rows, &arguments)?;
        Ok(out)
    }

    /// `silu(n · gateᵀ) · (n · upᵀ)`, n = RMSNorm(x), for a few tokens and matrices of one type.
    pub(crate) fn gate_up(
        &self,
        x: &Tensor,
        norm: Norm<'_>,
        gate: &Tensor,
        up: &Tensor,
    ) -> Result<Tensor> {
        let ((n_tokens, n_in), n_out) = (matrix_shape(x), matrix_shape(gate).0);
        let out = self.new_result(x, &[n_tokens, n_out])?;
        let (kernel, tokens) = match n_tokens {
            1 => (Kernel::gate_up(gate.dtype()), 1),
            _ => (Kernel::gate_up_8(gate.dtype()), 8),
        };
        let [gain, eps] = Norm::arguments(Some(norm))?;
        let arguments = [
            argument(x)?,
            gain,
            eps,
            self.size(n_tokens)?,
            self.size(n_in)?,
            argument(gate)?,
            argument(up)?,
            argument(&out)?,
            self.size(n_out)?,
        ];
        let blocks = self.count(n_out)?.div_ceil(WARPS);
        let grid = [blocks, self.count(n_tokens)?.div_ceil(tokens), 1];
        self.launch(kernel, grid, MAT_VEC_BLOCK, 0, &arguments)?;
        Ok(out)
    }

    /// A launch for each group of neighbours of one type.
    fn few_tokens(
        &self,
        x: &Tensor,
        norm: Option<Norm<'_>>,
        weights: &[&Tensor],
        outs: &[Tensor],
    ) -> Result<()> {
        let mut done = 0;
        for same_type in weights.chunk_by(|a, b| a.dtype() == b.dtype()) {
            for group in same_type.chunks(WEIGHTS) {
                self.mat_vec(x, norm, group, &outs[done..done + group.len()])?;
                done += group.len();
            }
        }
        Ok(())
    }

    fn mat_vec(
        &self,
        x: &Tensor,
        norm: Option<Norm<'_>>,
        weights: &[&Tensor],
        outs: &[Tensor],
    ) -> Result<()> {
        let (n_tokens, n_in) = matrix_shape(x);
        let dtype = weights[0].dtype();
        let (kernel, tokens, rows) = match n_tokens {
            1 => (Kernel::mat_vec(dtype), 1, 1),
            _ => (Kernel::mat_vec_8(dtype), 8, 2),
        };
        let [gain, eps] = Norm::arguments(norm)?;
        let (n_tokens, n_in) = (self.count(n_tokens)?, self.size(n_in)?);
        let mut arguments = vec![argument(x)?, gain, eps, Argument::U32(n_tokens), n_in];
        let mut blocks = 0u32;
        for i in 0..WEIGHTS {
            let (Some(weight), Some(out)) = (weights.get(i), outs.get(i)) else {
                arguments.extend([NONE, NONE, Argument::U32(0)]);
                continue;
            };
            let n_out = self.count(matrix_shape(weight).0)?;
            arguments.extend([argument(weight)?, argument(out)?, Argument::U32(n_out)]);
            blocks = blocks.saturating_add(n_out.div_ceil(WARPS * rows));
        }
        let grid = [blocks, n_tokens.div_ceil(tokens), 1];
        if let ([weight], [out], None) = (weights, outs, norm) {
            // A product without a norm is one that the residual stream takes.
            return self.defer(Pending::new(kernel, grid, arguments, [x, weight, out])?);
        }
        arguments.extend([NONE, NONE]);
        self.launch(kernel, grid, MAT_VEC_BLOCK, 0, &arguments)
    }

    fn many_tokens(&self, x: &Tensor, weight: &Tensor, out: &Tensor) -> Result<()> {
        let ((n_tokens, n_in), n_out) = (matrix_shape(x), matrix_shape(weight).0);
        if n_in > 0 && n_out > 0 && self.on_library(x, weight, out)? {
            return Ok(());
        }
        let (n_tokens, n_in) = (self.count(n_tokens)?, self.size(n_in)?);
        let n_out = self.count(n_out)?;
        let arguments = [
            argument(x)?,
            argument(weight)?,
            argument(out)?,
            Argument::U32(n_tokens),
            n_in,
            Argument::U32(n_out),
        ];
        let grid = [n_out.div_ceil(64), n_tokens.div_ceil(64), 1];
        let kernel = Kernel::mat_mul(weight.dtype());
        self.launch(kernel, grid, 256, 0, &arguments)
    }

    /// The product by the vendor's library, with operands of the type that it was told to take; false if
    /// there is none.
    fn on_library(&self, x: &Tensor, weight: &Tensor, out: &Tensor) -> Result<bool> {
        let wanted = match (self.runtime().library(), weight.dtype()) {
            (Library::Off, _) => return Ok(false),
            (Library::F32, _) | (Library::F16, DType::F32 | DType::BF16) => DType::F32,
            (Library::F16, DType::F16 | DType::Q8_0 | DType::Q4_0) => DType::F16,
        };
        let ((n_tokens, n_in), n_out) = (matrix_shape(x), matrix_shape(weight).0);
        let (x, weight) = (self.converted(x, wanted)?, self.converted(weight, wanted)?);
        self.queue()?.product(&LibraryProduct {
            x: x.address(),
            x_type: wanted,
            weight: weight.address(),
            weight_type: wanted,
            out: numbers(out)?.0.address(),
            n_tokens,
            n_in,
            n_out,
        })
    }

    /// A matrix as f32 or f16, where it lies or in a copy.
    fn converted<'a>(&self, from: &'a Tensor, wanted: DType) -> Result<Converted<'a>> {
        let kernel = match wanted {
            DType::F16 => Kernel::to_f16(from.dtype()),
            _ => Kernel::to_f32(from.dtype()),
        };
        let Some(kernel) = kernel else {
            return Ok(Converted::Same(&numbers(from)?.0));
        };
        let (n_rows, n_columns) = matrix_shape(from);
        let copy = self.pool.take(wanted.n_bytes(from.shape())?)?;
        let to = Argument::Address(copy.address());
        let (rows, columns) = (self.size(n_rows)?, self.size(n_columns)?);
        self.launch_rows(kernel, n_rows, &[argument(from)?, to, rows, columns])?;
        Ok(Converted::Copy(copy))
    }
}

/// An operand of the library. A copy may be dropped once the product is queued.
enum Converted<'a> {
    Same(&'a Buffer),
    Copy(Buffer),
}

impl Converted<'_> {
    fn address(&self) -> u64 {
        match self {
            Self::Same(buffer) => buffer.address(),
            Self::Copy(buffer) => buffer.address(),
        }
    }
}
