//! What can be wrong with one descriptor.

use gollm_tensor::DType;

use super::{MAX_NAME_BYTES, MAX_RANK};

/// What is wrong with one descriptor.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DescriptorError {
    /// The bytes for descriptors end inside this one.
    #[error("the descriptors end in the middle of it")]
    Cut,
    /// A name of no bytes, or of too many.
    #[error("its name has {0} bytes, expected 1 to {MAX_NAME_BYTES}")]
    NameLength(usize),
    /// A name that is not text.
    #[error("its name is not UTF-8")]
    NameNotUtf8,
    /// A name that would disturb a terminal or a log.
    #[error("its name contains a control character")]
    NameControlCharacter,
    /// A code that stands for no storage type.
    #[error(
        "storage type code {0} is unknown; known are 0 (f32), 1 (f16), 2 (q4_0), 8 (q8_0), \
         30 (bf16): the file may need a newer gollm"
    )]
    UnknownDType(u8),
    /// Too few or too many dimensions.
    #[error("it has {0} dimensions, expected 1 to {MAX_RANK}")]
    Rank(usize),
    /// A tensor of nothing.
    #[error("dimension {0} is zero")]
    ZeroDimension(usize),
    /// A shape that cannot be, in this type.
    #[error("{0}")]
    Shape(gollm_tensor::Error),
    /// A number that this machine cannot count to.
    #[error("{field} is {value}, more than this machine can address")]
    TooLarge {
        /// The field of the descriptor.
        field: &'static str,
        /// The number that stands there.
        value: u64,
    },
    /// Bytes that do not fill the shape.
    #[error("shape {shape:?} in {dtype} takes {expected} bytes, but its data has {found}")]
    Length {
        /// The tensor's shape.
        shape: Vec<usize>,
        /// Its storage type.
        dtype: DType,
        /// The bytes that the shape takes.
        expected: usize,
        /// The bytes that the descriptor claims.
        found: usize,
    },
    /// A vector in a narrow type.
    #[error("it is a vector stored as {0}; vectors (the norms' scales) are stored as f32")]
    NarrowVector(DType),
    /// Data that does not start on a boundary.
    #[error("its data starts at byte {0}, which is not a multiple of 64")]
    Misaligned(usize),
    /// Data inside the data or the head before it.
    #[error(
        "its data starts at byte {offset}, but what comes before it ends at {previous_end}: \
         tensors overlap or are out of order"
    )]
    Overlap {
        /// Where the data starts.
        offset: usize,
        /// Where the head or the tensor before it ends.
        previous_end: usize,
    },
    /// Room that belongs to no tensor.
    #[error(
        "its data starts at byte {offset}, expected {expected}: bytes between tensors belong to \
         nothing"
    )]
    Gap {
        /// Where the data starts.
        offset: usize,
        /// Where it must start.
        expected: usize,
    },
    /// Data past the end of the file, as the header gives it.
    #[error(
        "its data ({n_bytes} bytes from byte {offset}) reaches past the end of the file at \
         {file_bytes}"
    )]
    OutOfRange {
        /// Where the data starts.
        offset: usize,
        /// How long it is.
        n_bytes: usize,
        /// The file's length, as the header gives it.
        file_bytes: usize,
    },
    /// A name that an earlier tensor has.
    #[error("an earlier tensor has the same name")]
    DuplicateName,
}
