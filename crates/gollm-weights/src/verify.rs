//! Every byte of a file, checked: checksums of all tensors, zeros in all padding.
//!
//! With the head's checksum, which is checked when a file is opened, this finds every change of a
//! single bit: each byte is under a checksum, is padding that must be zero, or is one of the magic
//! and version numbers that must have one value.

use std::path::Path;

use gollm_tensor::DType;

use crate::descriptor::TensorDescriptor;
use crate::error::{Error, Result, hex};
use crate::head::Head;
use crate::header::Version;
use crate::model_file::{ModelFile, OpenOptions};
use crate::non_finite::{NonFinite, count_non_finite};

/// What is in a file whose every byte has been found in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The format version.
    pub version: Version,
    /// The length of the file, in bytes.
    pub file_bytes: usize,
    /// How many numbers all tensors hold together.
    pub n_parameters: u64,
    /// Every tensor, in file order.
    pub tensors: Vec<TensorReport>,
}

/// One tensor of a [`Report`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorReport {
    /// Its name.
    pub name: String,
    /// How it is stored.
    pub dtype: DType,
    /// How many numbers it holds.
    pub n_elements: u64,
    /// How many of them are NaN. Not an error: the file holds what was written into it. But a model
    /// with such a weight computes nothing else, so this is worth saying aloud.
    pub n_nan: u64,
    /// How many of them are infinite.
    pub n_infinite: u64,
    /// The BLAKE3 hash of its bytes as they are used here: in the type of [`Self::dtype`], with rows in
    /// the order of split halves. So a tensor has one hash in whatever kind of file it lies, as long as it
    /// is not rounded on the way; in a `.gollm` file it is the tensor's checksum.
    pub blake3: [u8; 32],
}

impl Report {
    /// How many numbers are NaN or infinite, in all tensors together.
    #[must_use]
    pub fn n_non_finite(&self) -> u64 {
        self.tensors
            .iter()
            .map(|tensor| tensor.n_nan + tensor.n_infinite)
            .sum()
    }
}

/// Opens the file at `path` and checks every byte of it.
///
/// # Errors
///
/// Everything that [`ModelFile::open`] refuses, and the first damaged tensor or padding byte.
pub fn verify(path: impl AsRef<Path>) -> Result<Report> {
    let path = path.as_ref();
    let file = ModelFile::open(path, &OpenOptions::default())?;
    file.verify().map_err(|error| error.in_file(path))
}

pub(crate) fn verify_data(file: &[u8], head: &Head) -> Result<Report> {
    let mut end = head.head_bytes;
    for tensor in &head.tensors {
        check_padding(file, end, tensor.offset)?;
        check_data(data(file, tensor), tensor)?;
        end = tensor.offset + tensor.n_bytes;
    }
    // Only after all checksums: numbers in a damaged tensor mean nothing.
    let tensors: Vec<TensorReport> = head
        .tensors
        .iter()
        .map(|tensor| report(data(file, tensor), tensor, tensor.checksum))
        .collect();
    Ok(Report {
        version: head.version,
        file_bytes: head.file_bytes,
        n_parameters: tensors.iter().map(|tensor| tensor.n_elements).sum(),
        tensors,
    })
}

/// A tensor's bytes, unchecked.
fn data<'a>(file: &'a [u8], tensor: &TensorDescriptor) -> &'a [u8] {
    // The head's check has placed every tensor inside the file.
    file.get(tensor.offset..tensor.offset + tensor.n_bytes)
        .unwrap_or_default()
}

fn check_padding(file: &[u8], start: usize, end: usize) -> Result<()> {
    let padding = file.get(start..end).unwrap_or_default();
    match padding.iter().position(|byte| *byte != 0) {
        None => Ok(()),
        Some(index) => Err(Error::Padding {
            offset: start + index,
            found: padding[index],
        }),
    }
}

/// Compares a tensor's checksum with its bytes.
pub(crate) fn check_data(data: &[u8], tensor: &TensorDescriptor) -> Result<()> {
    let found = blake3::hash(data);
    if *found.as_bytes() == tensor.checksum {
        return Ok(());
    }
    Err(Error::TensorChecksum {
        name: tensor.name.clone(),
        offset: tensor.offset,
        n_bytes: tensor.n_bytes,
        expected: hex(&tensor.checksum),
        found: hex(found.as_bytes()),
    })
}

/// A file without checksums: every tensor is read as it would be used, and its values are counted.
pub(crate) fn verify_foreign(file: &ModelFile) -> Result<Report> {
    let tensors = file.descriptors().iter().map(|tensor| {
        let data = file.bytes(&tensor.name)?;
        let hash = *blake3::hash(data.as_slice()).as_bytes();
        let found = report(data.as_slice(), tensor, hash);
        data.release();
        Ok(found)
    });
    let tensors: Vec<TensorReport> = tensors.collect::<Result<_>>()?;
    Ok(Report {
        version: file.version(),
        file_bytes: file.file_bytes(),
        n_parameters: tensors.iter().map(|tensor| tensor.n_elements).sum(),
        tensors,
    })
}

fn report(data: &[u8], tensor: &TensorDescriptor, blake3: [u8; 32]) -> TensorReport {
    let NonFinite { n_nan, n_infinite } = count_non_finite(data, tensor.dtype);
    TensorReport {
        name: tensor.name.clone(),
        dtype: tensor.dtype,
        n_elements: tensor.n_elements() as u64,
        n_nan,
        n_infinite,
        blake3,
    }
}
