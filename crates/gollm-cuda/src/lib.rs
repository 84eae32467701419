//! The CUDA backend: one NVIDIA GPU behind the `Backend` trait.
//!
//! Kernels are CUDA C files without headers in `kernels/`, compiled at run time for the GPU that is there.
//! The backend talks to a runtime, not to CUDA: so the same kernels and all of the code around them
//! run on the processor too (feature `shim`), and are held to the conformance suite without a GPU.
//!
//! Read `kernels/rms_norm.cu` first, then `backend.rs`, `product.rs` and `attend.rs`.

mod attend;
mod attend_by_token;
mod backend;
mod blocks;
mod cuda;
mod driver;
mod kernel;
mod memory;
mod options;
mod pending;
#[cfg(feature = "persistent-decode")]
mod persistent;
mod places;
mod pool;
mod product;
mod rows;
mod runtime;
#[cfg(feature = "shim")]
mod shim;

pub use cuda::Cuda;
pub use driver::{CublasUse, DriverOptions, Gpu, Preference, Replay, devices};
pub use options::{CacheType, Options};
#[cfg(feature = "shim")]
pub use shim::{ShimLibrary, ShimOptions};
