//! What is in `test_data/golden-v1.gollm`: every storage type, and every key of the metadata.
//!
//! The file was made once, by `examples/golden_v1.rs`, and is kept: it stands for every file that
//! anybody made with version 1. If a change makes it unreadable, the change is wrong.

use gollm_model::{Config, expected_tensors};
use gollm_tensor::DType;
use gollm_weights::{Metadata, stored_dtype};
use serde_json::{Map, Value, json};

/// The file's BLAKE3 hash.
pub(crate) const BLAKE3: &str = "dfe619e5137133ee6e7d4d607ff69b98a3805a278220486439c666438607db43";

/// A small model with every optional part: untied head, RoPE scaling, tokenizer, template.
pub(crate) fn metadata() -> Metadata {
    let config = Config::from_yaml(
        "{vocab_size: 64, context_length: 128, emb_dim: 32, n_heads: 2, n_kv_heads: 1, head_dim: 16,
          hidden_dim: 64, n_layers: 2, rope_theta: 500000.0, norm_eps: 0.00001,
          tie_embeddings: false, dtype: f16,
          rope_scaling: {factor: 8.0, low_freq_factor: 1.0, high_freq_factor: 4.0,
                         original_context_length: 64}}",
    )
    .unwrap();
    Metadata {
        tokenizer: Some(json!({
            "kind": "bpe", "version": 1, "pattern": "gpt2", "ranks": "YQ== 0\nYg== 1\nYWI= 2\n",
            "special": {"<|end_of_text|>": 3},
        })),
        chat_template: Some("{% for m in messages %}{{ m.content }}\n{% endfor %}".to_owned()),
        provenance: object(json!({
            "made_by": "examples/golden_v1.rs", "step": 0, "loss": 4.158_883_083_359_672,
            "text": "é, \u{1F600} and \"quotes\"",
        })),
        other: object(json!({"x_unknown": [1, null, {"kept": true}]})),
        ..Metadata::new(config)
    }
}

/// One tensor of the file before it was rounded to its type.
pub(crate) struct GoldenTensor {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) dtype: DType,
    pub(crate) values: Vec<f32>,
}

/// Every tensor, the matrices in all storage types in turn.
pub(crate) fn tensors() -> Vec<GoldenTensor> {
    let specs = expected_tensors(&metadata().config).unwrap();
    let types = DType::ALL.into_iter().cycle();
    let golden = specs
        .into_iter()
        .zip(types)
        .enumerate()
        .map(|(index, (spec, dtype))| GoldenTensor {
            dtype: stored_dtype(&spec.shape, dtype),
            values: super::values(spec.shape.iter().product(), index as u32),
            name: spec.name,
            shape: spec.shape,
        });
    golden.collect()
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// The largest rounding error of values between -1 and 1.
pub(crate) fn half_a_step(dtype: DType) -> f32 {
    match dtype {
        DType::F32 => 0.0,
        // Half a unit in the last of 11 (8) significant bits of a number just below 1.
        DType::F16 => f32::exp2(-12.0),
        DType::BF16 => f32::exp2(-9.0),
        // Half a step of 1/127; the f16 scale adds up to 2^-11 of the value.
        DType::Q8_0 => 0.5 / 127.0 + f32::exp2(-11.0),
        // Steps of 1/8 from -8/8 to 7/8: a value near +1 opposite to the extreme is a step away.
        DType::Q4_0 => 1.0 / 8.0 + f32::exp2(-11.0),
    }
}
