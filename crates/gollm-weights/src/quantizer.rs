//! Writes a model file anew in another storage type, one tensor at a time.
//!
//! Matrices take the type that is asked for, vectors stay f32, and a matrix whose rows are not whole
//! blocks becomes f16. Everything else in the file stays, and its provenance tells what it was made
//! from. Notes: `notes/ch08-quantization.md`.

use std::path::Path;

use gollm_model::is_router;
use gollm_tensor::{DType, dequantize, quantize};
use serde_json::{Value, json};

use crate::descriptor::{DescriptorError, TensorDescriptor};
use crate::encoder::{refused, stored_dtype};
use crate::error::{Error, Result, hex};
use crate::metadata::Metadata;
use crate::model_file::ModelFile;
use crate::rounding_error::RoundingError;
use crate::writer::{WriteError, Writer};

/// How many numbers are converted at a time: whole blocks of every type, and 256 KiB as f32, so that
/// a large matrix never exists as f32.
const CHUNK: usize = 1 << 16;

/// The key of the provenance that lists what a file was quantized from, the first file first.
pub const QUANTIZED_FROM: &str = "quantized_from";

/// The type in which [`Quantizer`] stores a tensor of `shape` when `dtype` is asked for: vectors stay
/// f32, and a matrix whose rows are not whole blocks of `dtype` becomes f16.
#[must_use]
pub fn quantized_dtype(shape: &[usize], dtype: DType) -> DType {
    let row = shape.last().copied().unwrap_or(1);
    match row.is_multiple_of(dtype.block_len()) {
        true => stored_dtype(shape, dtype),
        false => stored_dtype(shape, DType::F16),
    }
}

/// What became of one tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorChange {
    /// Its name.
    pub name: String,
    /// Its dimensions, the outermost first.
    pub shape: Vec<usize>,
    /// How it was stored.
    pub from: DType,
    /// How it is stored now.
    pub to: DType,
    /// What the last rounding did to its numbers. What earlier ones did is not known any more.
    pub error: RoundingError,
}

impl TensorChange {
    /// Whether it is a matrix, and not a vector, which is never rounded.
    #[must_use]
    pub fn is_matrix(&self) -> bool {
        self.shape.len() > 1
    }
}

/// A model file being written in another storage type. Nothing appears at its path until
/// [`Quantizer::finish`], and one that is dropped before leaves nothing behind.
///
/// # Examples
///
/// ```no_run
/// use gollm_tensor::DType;
/// use gollm_weights::{ModelFile, OpenOptions, Quantizer};
///
/// let source = ModelFile::open("story.gollm", &OpenOptions::default())?;
/// let mut quantizer = Quantizer::create(&source, DType::Q8_0, "story-q8_0.gollm")?;
/// while let Some(change) = quantizer.next_tensor()? {
///     println!("{}: {:.3} % off", change.name, 100.0 * change.error.relative_rms());
/// }
/// quantizer.finish()?;
/// # Ok::<(), gollm_weights::Error>(())
/// ```
pub struct Quantizer<'a> {
    source: &'a ModelFile,
    dtype: DType,
    writer: Writer,
    changes: Vec<TensorChange>,
}

impl<'a> Quantizer<'a> {
    /// Starts a file of the model in `source` that [`Quantizer::finish`] will put at `path`.
    ///
    /// Its metadata are those of the source but for two things. `dtype` of the config is the new type
    /// (f16, if no matrix can be stored in `dtype`), and [`QUANTIZED_FROM`] in the provenance has one
    /// entry more: the source's `dtype`, its length and its BLAKE3 hash, for which the whole source is
    /// read once.
    ///
    /// # Errors
    ///
    /// As [`Writer::create`].
    pub fn create(source: &'a ModelFile, dtype: DType, path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self {
            source,
            dtype,
            writer: Writer::create(path, &metadata(source, dtype))?,
            changes: Vec::new(),
        })
    }

    /// Converts the next tensor of the source, or returns `None` when there is none.
    ///
    /// A tensor that has its new type already is copied byte for byte; any other goes by way of f32.
    ///
    /// # Errors
    ///
    /// If the source's data are damaged, hold NaN or infinity, or reach further than the new type
    /// does; these errors name the tensor and no file. If writing fails; that error names the file.
    pub fn next_tensor(&mut self) -> Result<Option<&TensorChange>> {
        let Some(tensor) = self.source.descriptors().get(self.changes.len()) else {
            return Ok(None);
        };
        let data = self.source.checked_data(tensor)?;
        let to = match is_router(&tensor.name) {
            true => DType::F32,
            false => quantized_dtype(&tensor.shape, self.dtype),
        };
        let (bytes, error) = convert(tensor, data.as_slice(), to)?;
        self.writer
            .tensor(&tensor.name, &tensor.shape, to, &bytes)?;
        self.changes.push(TensorChange {
            name: tensor.name.clone(),
            shape: tensor.shape.clone(),
            from: tensor.dtype,
            to,
            error,
        });
        Ok(self.changes.last())
    }

    /// Converts what is left, completes the file and puts it at its path.
    ///
    /// # Errors
    ///
    /// As [`Quantizer::next_tensor`] and [`Writer::finish`]. What was at the path before is then
    /// still there.
    pub fn finish(mut self) -> Result<Vec<TensorChange>> {
        while self.next_tensor()?.is_some() {}
        self.writer.finish()?;
        Ok(self.changes)
    }
}

/// The metadata of the new file.
fn metadata(source: &ModelFile, dtype: DType) -> Metadata {
    let mut metadata = source.metadata().clone();
    let fact = json!({
        "dtype": metadata.config.dtype.name(),
        "file_bytes": source.file_bytes(),
        "blake3": hex(&source.blake3()),
    });
    let facts = match metadata.provenance.remove(QUANTIZED_FROM) {
        Some(Value::Array(mut facts)) => {
            facts.push(fact);
            facts
        }
        // Provenance may hold anything: what somebody else wrote there is kept.
        Some(other) => vec![other, fact],
        None => vec![fact],
    };
    metadata
        .provenance
        .insert(QUANTIZED_FROM.to_owned(), facts.into());
    let mut matrices = source.descriptors().iter().filter(|t| t.shape.len() > 1);
    let fits = matrices.any(|tensor| quantized_dtype(&tensor.shape, dtype) == dtype);
    metadata.config.dtype = if fits { dtype } else { DType::F16 };
    metadata
}

/// A tensor's `data` in the type `to`, and how far its numbers moved.
pub(crate) fn convert(
    tensor: &TensorDescriptor,
    data: &[u8],
    to: DType,
) -> Result<(Vec<u8>, RoundingError)> {
    let from = tensor.dtype;
    let failed = |error| refused(&tensor.name, DescriptorError::Shape(error));
    let mut bytes = Vec::with_capacity(to.n_bytes(&tensor.shape).map_err(failed)?);
    let mut error = RoundingError::default();
    let (mut values, mut rounded) = (Vec::new(), Vec::new());
    let chunk_bytes = CHUNK / from.block_len() * from.block_bytes();
    for (chunk, stored) in data.chunks(chunk_bytes).enumerate() {
        let n_values = stored.len() / from.block_bytes() * from.block_len();
        values.resize(n_values, 0.0);
        rounded.resize(n_values, 0.0);
        dequantize(stored, from, &mut values).map_err(failed)?;
        check_finite(&tensor.name, chunk * CHUNK, &values)?;
        if from == to {
            bytes.extend_from_slice(stored);
            error.add(&values, &values);
            continue;
        }
        let start = bytes.len();
        bytes.extend(quantize(&values, to).map_err(failed)?);
        dequantize(&bytes[start..], to, &mut rounded).map_err(failed)?;
        check_range(&tensor.name, to, &values, &rounded)?;
        error.add(&values, &rounded);
    }
    Ok((bytes, error))
}

/// Refuses NaN and infinity in the source: `first` is the index of the first of `values`.
fn check_finite(name: &str, first: usize, values: &[f32]) -> Result<()> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(index) => Err(Error::Write(WriteError::NotFinite {
            name: name.to_owned(),
            index: first + index,
            found: values[index],
        })),
    }
}

/// Refuses numbers that the new type cannot hold.
fn check_range(name: &str, dtype: DType, values: &[f32], rounded: &[f32]) -> Result<()> {
    if rounded.iter().all(|value| value.is_finite()) {
        return Ok(());
    }
    Err(Error::Write(WriteError::TooLargeForType {
        name: name.to_owned(),
        largest: values.iter().fold(0.0, |largest, v| v.abs().max(largest)),
        dtype,
    }))
}
