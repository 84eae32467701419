//! A small model with random weights.

use std::collections::HashMap;

use gollm_model::{Config, StoredTensor, expected_tensors};
use gollm_tensor::{DType, HostBytes};

/// `n` numbers between -1 and 1, the same for the same seed.
pub(crate) fn random(seed: u64, n: usize) -> Vec<f32> {
    // Source: the generator of Knuth's MMIX; its upper bits are the good ones.
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 1;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

/// Odd sizes, and a context in which 29 tokens fit.
pub(crate) fn config() -> Config {
    let yaml = "{vocab_size: 61, context_length: 32, emb_dim: 40, n_heads: 4, n_kv_heads: 2, \
                head_dim: 18, hidden_dim: 66, n_layers: 3}";
    Config::from_yaml(yaml).expect("a valid config")
}

/// Random weights in f32: uniform, with the spread of a fresh model's.
pub(crate) fn weights(config: &Config) -> HashMap<String, StoredTensor> {
    let specs = expected_tensors(config).expect("a valid config");
    let stored = specs.into_iter().zip(0..).map(|(spec, seed)| {
        let (n, n_in) = (spec.shape.iter().product(), spec.shape.last().copied());
        let scale = (3.0 / n_in.expect("at least one dimension") as f32).sqrt();
        let is_norm = spec.shape.len() == 1;
        let value = |u: f32| if is_norm { 1.0 + 0.2 * u } else { u * scale };
        let values = random(seed, n).into_iter().map(value);
        let bytes: Vec<u8> = values.flat_map(f32::to_le_bytes).collect();
        let tensor = StoredTensor {
            shape: spec.shape,
            dtype: DType::F32,
            bytes: HostBytes::from(bytes),
        };
        (spec.name, tensor)
    });
    stored.collect()
}
