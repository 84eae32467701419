//! A real GPU: the CUDA driver, the run-time compiler and the vendor's matrix library.

/// Which GPU, and how it is driven.
#[derive(Debug, Clone, Default)]
pub struct DriverOptions {
    /// The number of the GPU; none: the best there is.
    pub device: Option<usize>,
}
