//! A LLaMA-3-style decoder and the book's ladder that leads to it.

mod config;
mod error;
mod tensor_names;

pub use config::{Config, RopeScaling};
pub use error::{Error, Result};
pub use tensor_names::{FINAL_NORM, OUT_HEAD, TOK_EMB, TensorSpec, block_tensor, expected_tensors};
