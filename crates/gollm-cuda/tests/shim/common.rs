//! What the tests on the shim share.

use gollm_cuda::{CacheType, Cuda, ShimLibrary, ShimOptions};
use gollm_tensor::Device;

/// Both orders in which the threads of a block may start.
pub(crate) const ORDERS: [bool; 2] = [false, true];

/// The backend on the processor.
pub(crate) fn device(reversed: bool, library: ShimLibrary, cache: CacheType) -> Device {
    Device::new(Cuda::shim(ShimOptions { reversed, library }, cache))
}

/// `n` numbers between -1 and 1: the high bits of a linear congruential generator (Knuth's MMIX).
pub(crate) fn random(seed: u64, n: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}
