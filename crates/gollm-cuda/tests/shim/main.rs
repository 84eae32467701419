//! The backend on the shim: the same kernels and the same code around them, on the processor.
//!
//! `cargo test -p gollm-cuda --features shim --test shim`
#![cfg(feature = "shim")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attention;
mod common;
mod conformance;
mod fused;
mod model;
mod text;
