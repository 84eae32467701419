//! Whole models on the fake: the conformance suite, and a text.

use std::sync::Arc;

use gollm_conformance::{Bounds, assert_conforms};
use gollm_model::{Decoder, SequenceTokens};
use gollm_tensor::Device;
use gollm_weights::{ModelFile, OpenOptions};

use super::super::super::options::{CublasUse, DriverOptions, Replay};
use super::super::super::run::Driver;
use super::{graph_launches, open, options};
use crate::Cuda;
use crate::options::CacheType;

#[test]
fn the_whole_backend_conforms_through_the_driver() {
    // A cache of half precision: each number moves by at most 2⁻¹¹ of itself.
    let bounds = Bounds {
        cache: 1e-3,
        ..Bounds::default()
    };
    let cache = tempfile::tempdir().unwrap();
    for cublas in [CublasUse::F16, CublasUse::F32, CublasUse::Off] {
        let options = DriverOptions {
            cublas: Some(cublas),
            ..options(&cache)
        };
        let driver = Arc::new(open(&options).unwrap());
        assert_conforms(&Device::new(Cuda::on(driver, CacheType::F16)), &bounds);
    }
}

/// The ids that the embedded model goes on with, each the likeliest.
pub(super) fn greedy(driver: Driver, n_tokens: usize) -> Vec<u32> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../test_data/gollm-stories.gollm"
    );
    let file = ModelFile::open(path, &OpenOptions::default()).unwrap();
    let device = Device::new(Cuda::on(Arc::new(driver), CacheType::F16));
    let decoder = Decoder::load(file.config(), &file, &device).unwrap();
    let mut cache = decoder.new_cache(1).unwrap();
    let mut next = vec![7, 300, 41];
    let mut ids = Vec::new();
    while ids.len() < n_tokens {
        let append = SequenceTokens {
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
fn decoding_a_model_is_one_graph_a_token() {
    let cache = tempfile::tempdir().unwrap();
    let without = DriverOptions {
        replay: Replay::Off,
        ..options(&cache)
    };
    let plain = greedy(open(&without).unwrap(), 8);
    let before = graph_launches();
    assert_eq!(greedy(open(&options(&cache)).unwrap(), 8), plain);
    // Queued one by one are the prompt, the first token, which finds the prompt's buffers, and two more.
    assert_eq!(graph_launches() - before, 4);
}
