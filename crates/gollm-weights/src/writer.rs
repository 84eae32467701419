//! Writes a model file so that there is never half of one (`replacement.rs` says how).

use std::io::BufWriter;
use std::path::{Path, PathBuf};

use gollm_tensor::DType;
use tempfile::NamedTempFile;

use crate::descriptor::DescriptorError;
use crate::encoder::Encoder;
use crate::error::Result;
use crate::metadata::Metadata;
use crate::model_file::ModelFile;
use crate::replacement::{Replacement, put};

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A tensor that no reader would accept.
    #[error("tensor `{}` cannot be written: {problem}", name.escape_debug())]
    Tensor {
        /// Its name.
        name: String,
        /// What is wrong with it.
        problem: DescriptorError,
    },
    /// A NaN or an infinity among values to be stored.
    #[error(
        "tensor `{}` holds {found} at index {index}: the training went wrong before this point; \
         export an earlier checkpoint",
        name.escape_debug()
    )]
    NotFinite {
        /// The tensor's name.
        name: String,
        /// Which value, in row-major order.
        index: usize,
        /// The value.
        found: f32,
    },
    /// A value that becomes infinite in a narrow type.
    #[error(
        "tensor `{}` reaches {largest}, more than {dtype} can hold; store it as bf16 or f32",
        name.escape_debug()
    )]
    TooLargeForType {
        /// The tensor's name.
        name: String,
        /// The largest magnitude in it.
        largest: f32,
        /// The type that it should have been stored in.
        dtype: DType,
    },
    /// An attempt to go on after a write failed.
    #[error("an earlier part of it could not be written; start the file again")]
    Broken,
}

/// A model file being written. Nothing appears at its path until [`Writer::finish`].
///
/// # Examples
///
/// ```no_run
/// # use gollm_weights::{Metadata, Writer};
/// # use gollm_tensor::DType;
/// # fn next_tensor() -> Option<(String, Vec<usize>, Vec<f32>)> { None }
/// # fn write(metadata: &Metadata) -> gollm_weights::Result<()> {
/// let mut writer = Writer::create("story.gollm", metadata)?;
/// while let Some((name, shape, values)) = next_tensor() {
///     writer.tensor_f32(&name, &shape, DType::F16, &values)?;
/// }
/// writer.finish()
/// # }
/// ```
pub struct Writer {
    /// The file to be replaced, symbolic links followed.
    target: PathBuf,
    encoder: Encoder<BufWriter<NamedTempFile>>,
}

impl Writer {
    /// Starts a file that [`Writer::finish`] will put at `path`.
    ///
    /// # Errors
    ///
    /// If a reader would refuse the metadata, `path` leads to something that is not a regular file,
    /// or no file can be made beside it.
    pub fn create(path: impl AsRef<Path>, metadata: &Metadata) -> Result<Self> {
        let path = path.as_ref();
        Self::create_without_path(path, metadata).map_err(|error| error.in_file(path))
    }

    fn create_without_path(path: &Path, metadata: &Metadata) -> Result<Self> {
        let (target, sink) = Replacement::create(path)?.into_parts();
        Ok(Self {
            target,
            encoder: Encoder::new(sink, metadata)?,
        })
    }

    /// Appends a tensor whose bytes are already those of `dtype`, little-endian.
    ///
    /// Tensors may come in any order, each once; they lie in the file in the order they came.
    ///
    /// # Shapes
    ///
    /// - `bytes`: exactly what `shape` takes in `dtype`
    ///
    /// # Errors
    ///
    /// If a reader would refuse the tensor: the config does not ask for it, its shape or its number
    /// of bytes is another, it is a vector in a narrow type. Another tensor may follow. If writing
    /// itself fails, the file cannot be finished any more.
    pub fn tensor(
        &mut self,
        name: &str,
        shape: &[usize],
        dtype: DType,
        bytes: &[u8],
    ) -> Result<()> {
        let done = self.encoder.tensor(name, shape, dtype, bytes);
        done.map_err(|error| error.in_file(&self.target))
    }

    /// Appends a tensor of f32 values, rounded to `dtype`; vectors stay f32
    /// ([`stored_dtype`](crate::stored_dtype)), and so does the matrix that chooses among experts.
    ///
    /// # Errors
    ///
    /// As [`Writer::tensor`]; also if a value is NaN or infinite, or becomes so in `dtype`.
    pub fn tensor_f32(
        &mut self,
        name: &str,
        shape: &[usize],
        dtype: DType,
        values: &[f32],
    ) -> Result<()> {
        let done = self.encoder.tensor_f32(name, shape, dtype, values);
        done.map_err(|error| error.in_file(&self.target))
    }

    /// Writes the head, waits until all of it is on the disk, and puts the file at its path.
    ///
    /// # Errors
    ///
    /// If a tensor that the config asks for is missing, or writing fails. What was at the path
    /// before is then still there.
    pub fn finish(self) -> Result<()> {
        let Self { target, encoder } = self;
        finish(encoder, &target).map_err(|error| error.in_file(&target))
    }
}

/// A tensor to be written: name, shape, storage type, encoded bytes.
pub type EncodedTensor<B> = (String, Vec<usize>, DType, B);

/// Writes a whole file: [`Writer`] in one call, for tensors that are already encoded.
///
/// The iterator is asked for one tensor at a time, so it may read them from elsewhere as it goes.
///
/// # Errors
///
/// As the methods of [`Writer`]; what was at `path` before is then still there.
pub fn write<B: AsRef<[u8]>>(
    path: impl AsRef<Path>,
    metadata: &Metadata,
    tensors: impl IntoIterator<Item = EncodedTensor<B>>,
) -> Result<()> {
    let mut writer = Writer::create(path, metadata)?;
    for (name, shape, dtype, bytes) in tensors {
        writer.tensor(&name, &shape, dtype, bytes.as_ref())?;
    }
    writer.finish()
}

/// Writes the model in `source`, which may be a file of another kind, to a `.gollm` file: every tensor
/// in the type in which it is used.
///
/// # Errors
///
/// If a tensor is damaged or cannot be converted, and as the methods of [`Writer`].
pub fn convert(source: &ModelFile, path: impl AsRef<Path>) -> Result<()> {
    let mut writer = Writer::create(path, source.metadata())?;
    for tensor in source.descriptors() {
        let bytes = source.checked_data(tensor)?;
        writer.tensor(&tensor.name, &tensor.shape, tensor.dtype, bytes.as_slice())?;
        bytes.release();
    }
    writer.finish()
}

fn finish(encoder: Encoder<BufWriter<NamedTempFile>>, target: &Path) -> Result<()> {
    put(encoder.finish()?, target)
}
