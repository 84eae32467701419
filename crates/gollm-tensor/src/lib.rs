//! Tensors: shapes that are checked, types that weights are stored in, and the one seam between the
//! model and the machine.
//!
//! This crate knows what each operation of a transformer means and what shapes it takes. It does not
//! know what a model is: layers, configs and files live above it.
//!
//! The design decision is the [`Tensor`] handle. It carries its [`Device`], and its methods dispatch
//! to that device's [`Backend`]. So the model is written once, without a type parameter for the
//! machine in every signature, and a new machine is one implementation of one trait. Shapes are
//! checked in the methods of `Tensor`, once for all backends; [`mod@reference`] says what the numbers
//! mean, and the crate gollm-conformance compares every other backend with it.
//!
//! ```
//! use gollm_tensor::{DType, Device};
//!
//! let device = Device::reference();
//! let x = device.tensor(&[1, 2], &[3.0, 4.0])?;
//! let weight = device.stored(&[2, 2], DType::F16, &[1.0, 0.0, 0.5, 0.5])?;
//! assert_eq!(x.matmul(&weight)?.to_vec()?, [3.0, 3.5]);
//!
//! // Shapes are checked by name.
//! let wrong = device.tensor(&[3], &[1.0; 3])?;
//! let message = x.rms_norm(&wrong, 1e-5).unwrap_err().to_string();
//! let expected = "rms_norm: `x` has shape [1, 2], expected rows that are a whole multiple of 3 numbers";
//! assert_eq!(message, expected);
//! # Ok::<(), gollm_tensor::Error>(())
//! ```
//!
//! Read next: `tensor.rs`, then `ops/`, a page for each operation. Notes: `notes/appendix-a-tensors.md`, and for
//! `storage_types.rs` `notes/ch08-quantization.md`.

mod backend;
mod checks;
mod device;
mod dtype;
mod error;
mod host_bytes;
mod ops;
mod place;
pub mod reference;
mod rope_table;
mod shape_check;
mod storage_types;
mod tensor;

pub use backend::{Backend, CachedAttention, Storage};
pub use device::Device;
pub use dtype::{DType, n_elements};
pub use error::{Error, Result};
pub use host_bytes::HostBytes;
pub use place::Place;
pub use reference::Reference;
pub use rope_table::RopeTable;
pub use storage_types::{dequantize, quantize};
pub use tensor::Tensor;

/// The code blocks of `notes/appendix-a-tensors.md`, run as doctests.
#[cfg(doctest)]
#[doc = include_str!("../../../notes/appendix-a-tensors.md")]
struct AppendixANote;

/// The code blocks of `notes/ch08-quantization.md`, run as doctests.
#[cfg(doctest)]
#[doc = include_str!("../../../notes/ch08-quantization.md")]
struct Ch08Note;
