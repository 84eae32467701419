//! The types numbers are stored in, and how many bytes they take.
//!
//! Arithmetic is always f32; these types only say how a weight lies in memory. The blocked types
//! follow ggml's layout byte for byte, so that a GGUF file's blocks can be used as they are.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// How the numbers of a tensor are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DType {
    /// IEEE 754 single precision, 4 bytes.
    F32,
    /// IEEE 754 half precision, 2 bytes: 11 significant bits, largest value 65,504.
    F16,
    /// The upper half of an f32, 2 bytes: 8 significant bits, the range of f32.
    BF16,
    /// Blocks of 32 values: one f16 scale `d`, 32 signed bytes `q`; a value is `d · q`. 34 bytes.
    Q8_0,
    /// Blocks of 32 values: one f16 scale `d`, 32 nibbles `q`; a value is `d · (q − 8)`. 18 bytes.
    Q4_0,
}

impl DType {
    /// Every storage type, the most exact first.
    pub const ALL: [Self; 5] = [Self::F32, Self::F16, Self::BF16, Self::Q8_0, Self::Q4_0];

    /// The lower-case name used in configs, files and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::BF16 => "bf16",
            Self::Q8_0 => "q8_0",
            Self::Q4_0 => "q4_0",
        }
    }

    /// How many values are stored together: 32 for the blocked types, otherwise 1.
    #[must_use]
    pub const fn block_len(self) -> usize {
        match self {
            Self::F32 | Self::F16 | Self::BF16 => 1,
            Self::Q8_0 | Self::Q4_0 => 32,
        }
    }

    /// How many bytes one block takes.
    #[must_use]
    pub const fn block_bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
            Self::Q8_0 => 34,
            Self::Q4_0 => 18,
        }
    }

    /// The bytes that a tensor of `shape` takes in this type.
    ///
    /// # Errors
    ///
    /// If the last dimension is not a whole number of blocks, or the product overflows.
    pub fn n_bytes(self, shape: &[usize]) -> Result<usize> {
        let row = shape.last().copied().unwrap_or(1);
        if !row.is_multiple_of(self.block_len()) {
            return Err(Error::RaggedBlock {
                row,
                dtype: self,
                block: self.block_len(),
            });
        }
        let n_elements = n_elements(shape)?;
        (n_elements / self.block_len())
            .checked_mul(self.block_bytes())
            .ok_or_else(|| Error::TooLarge {
                shape: shape.to_vec(),
            })
    }
}

/// The number of values in a tensor of `shape`: the product of its dimensions, 1 for `[]`.
///
/// # Errors
///
/// If the product does not fit in a `usize`.
pub fn n_elements(shape: &[usize]) -> Result<usize> {
    // A zero anywhere makes the product zero, but only a product that fits at every step is
    // accepted, so that the order of the dimensions cannot matter.
    shape
        .iter()
        .try_fold(1usize, |product, &dim| product.checked_mul(dim))
        .ok_or_else(|| Error::TooLarge {
            shape: shape.to_vec(),
        })
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for DType {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|dtype| dtype.name() == text)
            .ok_or_else(|| Error::UnknownStorageType(text.to_owned()))
    }
}
