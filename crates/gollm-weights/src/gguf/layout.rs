//! Which tensors a GGUF file gets, in which order, and their bytes: the experts of a layer together.

use std::io::Write;

use gollm_model::{StoredTensor, WeightSource, is_router, rope};
use gollm_tensor::{DType, HostBytes, quantize};

use super::architecture::Architecture;
use super::error::GgufError;
use super::write::Tensors;
use super::{names, scaling};
use crate::descriptor::{TensorDescriptor, dtype_code};
use crate::encoder::{write_failed, write_zeros};
use crate::error::{Error, Result};
use crate::model_file::ModelFile;

/// Where data start, as in every GGUF file that does not say otherwise.
const ALIGNMENT: usize = 32;

/// All tensors of a file to be written.
pub(crate) struct Layout<'a> {
    source: &'a ModelFile,
    kind: Architecture,
    /// What RoPE's frequencies are divided by, if by anything.
    factors: Option<Vec<u8>>,
    tensors: Vec<Planned<'a>>,
}

/// A tensor of the file to be written, and ours that it is made of.
struct Planned<'a> {
    name: String,
    /// The outermost dimension first.
    shape: Vec<usize>,
    dtype: DType,
    n_bytes: usize,
    /// One, or one for each expert.
    parts: Vec<&'a TensorDescriptor>,
}

impl<'a> Layout<'a> {
    /// Plans the tensors in the order of the source's.
    pub(crate) fn new(
        source: &'a ModelFile,
        kind: Architecture,
        factors: Option<Vec<u8>>,
    ) -> Result<Self> {
        let mut tensors = Vec::new();
        for tensor in source.descriptors() {
            let missing = || Error::NoSuchTensor(tensor.name.clone());
            let name = names::theirs(&tensor.name).ok_or_else(missing)?;
            let ours = names::ours(&name).ok_or_else(missing)?;
            let parts = ours.names(source.config().n_experts);
            // Experts are planned where the first of them stands, in the order of their numbers.
            if parts.first() == Some(&tensor.name) {
                tensors.push(plan(source, name, &parts)?);
            }
        }
        Ok(Self {
            source,
            kind,
            factors,
            tensors,
        })
    }

    /// The list of tensors, as it stands in the file.
    pub(crate) fn entries(&self) -> Tensors {
        let (mut entries, mut offset) = (Tensors::default(), 0usize);
        let mut push = |name: &str, shape: &[usize], dtype: DType, n_bytes: usize| {
            entries.push(name, shape, dtype_code(dtype), offset);
            offset += n_bytes.next_multiple_of(ALIGNMENT);
        };
        if let Some(factors) = &self.factors {
            let shape = [factors.len() / 4];
            push(scaling::NAME, &shape, DType::F32, factors.len());
        }
        for tensor in &self.tensors {
            push(&tensor.name, &tensor.shape, tensor.dtype, tensor.n_bytes);
        }
        entries
    }

    /// All data, one tensor after the other.
    pub(crate) fn write(&self, sink: &mut impl Write) -> Result<()> {
        if let Some(factors) = &self.factors {
            sink.write_all(factors).map_err(write_failed)?;
            write_padding(sink, factors.len())?;
        }
        for tensor in &self.tensors {
            for part in &tensor.parts {
                let bytes = self.bytes(part)?;
                sink.write_all(bytes.as_slice()).map_err(write_failed)?;
                bytes.release();
            }
            write_padding(sink, tensor.n_bytes)?;
        }
        Ok(())
    }

    /// A tensor's bytes as the file holds them: rows in the order of its RoPE, a router in f32.
    fn bytes(&self, tensor: &TensorDescriptor) -> Result<HostBytes> {
        let bytes = self.source.checked_data(tensor)?;
        if is_router(&tensor.name) && tensor.dtype != DType::F32 {
            let values = self.source.tensor(&tensor.name).map_err(Error::Model)?;
            let values = values.to_f32().map_err(Error::Model)?;
            let encoded = quantize(&values, DType::F32);
            return Ok(encoded.map_err(|error| Error::Model(error.into()))?.into());
        }
        let config = self.source.config();
        let Some(n_heads) = names::reordered_heads(&tensor.name, config, self.kind) else {
            return Ok(bytes);
        };
        let stored = StoredTensor {
            shape: tensor.shape.clone(),
            dtype: tensor.dtype,
            bytes,
        };
        let order = rope::halves_to_adjacent(n_heads, config.head_dim);
        let permuted = stored.permute_rows(&order).map_err(Error::Model)?;
        Ok(permuted.bytes)
    }
}

/// One tensor of the file, made of `parts`, which have one shape and must have one type.
fn plan<'a>(source: &'a ModelFile, name: String, parts: &[String]) -> Result<Planned<'a>> {
    let found = parts.iter().map(|part| source.descriptor(part));
    let parts = found.collect::<Result<Vec<_>>>()?;
    let Some(first) = parts.first() else {
        return Err(Error::NoSuchTensor(name));
    };
    if let Some(other) = parts.iter().find(|part| part.dtype != first.dtype) {
        let problem = format!(
            "the experts in it must be of one type, but `{}` is {} and `{}` is {}; quantize the model \
             first",
            first.name, first.dtype, other.name, other.dtype
        );
        return Err(Error::Gguf(GgufError::tensor(&name, problem)));
    }
    let mut shape = first.shape.clone();
    if name.ends_with("_exps.weight") {
        shape.insert(0, parts.len());
    }
    let dtype = match is_router(&first.name) {
        true => DType::F32,
        false => first.dtype,
    };
    let n_bytes = dtype.n_bytes(&shape);
    Ok(Planned {
        name,
        dtype,
        n_bytes: n_bytes.map_err(|error| Error::Model(error.into()))?,
        shape,
        parts,
    })
}

/// Zeros behind `n_bytes`, up to where the next tensor may start.
pub(crate) fn write_padding(sink: &mut impl Write, n_bytes: usize) -> Result<()> {
    write_zeros(sink, n_bytes.next_multiple_of(ALIGNMENT) - n_bytes)
}
