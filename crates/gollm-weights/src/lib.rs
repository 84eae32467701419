//! The `.gollm` model file: read, write, verify, quantize.
//!
//! This crate knows where in a file everything lies, and believes nothing that it has not checked: a
//! file from a stranger gives a model or an error, never a crash, a hang, or more memory than a small
//! multiple of its own size. It does not know how a model computes, and it does not look into the
//! tokenizer that travels in the file.
//!
//! The design decision is that one file is a whole model, whose tensors lie ready for use: each
//! starts on a 64-byte boundary in the type that arithmetic reads. So a mapped file needs no loading
//! (the page cache is the model), and a copied file needs no second one beside it.
//!
//! ```
//! use gollm_model::{Config, expected_tensors};
//! use gollm_tensor::DType;
//! use gollm_weights::{Metadata, ModelFile, OpenOptions, Writer, verify};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("tiny.gollm");
//! let config = Config::from_yaml(
//!     "{vocab_size: 4, context_length: 8, emb_dim: 2, n_heads: 1, n_kv_heads: 1,
//!       hidden_dim: 3, n_layers: 1}",
//! )?;
//! let tensors = expected_tensors(&config)?;
//! let mut writer = Writer::create(&path, &Metadata::new(config))?;
//! for tensor in &tensors {
//!     let values = vec![0.5; tensor.shape.iter().product()];
//!     writer.tensor_f32(&tensor.name, &tensor.shape, DType::F16, &values)?;
//! }
//! writer.finish()?;
//!
//! let file = ModelFile::open(&path, &OpenOptions::default())?;
//! assert_eq!(file.bytes("tok_emb.weight")?.len(), 4 * 2 * 2);
//! assert_eq!(verify(&path)?.n_parameters, 48);
//! # Ok(())
//! # }
//! ```
//!
//! Read next: `header.rs`, `descriptor.rs`, `head.rs`, then `encoder.rs`. The format byte by byte:
//! `docs/format.md`. Notes: `notes/ch05-training-and-sampling.md`, and for `quantizer.rs`
//! `notes/ch08-quantization.md`.

// Tensor data is used in place, so the machine must store numbers as the file does.
#[cfg(target_endian = "big")]
compile_error!("a .gollm file is little-endian and used in place; this machine is big-endian");

mod agreement;
mod bounded_json;
mod byte_reader;
mod descriptor;
mod distributed_llama;
mod encoder;
mod error;
mod foreign;
mod foreign_error;
mod gguf;
mod head;
mod header;
mod hf;
mod host_file;
mod kind;
mod llama2c;
mod looks_like;
mod metadata;
mod model_file;
mod non_finite;
mod packed;
mod quantizer;
mod replacement;
mod rounding_error;
mod verify;
mod weight_source;
mod writer;

pub use agreement::Disagreement;
pub use descriptor::{DescriptorError, MAX_NAME_BYTES, MAX_RANK, TensorDescriptor};
pub use encoder::stored_dtype;
pub use error::{Error, Result};
pub use foreign_error::ForeignError;
pub use gguf::{GgufError, GgufMerging, GgufToken, GgufVocabulary, export_gguf};
pub use header::{ALIGNMENT, HEADER_BYTES, MAGIC, MAX_METADATA_BYTES, VERSION, Version};
pub use hf::{FolderOptions, TokenRoles, export_folder};
pub use metadata::{Metadata, MetadataError};
pub use model_file::{ModelFile, OpenOptions, TokenizerBeside};
pub use quantizer::{QUANTIZED_FROM, Quantizer, TensorChange, quantized_dtype};
pub use rounding_error::RoundingError;
pub use verify::{Report, TensorReport, verify};
pub use writer::{EncodedTensor, WriteError, Writer, convert, write};

/// The code blocks of `notes/ch11-other-files.md`, run as doctests.
#[cfg(doctest)]
#[doc = include_str!("../../../notes/ch11-other-files.md")]
struct Ch11Note;
