//! Random models with biases, norms of queries and keys, and experts, and how PyTorch goes on with them: for the
//! tests of the fast backends.

use std::path::Path;

use gollm_model::{Decoder, SequenceTokens};
use gollm_tensor::Device;
use gollm_weights::{ModelFile, OpenOptions};

/// Random models whose greedy tokens lead the next ones clearly; see `python/golden_models.py`.
pub(crate) const NAMES: [&str; 3] = ["qkv_bias", "qk_norm", "experts"];

fn golden(name: &str) -> (ModelFile, Vec<u32>, Vec<u32>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test_data/goldens");
    let json = std::fs::read(folder.join(format!("{name}.json"))).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let ids = |key: &str| serde_json::from_value(json[key].clone()).unwrap();
    let path = folder.join(format!("{name}.gollm"));
    let file = ModelFile::open(path, &OpenOptions::default()).unwrap();
    (file, ids("ids"), ids("greedy"))
}

/// PyTorch's prompt and its greedy continuation, on two sequences at once.
pub(crate) fn assert_writes_what_pytorch_writes(name: &str, device: &Device) {
    let (file, prompt, expected) = golden(name);
    let decoder = Decoder::load(file.config(), &file, device).unwrap();
    let mut cache = decoder.new_cache(2).unwrap();
    let (mut tokens, mut found) = (prompt, Vec::new());
    for _ in 0..expected.len() {
        let batch = [1, 0].map(|sequence| SequenceTokens {
            sequence,
            tokens: &tokens,
        });
        let next = decoder
            .forward(&batch, &mut cache)
            .unwrap()
            .argmax()
            .unwrap();
        assert_eq!(next[0], next[1], "{name}");
        tokens = vec![next[0]];
        found.push(next[0]);
    }
    assert_eq!(
        found,
        expected,
        "{name} on {}",
        device.backend().description()
    );
}
