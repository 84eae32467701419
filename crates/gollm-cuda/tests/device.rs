//! On a real GPU: the conformance suite, and a text that is the reference's token for token, with and
//! without cuBLAS and graphs.
//!
//! The environment chooses the GPU and says where the libraries are, as for the binary. Without a GPU
//! these tests print `skipped: no CUDA device`; with `GOLLM_REQUIRE_CUDA=1` they fail instead.
//! `docs/gpu-testing.md` says how to carry them to a machine that has one.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::env;
use std::path::PathBuf;

use gollm_cuda::{CacheType, CublasUse, Cuda, DriverOptions, Options, devices};
use gollm_model::{Append, Decoder};
use gollm_tensor::Device;
use gollm_tensor::conformance::{Bounds, assert_conforms};
use gollm_weights::{ModelFile, OpenOptions};

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

/// The largest logit of each step, from a prompt on.
fn greedy(device: &Device, n_tokens: usize) -> Vec<u32> {
    let path = env::var_os("GOLLM_TEST_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../test_data")),
        PathBuf::from,
    );
    let file = ModelFile::open(path.join("gollm-stories.gollm"), &OpenOptions::default()).unwrap();
    let decoder = Decoder::load(file.config(), &file, device).unwrap();
    let mut cache = decoder.new_cache(1).unwrap();
    let mut next: Vec<u32> = (1..40).map(|i| i * 7 % 500).collect();
    let mut ids = Vec::new();
    while ids.len() < n_tokens {
        let append = Append {
            sequence: 0,
            tokens: &next,
        };
        let logits = decoder.forward(&[append], &mut cache).unwrap();
        next = logits.argmax().unwrap();
        ids.extend(&next);
    }
    ids
}

#[test]
fn the_text_is_the_references_with_graphs_and_without() {
    let Some(options) = options() else {
        return;
    };
    let expected = greedy(&Device::reference(), 64);
    for graphs in [true, false] {
        for cublas in [CublasUse::Off, CublasUse::F32, CublasUse::F16] {
            let driver = DriverOptions {
                graphs,
                cublas: Some(cublas),
                ..options.clone()
            };
            let device = open(driver, CacheType::F16);
            let description = device.backend().description();
            assert_eq!(greedy(&device, 64), expected, "{description}");
        }
    }
}
