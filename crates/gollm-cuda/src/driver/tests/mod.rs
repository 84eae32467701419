//! What can be checked without a GPU.

mod absence;
mod compile;
#[cfg(feature = "fake-driver")]
mod fake;
