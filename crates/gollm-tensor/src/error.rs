//! What can go wrong between tensors: every message carries the operation, the names and the numbers.

use crate::dtype::DType;

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An operation on tensors that could not be done.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// A tensor has another shape than the operation needs.
    #[error("{operation}: `{name}` has shape {found:?}, expected {expected}")]
    Shape {
        /// The operation, as the `Tensor` method is called.
        operation: &'static str,
        /// The argument, as the method's documentation names it.
        name: &'static str,
        /// The shape that was given.
        found: Vec<usize>,
        /// The shape that was needed, with its names and numbers.
        expected: String,
    },
    /// A tensor is stored in a type that the operation does not take.
    #[error("{operation}: `{name}` is stored as {found}, expected {expected}")]
    StorageType {
        /// The operation, as the `Tensor` method is called.
        operation: &'static str,
        /// The argument, as the method's documentation names it.
        name: &'static str,
        /// The type that was given.
        found: DType,
        /// The type or types that were needed.
        expected: &'static str,
    },
    /// A token id, row, sequence or position lies outside the tensor it points into.
    #[error("{operation}: {name} {found} is out of range, there are {limit}")]
    OutOfRange {
        /// The operation, as the `Tensor` method is called.
        operation: &'static str,
        /// What the number counts: `token id`, `row`, `sequence`, `position`.
        name: &'static str,
        /// The number that was given.
        found: usize,
        /// How many there are; the largest allowed number is one less.
        limit: usize,
    },
    /// A row that is to be written is named twice, so that the order would matter.
    #[error("{operation}: {name} {found} is there twice, expected each once")]
    Twice {
        /// The operation, as the `Tensor` method is called.
        operation: &'static str,
        /// What the number counts: `row`.
        name: &'static str,
        /// The number that was given twice.
        found: usize,
    },
    /// Two lists that go together have different lengths, or bytes do not fill a shape.
    #[error("{operation}: {name} has length {found}, expected {expected}")]
    Length {
        /// The operation, as the method is called.
        operation: &'static str,
        /// What has the wrong length.
        name: &'static str,
        /// The length that was given.
        found: usize,
        /// The length that was needed.
        expected: usize,
    },
    /// A shape whose number of elements or bytes does not fit in a `usize`.
    #[error("a tensor of shape {shape:?} has more elements than this machine can address")]
    TooLarge {
        /// The shape that was asked for.
        shape: Vec<usize>,
    },
    /// Rows of a blocked type must be whole blocks.
    #[error("a row of {row} values cannot be stored as {dtype}: it is not a multiple of {block}")]
    RaggedBlock {
        /// The number of values in a row.
        row: usize,
        /// The blocked storage type.
        dtype: DType,
        /// The number of values in one block.
        block: usize,
    },
    /// Operands that live on different devices.
    #[error(
        "{operation}: `{name}` lives on another device (`{found}`) than the first operand (`{expected}`); move it there first"
    )]
    DeviceMismatch {
        /// The operation, as the `Tensor` method is called.
        operation: &'static str,
        /// The argument that lives elsewhere.
        name: &'static str,
        /// Where it lives.
        found: String,
        /// Where it should live.
        expected: String,
    },
    /// A tensor that is written to while another handle still reads it.
    #[error("{operation}: `{name}` is shared by several handles and cannot be written in place")]
    Shared {
        /// The operation, as the `Tensor` method is called.
        operation: &'static str,
        /// The argument that should have been written.
        name: &'static str,
    },
    /// A name that is not one of the storage types.
    #[error("unknown storage type `{0}`, expected one of f32, f16, bf16, q8_0, q4_0")]
    UnknownStorageType(String),
    /// The device itself failed: out of memory, lost, or a library is missing.
    #[error("device `{device}`: {message}")]
    Device {
        /// The device's name.
        device: String,
        /// What it said.
        message: String,
    },
}
