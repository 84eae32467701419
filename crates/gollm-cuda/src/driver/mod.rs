//! A real GPU: the CUDA driver, the run-time compiler and the vendor's matrix library.
//!
//! ```text
//! run.rs        Driver: the backend's Runtime          options.rs   what the caller chooses
//! replay.rs     one by one, or as a graph              command.rs   what is queued
//! machine.rs    commands on streams                    streams.rs, staging.rs, owned.rs
//! kernels.rs    from sources to functions              nvrtc.rs, compilers.rs, cubin_cache.rs
//! gpu.rs        the GPUs there are, and which to take  context.rs, cuda.rs
//! cublas.rs     large products                         places.rs, library.rs: finding libraries
//! persistent.rs a step in one launch (an experiment)   not_persistent.rs: builds without it
//! ```
//!
//! Nothing of CUDA is needed to build this. The libraries are opened at run time, where
//! [`places`] says, and every function is looked up by name with an error that says which is missing.

mod command;
mod compilers;
mod context;
mod cubin_cache;
mod cublas;
mod cuda;
mod gpu;
mod kernels;
mod library;
mod machine;
mod nvrtc;
mod options;
mod owned;
#[cfg_attr(not(feature = "persistent-decode"), path = "not_persistent.rs")]
mod persistent;
mod places;
mod replay;
mod run;
mod staging;
mod streams;
#[cfg(test)]
mod tests;

pub use gpu::{Gpu, devices};
pub use options::{CublasUse, DriverOptions, Preference, Replay};
pub(crate) use run::Driver;
