//! Tensors without names or places: they lie one behind the other in an order that the format fixes.

use gollm_model::rope;
use gollm_tensor::{DType, HostBytes};

use crate::descriptor::{TensorDescriptor, check_shape};
use crate::encoder::stored_dtype;
use crate::error::{Error, Result};
use crate::foreign::{Foreign, ForeignTensor};
use crate::foreign_error::ForeignError;
use crate::gguf::ggml_type::GgmlType;
use crate::head::Head;
use crate::metadata::Metadata;

/// A file that is being cut into tensors, from the front.
pub(crate) struct Packed<'a> {
    bytes: &'a HostBytes,
    at: usize,
    descriptors: Vec<TensorDescriptor>,
    stored: Vec<ForeignTensor>,
}

impl<'a> Packed<'a> {
    /// The tensors begin at byte `at`.
    pub(crate) fn new(bytes: &'a HostBytes, at: usize) -> Self {
        Self {
            bytes,
            at,
            descriptors: Vec::new(),
            stored: Vec::new(),
        }
    }

    /// Takes the tensor called `name` here: a vector of f32, or a matrix of `dtype`.
    pub(crate) fn tensor(&mut self, name: &str, shape: &[usize], dtype: DType) -> Result<()> {
        let dtype = stored_dtype(shape, dtype);
        let n_bytes = check_shape(shape, dtype)
            .map_err(|error| Error::Foreign(ForeignError::tensor(name, error.to_string())))?;
        let offset = self.at;
        let bytes = self.take(n_bytes, name)?;
        let tensor = ForeignTensor {
            bytes,
            kind: GgmlType::Same(dtype),
            order: None,
        };
        let descriptor = tensor.descriptor(name.to_owned(), shape.to_vec(), offset);
        self.descriptors.push(descriptor.map_err(Error::Gguf)?);
        self.stored.push(tensor);
        Ok(())
    }

    /// As [`Self::tensor`], for a matrix whose rows belong to `n_heads` heads and lie in adjacent pairs. The
    /// list of their order is as long as the matrix has rows, so it is made only once these are there.
    pub(crate) fn rotated(
        &mut self,
        name: &str,
        shape: &[usize],
        dtype: DType,
        (n_heads, head_dim): (usize, usize),
    ) -> Result<()> {
        self.tensor(name, shape, dtype)?;
        if let Some(tensor) = self.stored.last_mut() {
            tensor.order = Some(rope::adjacent_to_halves(n_heads, head_dim));
        }
        Ok(())
    }

    /// Passes over bytes that are not used.
    pub(crate) fn skip(&mut self, n_bytes: usize, what: &str) -> Result<()> {
        self.take(n_bytes, what).map(drop)
    }

    fn take(&mut self, n_bytes: usize, what: &str) -> Result<HostBytes> {
        let cut = || {
            Error::Foreign(ForeignError::layout(format!(
                "`{what}` at byte {} needs {n_bytes} bytes but the file ends after {}: it is cut \
                 short or damaged; copy or download it again",
                self.at,
                self.bytes.len()
            )))
        };
        let end = self.at.checked_add(n_bytes).ok_or_else(cut)?;
        let bytes = self.bytes.slice(self.at..end).ok_or_else(cut)?;
        self.at = end;
        Ok(bytes)
    }

    /// The model, once every byte has found an owner.
    pub(crate) fn finish(self, metadata: Metadata, format: &str) -> Result<(Head, Foreign)> {
        let length = self.bytes.len();
        if self.at != length {
            let problem = format!(
                "its numbers ask for {} bytes, but it has {length}: it is damaged, or of another \
                 version of the format",
                self.at
            );
            return Err(Error::Foreign(ForeignError::layout(problem)));
        }
        let head = Head::of_foreign(metadata, self.descriptors, length)?;
        Ok((head, Foreign::new(format.to_owned(), self.stored)))
    }
}
