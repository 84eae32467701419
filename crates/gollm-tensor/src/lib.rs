//! Tensors.
mod dtype;
mod error;
mod host_bytes;
pub use dtype::{DType, n_elements};
pub use error::{Error, Result};
pub use host_bytes::HostBytes;
