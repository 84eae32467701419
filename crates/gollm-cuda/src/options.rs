//! What the caller chooses.

use crate::driver::DriverOptions;

/// How cached keys and values are stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CacheType {
    /// Half precision: half the memory and half the reading of a long context.
    #[default]
    F16,
    /// Single precision.
    F32,
}

/// What [`Cuda::open`](crate::Cuda::open) is asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How cached keys and values are stored.
    pub cache: CacheType,
    /// Which GPU, and how it is driven.
    pub driver: DriverOptions,
}
