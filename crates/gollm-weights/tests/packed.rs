//! Files whose tensors have neither names nor places: llama2.c checkpoints, distributed-llama models.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use gollm_model::{Config, RopeScaling, WeightSource, rope};
use gollm_tensor::{DType, HostBytes, quantize};
use gollm_weights::{Error, ModelFile, OpenOptions};

/// Two layers; heads of four numbers, half as many of keys: permuted and unpermuted rows differ.
fn config(more: &str) -> Config {
    Config::from_yaml(&format!(
        "{{vocab_size: 10, context_length: 16, emb_dim: 32, n_heads: 8, n_kv_heads: 4,
           hidden_dim: 64, n_layers: 2, {more}}}"
    ))
    .unwrap()
}

fn values(n_elements: usize, seed: usize) -> Vec<f32> {
    (1..=n_elements)
        .map(|i| ((i * 2_654_435_761 + seed * 40_503) % 65_536) as f32 / 32_768.0 - 1.0)
        .collect()
}

/// The numbers of our tensor of this name, in our order: they follow from the name.
fn named(name: &str, n_elements: usize) -> Vec<f32> {
    values(
        n_elements,
        name.bytes().map(usize::from).sum::<usize>() + name.len(),
    )
}

/// The same as their file has them: rows of queries and keys in the order of adjacent pairs.
fn theirs(name: &str, shape: &[usize], config: &Config) -> Vec<f32> {
    let ours = named(name, shape.iter().product());
    let n_heads = match name {
        // Qwens turn split halves there as well.
        _ if config.qk_norm => return ours,
        name if name.ends_with("q_proj.weight") => config.n_heads,
        name if name.ends_with("k_proj.weight") => config.n_kv_heads,
        _ => return ours,
    };
    let rows: Vec<&[f32]> = ours.chunks(shape[1]).collect();
    let order = rope::halves_to_adjacent(n_heads, config.head_dim);
    order.iter().flat_map(|row| rows[*row].to_vec()).collect()
}

fn open(bytes: &[u8]) -> Result<ModelFile, Error> {
    ModelFile::from_bytes(HostBytes::new(bytes.to_vec()))
}

fn refused(bytes: &[u8]) -> String {
    open(bytes).unwrap_err().to_string()
}

fn assert_holds(message: &str, part: &str) {
    assert!(message.contains(part), "{message}\n  should say: {part}");
}

/// Every tensor has the numbers that its name stands for, as far as its type can hold them.
fn assert_named(model: &ModelFile, tolerance: f32) {
    for tensor in model.descriptors() {
        let found = model.tensor(&tensor.name).unwrap().to_f32().unwrap();
        let expected = named(&tensor.name, found.len());
        for (a, b) in found.iter().zip(&expected) {
            assert!((a - b).abs() <= tolerance, "{}: {a} {b}", tensor.name);
        }
    }
}

#[path = "packed/distributed_llama.rs"]
mod distributed_llama;

#[path = "packed/llama2c.rs"]
mod llama2c;
