//! The tensors of another project's file, as they lie there and as they are used here.
//!
//! What has one of our storage types and the right order of rows is used in place. The rest is made
//! anew each time it is asked for, which a decoder does once: rows of query and key projections come in
//! the order of split halves, blocks that we have no arithmetic for become q8_0, and vectors f32.

use gollm_model::StoredTensor;
use gollm_tensor::{DType, HostBytes, quantize};

use crate::descriptor::TensorDescriptor;
use crate::encoder::stored_dtype;
use crate::error::{Error, Result};
use crate::gguf::GgufError;
use crate::gguf::ggml_type::GgmlType;

/// How many values are converted at a time: whole blocks of every type.
const CHUNK: usize = 1 << 14;

/// What a model file of another kind has beside its head.
#[derive(Debug)]
pub(crate) struct Foreign {
    /// The kind of file and its version, for people.
    pub(crate) format: String,
    /// The context that the file claims. That of our config is shorter where attention sees only a window.
    /// Not said by kinds of files that know no windows.
    pub(crate) full_context: Option<usize>,
    /// In the order of the head's descriptors.
    tensors: Vec<ForeignTensor>,
}

/// One tensor as its file holds it.
#[derive(Debug)]
pub(crate) struct ForeignTensor {
    pub(crate) bytes: HostBytes,
    pub(crate) kind: GgmlType,
    /// The order in which its rows are used, if it is another than that of the file.
    pub(crate) order: Option<Vec<usize>>,
}

impl Foreign {
    pub(crate) fn new(format: String, tensors: Vec<ForeignTensor>) -> Self {
        Self {
            format,
            full_context: None,
            tensors,
        }
    }

    /// Keeps the context that the file claims.
    pub(crate) fn with_full_context(self, full_context: usize) -> Self {
        Self {
            full_context: Some(full_context),
            ..self
        }
    }

    /// The name of the type in which the file holds tensor `index`.
    pub(crate) fn stored_type(&self, index: usize) -> Option<&'static str> {
        self.tensors.get(index).map(|tensor| tensor.kind.name())
    }

    /// The bytes of tensor `index` in the type of its descriptor.
    pub(crate) fn bytes(&self, index: usize, descriptor: &TensorDescriptor) -> Result<HostBytes> {
        let missing = || Error::NoSuchTensor(descriptor.name.clone());
        let tensor = self.tensors.get(index).ok_or_else(missing)?;
        let failed = |error: &dyn std::fmt::Display| {
            Error::Gguf(GgufError::tensor(&descriptor.name, error.to_string()))
        };
        let bytes = match tensor.kind {
            GgmlType::Same(dtype) if dtype == descriptor.dtype => tensor.bytes.clone(),
            _ => tensor
                .converted(descriptor)
                .map_err(|error| failed(&error))?,
        };
        let Some(order) = &tensor.order else {
            return Ok(bytes);
        };
        let stored = StoredTensor {
            shape: descriptor.shape.clone(),
            dtype: descriptor.dtype,
            bytes,
        };
        let permuted = stored.permute_rows(order).map_err(|error| failed(&error))?;
        Ok(permuted.bytes)
    }
}

impl ForeignTensor {
    /// How the tensor is seen here, under our name.
    pub(crate) fn descriptor(
        &self,
        name: String,
        shape: Vec<usize>,
        offset: usize,
    ) -> Result<TensorDescriptor, GgufError> {
        let dtype = stored_dtype(&shape, self.kind.used_as());
        let n_bytes = dtype
            .n_bytes(&shape)
            .map_err(|error| GgufError::tensor(&name, error.to_string()))?;
        Ok(TensorDescriptor {
            name,
            dtype,
            shape,
            offset,
            n_bytes,
            // Such files have none.
            checksum: [0; 32],
        })
    }

    /// By way of f32, some values at a time.
    fn converted(&self, descriptor: &TensorDescriptor) -> Result<HostBytes, String> {
        let dtype = descriptor.dtype;
        let mut bytes = Vec::new();
        bytes
            .try_reserve_exact(descriptor.n_bytes)
            .map_err(|_| format!("there is no memory for its {} bytes", descriptor.n_bytes))?;
        let mut values = vec![0.0; CHUNK];
        let chunk_bytes = CHUNK / self.kind.block_len() * self.kind.block_bytes();
        for stored in self.bytes.as_slice().chunks(chunk_bytes) {
            let n_values = stored.len() / self.kind.block_bytes() * self.kind.block_len();
            let values = &mut values[..n_values];
            self.kind
                .dequantize(stored, values)
                .map_err(|error| error.to_string())?;
            check_range(values, dtype)?;
            bytes.extend(quantize(values, dtype).map_err(|error| error.to_string())?);
        }
        Ok(bytes.into())
    }
}

/// Refuses numbers whose scale f16 would turn into infinity, where they were not before.
fn check_range(values: &[f32], dtype: DType) -> Result<(), String> {
    /// Halfway between the largest f16 and what would be the next one, times the largest quant.
    const LIMIT: f32 = 65_520.0 * 127.0;
    let too_large = |value: &&f32| value.is_finite() && value.abs() >= LIMIT;
    match values.iter().find(too_large) {
        Some(value) if dtype == DType::Q8_0 => {
            Err(format!("it holds {value}, more than {dtype} can hold"))
        }
        _ => Ok(()),
    }
}
