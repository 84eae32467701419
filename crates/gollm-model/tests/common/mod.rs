//! A small model with random weights, for the tests of this crate.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(
    clippy::expect_used,
    reason = "a test whose setting cannot be made should panic"
)]

use std::collections::HashMap;

use gollm_model::{Config, Decoder, SequenceTokens, StoredTensor, expected_tensors};
use gollm_tensor::{DType, Device, HostBytes, Tensor, quantize};

/// `n` numbers between -1 and 1, the same for the same seed.
pub(crate) fn random(seed: u64, n: usize) -> Vec<f32> {
    // Knuth's linear congruential generator (MMIX); its upper bits are good enough for weights.
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 1;
    let mut next = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

/// A small config with odd sizes; `change` is YAML that overrides it.
pub(crate) fn config(change: &str) -> Config {
    let keys = "{vocab_size: 61, context_length: 24, emb_dim: 32, n_heads: 4, \
                head_dim: 16, hidden_dim: 64, n_layers: 3";
    let n_kv_heads = if change.contains("n_kv_heads") {
        ""
    } else {
        ", n_kv_heads: 2"
    };
    Config::from_yaml(&format!("{keys}{n_kv_heads}, {change}}}")).expect("a valid config")
}

/// Random weights for a config: uniform, scaled by the square root of the width like a fresh model's.
pub(crate) fn weights(config: &Config, dtype: DType) -> HashMap<String, StoredTensor> {
    let specs = expected_tensors(config).expect("a valid config");
    let stored = specs.into_iter().enumerate().map(|(i, spec)| {
        let n = spec.shape.iter().product();
        let is_norm = spec.shape.len() == 1;
        let scale = (3.0 / *spec.shape.last().expect("at least one dimension") as f32).sqrt();
        let value = |u: f32| if is_norm { 1.0 + 0.2 * u } else { u * scale };
        let values: Vec<f32> = random(i as u64, n).into_iter().map(value).collect();
        let dtype = if is_norm { DType::F32 } else { dtype };
        let bytes = HostBytes::from(quantize(&values, dtype).expect("whole blocks"));
        (
            spec.name,
            StoredTensor {
                shape: spec.shape,
                dtype,
                bytes,
            },
        )
    });
    stored.collect()
}

pub(crate) fn decoder(config: &Config) -> Decoder {
    Decoder::load(config, &weights(config, DType::F32), &Device::reference()).expect("loads")
}

pub(crate) fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.to_vec().expect("readable")
}

pub(crate) fn append(sequence: usize, tokens: &[u32]) -> SequenceTokens<'_> {
    SequenceTokens { sequence, tokens }
}
