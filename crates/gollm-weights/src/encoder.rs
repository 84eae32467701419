//! Lays a model out as the bytes of a file, one tensor at a time.
//!
//! The names and ranks of all tensors follow from the config, so the length of the head is known
//! before the first tensor arrives: data is written as it comes, and the head, whose checksums are
//! only known then, last. A model need never be in memory as a whole.

use std::io::{self, Seek, SeekFrom, Write};

use gollm_model::is_router;
use gollm_tensor::{DType, quantize};

use crate::agreement::{Checklist, Tick};
use crate::descriptor::{DescriptorError, TensorDescriptor, check_name, check_shape};
use crate::error::{Error, Result};
use crate::head::Head;
use crate::header::{ALIGNMENT, HEAD_CHECKSUM_BYTES, HEADER_BYTES, Header, Version, align};
use crate::metadata::Metadata;
use crate::non_finite::{NonFinite, count_non_finite};
use crate::writer::WriteError;

/// Writes the parts of a file to `sink`, which starts empty.
pub(crate) struct Encoder<W> {
    sink: W,
    version: Version,
    metadata: Vec<u8>,
    checklist: Checklist,
    descriptors_bytes: usize,
    tensors: Vec<TensorDescriptor>,
    /// How much has been written; where the next padding starts.
    end: usize,
    /// Whether a write failed: then `sink` may hold part of a tensor, and `end` is not where it ends.
    broken: bool,
}

impl<W: Write + Seek> Encoder<W> {
    /// Leaves room for the head at the start of `sink`.
    pub(crate) fn new(mut sink: W, metadata: &Metadata) -> Result<Self> {
        let checklist = Checklist::new(&metadata.config).map_err(Error::Disagreement)?;
        let version = Version::of(&metadata.config);
        let metadata = metadata.to_json().map_err(Error::Metadata)?;
        let descriptors_bytes = checklist
            .expected()
            .iter()
            .map(|spec| TensorDescriptor::encoded_bytes(&spec.name, spec.shape.len()))
            .sum();
        // Metadata is at most 64 MiB and there are at most a few thousand tensors: this cannot
        // overflow.
        let end = HEADER_BYTES + metadata.len() + descriptors_bytes;
        write_zeros(&mut sink, end)?;
        Ok(Self {
            sink,
            version,
            metadata,
            checklist,
            descriptors_bytes,
            tensors: Vec::new(),
            end,
            broken: false,
        })
    }

    /// Appends a tensor whose bytes are already those of `dtype`.
    pub(crate) fn tensor(
        &mut self,
        name: &str,
        shape: &[usize],
        dtype: DType,
        bytes: &[u8],
    ) -> Result<()> {
        let problem = |problem| refused(name, problem);
        check_name(name).map_err(problem)?;
        let expected = check_shape(shape, dtype).map_err(problem)?;
        if bytes.len() != expected {
            let (shape, found) = (shape.to_vec(), bytes.len());
            return Err(problem(DescriptorError::Length {
                shape,
                dtype,
                expected,
                found,
            }));
        }
        if let Tick::Again = self
            .checklist
            .tick(name, shape)
            .map_err(Error::Disagreement)?
        {
            return Err(problem(DescriptorError::DuplicateName));
        }
        self.append(name, shape, dtype, bytes)
    }

    /// Appends a tensor of f32 values, stored as [`stored_dtype`] says; a router of experts as f32.
    pub(crate) fn tensor_f32(
        &mut self,
        name: &str,
        shape: &[usize],
        dtype: DType,
        values: &[f32],
    ) -> Result<()> {
        let dtype = match is_router(name) {
            true => DType::F32,
            false => stored_dtype(shape, dtype),
        };
        // Before anything is encoded: rows that are not whole blocks, values that do not fill it.
        check_shape(shape, dtype).map_err(|problem| refused(name, problem))?;
        check_values(name, values)?;
        let bytes = quantize(values, dtype)
            .map_err(|error| refused(name, DescriptorError::Shape(error)))?;
        if count_non_finite(&bytes, dtype) != NonFinite::default() {
            let largest = values
                .iter()
                .fold(0.0f32, |largest, v| largest.max(v.abs()));
            let name = name.to_owned();
            return Err(Error::Write(WriteError::TooLargeForType {
                name,
                largest,
                dtype,
            }));
        }
        self.tensor(name, shape, dtype, &bytes)
    }

    fn append(&mut self, name: &str, shape: &[usize], dtype: DType, bytes: &[u8]) -> Result<()> {
        let too_large = || Error::TooLargeForMachine {
            file_bytes: u64::MAX,
        };
        let offset = align(self.end).ok_or_else(too_large)?;
        let end = offset.checked_add(bytes.len()).ok_or_else(too_large)?;
        self.check_whole()?;
        self.broken = true;
        write_zeros(&mut self.sink, offset - self.end)?;
        self.sink.write_all(bytes).map_err(write_failed)?;
        self.broken = false;
        self.end = end;
        self.tensors.push(TensorDescriptor {
            name: name.to_owned(),
            dtype,
            shape: shape.to_vec(),
            offset,
            n_bytes: bytes.len(),
            checksum: *blake3::hash(bytes).as_bytes(),
        });
        Ok(())
    }

    fn check_whole(&self) -> Result<()> {
        if self.broken {
            return Err(Error::Write(WriteError::Broken));
        }
        Ok(())
    }

    /// Writes the head and returns the sink, which then holds a whole file.
    pub(crate) fn finish(mut self) -> Result<W> {
        self.check_whole()?;
        self.checklist.finish().map_err(Error::Disagreement)?;
        let head = self.head();
        // The reader's own checks, on the very bytes that are about to be written.
        Head::parse(&head, self.end as u64)?;
        self.sink.seek(SeekFrom::Start(0)).map_err(write_failed)?;
        self.sink.write_all(&head).map_err(write_failed)?;
        self.sink.flush().map_err(write_failed)?;
        Ok(self.sink)
    }

    fn head(&self) -> Vec<u8> {
        let mut header = Header {
            version: self.version,
            metadata_bytes: self.metadata.len(),
            descriptors_bytes: self.descriptors_bytes,
            n_tensors: self.tensors.len(),
            file_bytes: self.end,
            checksum: [0; HEAD_CHECKSUM_BYTES],
        };
        let mut head = header.encode().to_vec();
        head.extend_from_slice(&self.metadata);
        for tensor in &self.tensors {
            tensor.encode(&mut head);
        }
        header.checksum = Header::head_checksum(&head);
        head[..HEADER_BYTES].copy_from_slice(&header.encode());
        head
    }
}

/// The type in which a tensor of `shape` is stored in a model of `dtype`: vectors (the norms'
/// scales) stay f32, since they are few and every output depends on them.
#[must_use]
pub fn stored_dtype(shape: &[usize], dtype: DType) -> DType {
    if shape.len() == 1 { DType::F32 } else { dtype }
}

/// A tensor that no reader would accept.
pub(crate) fn refused(name: &str, problem: DescriptorError) -> Error {
    Error::Write(WriteError::Tensor {
        name: name.to_owned(),
        problem,
    })
}

/// Refuses NaN and infinity: weights that were computed are exported by mistake when they hold any.
fn check_values(name: &str, values: &[f32]) -> Result<()> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(index) => Err(Error::Write(WriteError::NotFinite {
            name: name.to_owned(),
            index,
            found: values[index],
        })),
    }
}

pub(crate) fn write_failed(error: io::Error) -> Error {
    Error::Io {
        action: "write the file",
        error,
    }
}

pub(crate) fn write_zeros(sink: &mut impl Write, mut n_bytes: usize) -> Result<()> {
    const ZEROS: [u8; 64 * ALIGNMENT] = [0; 64 * ALIGNMENT];
    while n_bytes > 0 {
        let chunk = n_bytes.min(ZEROS.len());
        sink.write_all(&ZEROS[..chunk]).map_err(write_failed)?;
        n_bytes -= chunk;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
