//! The backend agrees with the reference, with every kind of kernels that this processor has.

use gollm_conformance::{Bounds, assert_conforms};
use gollm_cpu::{Cpu, Isa};
use gollm_tensor::Device;

/// The bounds of this backend.
///
/// q8_0 and q4_0 products round the activations to 8 bits in blocks of 32: each moves by at most
/// 1/254 of its block's largest, in a random direction. Over a sum of n products of numbers spread
/// evenly between -1 and 1 the errors add up to 0.4 % of the sum's own spread (1/254/√3 against
/// 1/√3), and the largest of a few thousand is four times the usual; a block of one output of one
/// row has no others to be measured against. Three times that is the bound.
fn bounds() -> Bounds {
    Bounds {
        quantized: 2e-2,
        ..Bounds::default()
    }
}

#[test]
fn a_cache_of_half_precision_costs_a_thousandth() {
    let bounds = Bounds {
        cache: 1e-3,
        ..bounds()
    };
    for isa in Isa::available() {
        let cpu = Cpu::with_isa(2, isa).unwrap().with_half_cache();
        assert_conforms(&Device::new(cpu), &bounds);
    }
}

#[test]
fn weights_that_do_not_fit_the_memory_budget_give_the_same() {
    for isa in Isa::available() {
        // Some of the suite's weights fit, some do not.
        for budget in [0, 4096] {
            let cpu = Cpu::with_isa(2, isa).unwrap().with_memory_budget(budget);
            assert_conforms(&Device::new(cpu), &bounds());
        }
    }
}

#[test]
fn every_operation_agrees_with_the_reference_on_every_isa() {
    for isa in Isa::available() {
        for n_threads in [1, 2, 3] {
            let cpu = Cpu::with_isa(n_threads, isa).unwrap();
            assert_conforms(&Device::new(cpu), &bounds());
        }
    }
}
