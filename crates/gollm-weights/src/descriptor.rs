//! A tensor's descriptor: its name, shape, storage type, place in the file and checksum.
//!
//! Byte by byte in `docs/format.md`, section 4.

mod error;

use gollm_tensor::DType;

use crate::byte_reader::ByteReader;
use crate::header::{ALIGNMENT, align};
pub use error::DescriptorError;

/// The longest name of a tensor, in bytes of UTF-8.
pub const MAX_NAME_BYTES: usize = 255;
/// The most dimensions that a tensor may have.
pub const MAX_RANK: usize = 4;
/// How many bytes of BLAKE3 guard a tensor's data.
pub(crate) const CHECKSUM_BYTES: usize = 32;
/// A descriptor without its name and its dimensions: two lengths, a code, and the three last fields.
const FIXED_BYTES: usize = 4 + 8 + 8 + CHECKSUM_BYTES;
/// A name of one byte and one dimension.
pub(crate) const SMALLEST_DESCRIPTOR: usize = FIXED_BYTES + 1 + 8;
/// The longest name and every dimension.
pub(crate) const LARGEST_DESCRIPTOR: usize = FIXED_BYTES + MAX_NAME_BYTES + 8 * MAX_RANK;

/// One tensor of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorDescriptor {
    /// The parameter's name, such as `blocks.0.attn.q_proj.weight`.
    pub name: String,
    /// How its numbers are stored.
    pub dtype: DType,
    /// Its dimensions, the outermost first; a matrix is `[out, in]`.
    pub shape: Vec<usize>,
    /// Where its data starts, in bytes from the start of the file; a multiple of 64.
    pub offset: usize,
    /// How many bytes of data it has.
    pub n_bytes: usize,
    /// The BLAKE3 hash of its data.
    pub checksum: [u8; CHECKSUM_BYTES],
}

impl TensorDescriptor {
    /// How many bytes the descriptor of a tensor takes.
    pub(crate) fn encoded_bytes(name: &str, rank: usize) -> usize {
        FIXED_BYTES + name.len() + 8 * rank
    }

    /// Appends the descriptor as it stands in the file.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        // The writer has checked name and rank with `check_name` and `check_shape`.
        out.extend((self.name.len() as u16).to_le_bytes());
        out.push(dtype_code(self.dtype));
        out.push(self.shape.len() as u8);
        out.extend(self.name.as_bytes());
        for dim in &self.shape {
            out.extend((*dim as u64).to_le_bytes());
        }
        out.extend((self.offset as u64).to_le_bytes());
        out.extend((self.n_bytes as u64).to_le_bytes());
        out.extend(self.checksum);
    }

    /// Reads the next descriptor; the error comes with the name where that much could be read.
    pub(crate) fn read(
        reader: &mut ByteReader<'_>,
    ) -> Result<Self, (Option<String>, DescriptorError)> {
        let cut = || (None, DescriptorError::Cut);
        let name_bytes = usize::from(reader.u16().ok_or_else(cut)?);
        let code = reader.u8().ok_or_else(cut)?;
        let rank = usize::from(reader.u8().ok_or_else(cut)?);
        check_name_length(name_bytes).map_err(|problem| (None, problem))?;
        let name = std::str::from_utf8(reader.take(name_bytes).ok_or_else(cut)?)
            .map_err(|_| (None, DescriptorError::NameNotUtf8))?;
        check_name(name)
            .and_then(|()| Self::read_rest(reader, name, code, rank))
            .map_err(|problem| (Some(name.to_owned()), problem))
    }

    fn read_rest(
        reader: &mut ByteReader<'_>,
        name: &str,
        code: u8,
        rank: usize,
    ) -> Result<Self, DescriptorError> {
        let dtype = dtype_of_code(code).ok_or(DescriptorError::UnknownDType(code))?;
        check_rank(rank)?;
        let mut shape = Vec::with_capacity(rank);
        for _ in 0..rank {
            shape.push(read_usize(reader, "a dimension")?);
        }
        let offset = read_usize(reader, "the offset")?;
        let found = read_usize(reader, "the number of bytes")?;
        let checksum = reader.array().ok_or(DescriptorError::Cut)?;
        let expected = check_shape(&shape, dtype)?;
        if found != expected {
            return Err(DescriptorError::Length {
                shape,
                dtype,
                expected,
                found,
            });
        }
        Ok(Self {
            name: name.to_owned(),
            dtype,
            shape,
            offset,
            n_bytes: found,
            checksum,
        })
    }

    /// How many numbers the tensor holds: the product of its dimensions.
    #[must_use]
    pub fn n_elements(&self) -> usize {
        // The product was checked when the descriptor was read.
        self.shape.iter().product()
    }

    /// Where the data ends, or `None` where that overflows.
    pub(crate) fn end(&self) -> Option<usize> {
        self.offset.checked_add(self.n_bytes)
    }

    /// Checks the place of the data: right behind `previous_end` (rounded up to the alignment) and
    /// inside the file. Returns where it ends.
    pub(crate) fn check_place(
        &self,
        previous_end: usize,
        file_bytes: usize,
    ) -> Result<usize, DescriptorError> {
        let Self {
            offset, n_bytes, ..
        } = *self;
        let out_of_range = DescriptorError::OutOfRange {
            offset,
            n_bytes,
            file_bytes,
        };
        let end = self
            .end()
            .filter(|end| *end <= file_bytes)
            .ok_or(out_of_range.clone())?;
        if !offset.is_multiple_of(ALIGNMENT) {
            return Err(DescriptorError::Misaligned(offset));
        }
        let expected = align(previous_end).ok_or(out_of_range)?;
        if offset < expected {
            return Err(DescriptorError::Overlap {
                offset,
                previous_end,
            });
        }
        if offset > expected {
            return Err(DescriptorError::Gap { offset, expected });
        }
        Ok(end)
    }
}

/// The code of a storage type: ggml's own numbers, so that there is one table to remember and room
/// for its other types. Source: `enum ggml_type`,
/// <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>.
pub(crate) const fn dtype_code(dtype: DType) -> u8 {
    match dtype {
        DType::F32 => 0,
        DType::F16 => 1,
        DType::Q4_0 => 2,
        DType::Q8_0 => 8,
        DType::BF16 => 30,
    }
}

fn dtype_of_code(code: u8) -> Option<DType> {
    DType::ALL
        .into_iter()
        .find(|dtype| dtype_code(*dtype) == code)
}

fn read_usize(reader: &mut ByteReader<'_>, field: &'static str) -> Result<usize, DescriptorError> {
    let value = reader.u64().ok_or(DescriptorError::Cut)?;
    usize::try_from(value).map_err(|_| DescriptorError::TooLarge { field, value })
}

fn check_name_length(n_bytes: usize) -> Result<(), DescriptorError> {
    if !(1..=MAX_NAME_BYTES).contains(&n_bytes) {
        return Err(DescriptorError::NameLength(n_bytes));
    }
    Ok(())
}

/// Checks a name's length and characters, as a reader will.
pub(crate) fn check_name(name: &str) -> Result<(), DescriptorError> {
    check_name_length(name.len())?;
    if name.chars().any(char::is_control) {
        return Err(DescriptorError::NameControlCharacter);
    }
    Ok(())
}

fn check_rank(rank: usize) -> Result<(), DescriptorError> {
    if !(1..=MAX_RANK).contains(&rank) {
        return Err(DescriptorError::Rank(rank));
    }
    Ok(())
}

/// Checks a shape and its type, as a reader will, and returns how many bytes it takes.
pub(crate) fn check_shape(shape: &[usize], dtype: DType) -> Result<usize, DescriptorError> {
    check_rank(shape.len())?;
    if let Some(index) = shape.iter().position(|dim| *dim == 0) {
        return Err(DescriptorError::ZeroDimension(index));
    }
    if shape.len() == 1 && dtype != DType::F32 {
        return Err(DescriptorError::NarrowVector(dtype));
    }
    dtype.n_bytes(shape).map_err(DescriptorError::Shape)
}
