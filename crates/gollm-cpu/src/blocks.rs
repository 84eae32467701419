//! Quantized weights as they lie in the file: row after row, in ggml's blocks of 32 weights.

use std::ops::Range;

use gollm_tensor::DType;

/// Weights in a block.
pub(crate) const BLOCK: usize = 32;

/// The two quantized types.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Quantized {
    #[default]
    Q8_0,
    Q4_0,
}

impl Quantized {
    /// The type, if it is one of these.
    pub(crate) fn of(dtype: DType) -> Option<Self> {
        match dtype {
            DType::Q8_0 => Some(Self::Q8_0),
            DType::Q4_0 => Some(Self::Q4_0),
            DType::F32 | DType::F16 | DType::BF16 => None,
        }
    }

    /// The type as it is called elsewhere.
    pub(crate) fn dtype(self) -> DType {
        match self {
            Self::Q8_0 => DType::Q8_0,
            Self::Q4_0 => DType::Q4_0,
        }
    }

    /// Lines of 64 bytes that a block of 16 rows takes, without its scales.
    pub(crate) const fn lines(self) -> usize {
        match self {
            Self::Q8_0 => 8,
            Self::Q4_0 => 4,
        }
    }

    /// What was added to each weight to make it unsigned.
    pub(crate) const fn zero_point(self) -> i32 {
        match self {
            Self::Q8_0 => 128,
            Self::Q4_0 => 8,
        }
    }

    /// What turns a byte of the file into a byte of a panel, and back.
    pub(crate) const fn flip(self) -> u8 {
        match self {
            Self::Q8_0 => 0x80,
            Self::Q4_0 => 0,
        }
    }
}

/// A q8_0 or q4_0 matrix as it lies in the file.
#[derive(Clone, Copy)]
pub(crate) struct Blocks<'a> {
    pub(crate) type_: Quantized,
    pub(crate) n_rows: usize,
    pub(crate) n_blocks: usize,
    bytes: &'a [u8],
}

impl<'a> Blocks<'a> {
    /// A matrix whose bytes are exactly those of its shape, or `None`.
    pub(crate) fn new(bytes: &'a [u8], dtype: DType, shape: [usize; 2]) -> Option<Self> {
        let type_ = Quantized::of(dtype)?;
        (dtype.n_bytes(&shape).ok()? == bytes.len()).then_some(Self {
            type_,
            n_rows: shape[0],
            n_blocks: shape[1] / BLOCK,
            bytes,
        })
    }

    /// Some rows.
    pub(crate) fn rows(&self, rows: Range<usize>) -> &'a [u8] {
        let row_bytes = self.n_blocks * self.type_.dtype().block_bytes();
        &self.bytes[rows.start * row_bytes..rows.end * row_bytes]
    }
}
