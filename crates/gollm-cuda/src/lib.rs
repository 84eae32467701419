//! The CUDA backend: one NVIDIA GPU behind the `Backend` trait.

mod driver;
mod kernel;
mod options;
mod runtime;

pub use driver::DriverOptions;
pub use options::{CacheType, Options};
