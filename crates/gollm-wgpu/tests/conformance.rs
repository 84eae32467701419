//! The backend agrees with the reference on every operation, however its memory is cut.

mod common;

use gollm_conformance::{Bounds, assert_conforms};
use gollm_tensor::Device;
use gollm_wgpu::Options;

/// The bounds of this backend: every product computes in f32 on the weights as they are stored, so half
/// and quantized weights are held to the bound of f32.
fn bounds() -> Bounds {
    Bounds {
        half: 1e-5,
        quantized: 1e-5,
        ..Bounds::default()
    }
}

#[test]
fn every_operation_agrees_with_the_reference() {
    let Some(wgpu) = common::open(Options::default()) else {
        return;
    };
    assert_conforms(&Device::new(wgpu), &bounds());
}

/// 60,000 bytes cut the suite's larger weights, activations and caches, and hold the largest rows.
#[test]
fn tensors_that_are_cut_into_windows_give_the_same_numbers() {
    let options = Options {
        max_binding_bytes: Some(60_000),
        ..Options::default()
    };
    let Some(wgpu) = common::open(options) else {
        return;
    };
    assert_conforms(&Device::new(wgpu), &bounds());
}

/// Keys and values between -1 and 1 move by at most 2^-11 of themselves where the adapter rounds to the
/// nearest, and by 2^-10 where it cuts off; both are below a thousandth.
#[test]
fn a_cache_of_half_precision_costs_a_thousandth() {
    for max_binding_bytes in [None, Some(60_000)] {
        let options = Options {
            half_cache: true,
            max_binding_bytes,
            ..Options::default()
        };
        let Some(wgpu) = common::open(options) else {
            return;
        };
        let bounds = Bounds {
            cache: 1e-3,
            ..bounds()
        };
        assert_conforms(&Device::new(wgpu), &bounds);
    }
}
