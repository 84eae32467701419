//! Models that are more than the embedded one: biases, norms of heads, experts.

use std::sync::Arc;

use gollm_model::{Decoder, SequenceTokens};
use gollm_tensor::Device;
use gollm_weights::{ModelFile, OpenOptions};

use super::super::super::options::{DriverOptions, Replay};
use super::{open, options};
use crate::Cuda;
use crate::options::CacheType;

/// The ids that a random model goes on with, each the likeliest.
fn greedy(name: &str, device: &Device) -> Vec<u32> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../test_data/goldens");
    let path = std::path::Path::new(folder).join(format!("{name}.gollm"));
    let file = ModelFile::open(path, &OpenOptions::default()).unwrap();
    let decoder = Decoder::load(file.config(), &file, device).unwrap();
    let mut cache = decoder.new_cache(1).unwrap();
    let (mut next, mut ids) = (vec![7, 30, 41], Vec::new());
    while ids.len() < 8 {
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

/// Which experts a token asks changes from token to token, and with it what is queued: a graph of an
/// earlier step must not be taken for this one's.
#[test]
fn they_write_what_the_reference_writes_with_graphs_and_without() {
    let cache = tempfile::tempdir().unwrap();
    for name in ["qkv_bias", "qk_norm", "experts"] {
        let expected = greedy(name, &Device::reference());
        let persistent = cfg!(feature = "persistent-decode").then_some(Replay::Persistent);
        for replay in [Replay::Off, Replay::Graph].into_iter().chain(persistent) {
            let options = DriverOptions {
                replay,
                ..options(&cache)
            };
            let driver = Arc::new(open(&options).unwrap());
            let device = Device::new(Cuda::on(driver, CacheType::F32));
            assert_eq!(greedy(name, &device), expected, "{name}, {replay:?}");
        }
    }
}
