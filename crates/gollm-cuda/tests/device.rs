//! On a real GPU: the conformance suite, and a text that is the reference's token for token, with and
//! without cuBLAS and graphs.
//!
//! The environment chooses the GPU and says where the libraries are, as for the binary. Without a GPU
//! these tests print `skipped: no CUDA device`; with `GOLLM_REQUIRE_CUDA=1` they fail instead.
//! `docs/gpu-testing.md` says how to carry them to a machine that has one.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "shim/text.rs"]
mod text;

use std::env;

use gollm_conformance::{Bounds, assert_conforms};
use gollm_cuda::{CacheType, CublasUse, Cuda, DriverOptions, Options, Replay, devices};
use gollm_tensor::{DType, Device};
use text::Text;

/// A cache of half precision moves each number by at most 2⁻¹¹ of itself, and scores and sums by about as
/// much. Everything else is the default: f32 operations sum in another order than the reference.
const BOUNDS: Bounds = Bounds {
    f32: 1e-5,
    cache: 1e-3,
    half: 1e-3,
    quantized: 1e-3,
};

/// The options of the environment, if there is a GPU for them.
#[expect(
    clippy::print_stderr,
    reason = "a test that did not run has to say so where people look"
)]
fn options() -> Option<DriverOptions> {
    let options = DriverOptions::from_environment().unwrap();
    let Err(error) = devices(&options) else {
        return Some(options);
    };
    assert!(
        env::var_os("GOLLM_REQUIRE_CUDA").is_none_or(|value| value != "1"),
        "GOLLM_REQUIRE_CUDA=1, but {error}"
    );
    eprintln!("skipped: no CUDA device");
    None
}

fn open(driver: DriverOptions, cache: CacheType) -> Device {
    Device::new(Cuda::open(&Options { cache, driver }).unwrap())
}

#[test]
fn every_operation_agrees_with_the_reference() {
    let Some(options) = options() else {
        return;
    };
    for cublas in [CublasUse::Off, CublasUse::F32, CublasUse::F16] {
        for cache in [CacheType::F16, CacheType::F32] {
            let driver = DriverOptions {
                cublas: Some(cublas),
                ..options.clone()
            };
            assert_conforms(&open(driver, cache), &BOUNDS);
        }
    }
}

#[test]
fn waiting_after_each_kernel_changes_nothing() {
    let Some(options) = options() else {
        return;
    };
    let driver = DriverOptions {
        check: true,
        ..options
    };
    assert_conforms(&open(driver, CacheType::F16), &BOUNDS);
}

/// A prompt that cuBLAS reads, where it is used: more than 16 tokens.
fn prompt() -> Vec<u32> {
    (1..40).map(|i| i * 7 % 500).collect()
}

#[test]
fn the_text_is_the_references_with_graphs_and_without() {
    let Some(options) = options() else {
        return;
    };
    let file = text::model(DType::F32);
    let expected = Text::of(&file, &prompt(), 64);
    for replay in replays() {
        for cublas in [CublasUse::Off, CublasUse::F32, CublasUse::F16] {
            let driver = DriverOptions {
                replay,
                cublas: Some(cublas),
                ..options.clone()
            };
            let device = open(driver, CacheType::F16);
            let description = device.backend().description();
            assert_eq!(expected.read(&file, &device), expected.ids, "{description}");
        }
    }
}

#[test]
fn the_text_is_the_references_in_every_storage_type() {
    let Some(options) = options() else {
        return;
    };
    for weights in [DType::F32, DType::F16, DType::Q8_0, DType::Q4_0] {
        let file = text::model(weights);
        let expected = Text::of(&file, &prompt(), 64);
        for replay in replays() {
            for cublas in [CublasUse::Off, CublasUse::F32, CublasUse::F16] {
                let driver = DriverOptions {
                    replay,
                    cublas: Some(cublas),
                    ..options.clone()
                };
                let device = open(driver, CacheType::F32);
                let found = expected.read(&file, &device);
                let description = format!("{weights}: {}", device.backend().description());
                if cublas == CublasUse::F16 && weights != DType::F32 {
                    // The prompt's activations are rounded to 11 bits: where two logits, some tens each, are
                    // that close, either may be chosen.
                    assert!(expected.worst(&found) < 0.1, "{description}");
                } else {
                    assert_eq!(found, expected.ids, "{description}");
                }
            }
        }
    }
}

/// Every way of doing a step that this build has.
fn replays() -> Vec<Replay> {
    let persistent = cfg!(feature = "persistent-decode").then_some(Replay::Persistent);
    [Replay::Graph, Replay::Off]
        .into_iter()
        .chain(persistent)
        .collect()
}
