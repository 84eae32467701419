//! Every operation, every storage type and every fused form against the reference.

use crate::common::{ORDERS, device};
use gollm_conformance::{Bounds, assert_conforms};
use gollm_cuda::{CacheType, ShimLibrary};

/// The default bounds, but for a cache of half precision: each number moves by at most 2⁻¹¹ of itself,
/// and scores and sums by about as much.
const HALF_CACHE: Bounds = Bounds {
    f32: 1e-5,
    cache: 1e-3,
    half: 1e-3,
    quantized: 1e-3,
};

#[test]
fn every_operation_agrees_with_the_reference_in_both_orders() {
    for reversed in ORDERS {
        let device = device(reversed, ShimLibrary::Off, CacheType::F32);
        assert_conforms(&device, &Bounds::default());
    }
}

#[test]
fn a_cache_of_half_precision_costs_a_thousandth() {
    for reversed in ORDERS {
        assert_conforms(
            &device(reversed, ShimLibrary::Off, CacheType::F16),
            &HALF_CACHE,
        );
    }
}

#[test]
fn products_on_the_library_agree_with_the_reference() {
    for library in [ShimLibrary::F32, ShimLibrary::F16] {
        assert_conforms(&device(false, library, CacheType::F16), &HALF_CACHE);
    }
}
