//! Chapter 11, one model in other people's files. Run with `cargo test --test ch11`; read with
//! notes/ch11-other-files.md.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are not marked as tests"
)]

mod support;

use std::collections::HashMap;

use gollm_model::{
    Config, Decoder, SequenceTokens, StoredTensor, WeightSource, expected_tensors, rope,
};
use gollm_tensor::{DType, Device, HostBytes};
use gollm_weights::{FolderOptions, ModelFile, OpenOptions, export_folder, export_gguf};
use support::raw_model;

/// Heads of 32 numbers, so that every row is a block of 32 or a whole number of them.
fn config() -> Config {
    Config::from_yaml(
        "{vocab_size: 16, context_length: 12, emb_dim: 64, n_heads: 2, n_kv_heads: 1, head_dim: 32,
          hidden_dim: 96, n_layers: 2, tie_embeddings: false}",
    )
    .unwrap()
}

/// A model of `config` as a `.gollm` file.
fn ours(config: &Config, dtype: DType) -> ModelFile {
    let config = Config {
        dtype,
        ..config.clone()
    };
    let bytes = raw_model(&config, dtype).build();
    ModelFile::from_bytes(HostBytes::new(bytes)).unwrap()
}

/// The bytes of the same model as a GGUF file.
fn gguf_bytes(model: &ModelFile) -> Vec<u8> {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("model.gguf");
    export_gguf(model, None, &path).unwrap();
    std::fs::read(path).unwrap()
}

fn open(bytes: Vec<u8>) -> ModelFile {
    ModelFile::from_bytes(HostBytes::new(bytes)).unwrap()
}

/// Every tensor of a file, in memory.
fn tensors(file: &ModelFile) -> HashMap<String, StoredTensor> {
    let specs = expected_tensors(file.config()).unwrap();
    let entry = |name: String| (name.clone(), file.tensor(&name).unwrap());
    specs.into_iter().map(|spec| entry(spec.name)).collect()
}

/// The logits after each of `ids`, on the readable backend.
fn logits(config: &Config, weights: &dyn WeightSource, ids: &[u32]) -> Vec<Vec<f32>> {
    let decoder = Decoder::load(config, weights, &Device::reference()).unwrap();
    let mut cache = decoder.new_cache(1).unwrap();
    let mut after = |id: &u32| {
        let tokens = std::slice::from_ref(id);
        let append = SequenceTokens {
            sequence: 0,
            tokens,
        };
        decoder
            .forward(&[append], &mut cache)
            .unwrap()
            .to_vec()
            .unwrap()
    };
    ids.iter().map(&mut after).collect()
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f32::max)
}

/// Where `name` stands in the list of tensors of a GGUF file: the byte behind it.
fn behind(bytes: &[u8], name: &str) -> Option<usize> {
    let entry = [&(name.len() as u64).to_le_bytes(), name.as_bytes()].concat();
    let start = bytes.windows(entry.len()).position(|part| part == entry)?;
    Some(start + entry.len())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(*bytes[at..].first_chunk().unwrap())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(*bytes[at..].first_chunk().unwrap())
}

/// The data of a tensor of two dimensions or one in a GGUF file of an untied model.
fn data<'a>(bytes: &'a [u8], name: &str, n_bytes: usize) -> &'a [u8] {
    let offset = |name: &str| {
        let at = behind(bytes, name).unwrap();
        let n_dimensions = u32_at(bytes, at) as usize;
        u64_at(bytes, at + 4 + 8 * n_dimensions + 4) as usize
    };
    // Offsets count from where data begin, which the end of the last tensor tells.
    let last = offset("output.weight") + 16 * 64 * 4;
    &bytes[bytes.len() - last + offset(name)..][..n_bytes]
}

#[test]
fn s1_the_same_tensors_stand_there_under_other_names() {
    let model = ours(&config(), DType::F32);
    let bytes = gguf_bytes(&model);
    for (theirs, ours) in [
        ("token_embd.weight", "tok_emb.weight"),
        ("blk.1.attn_norm.weight", "blocks.1.attn_norm.weight"),
        ("blk.1.attn_v.weight", "blocks.1.attn.v_proj.weight"),
        ("blk.1.attn_output.weight", "blocks.1.attn.o_proj.weight"),
        ("blk.1.ffn_norm.weight", "blocks.1.ffn_norm.weight"),
        ("blk.1.ffn_gate.weight", "blocks.1.ffn.gate_proj.weight"),
        ("blk.1.ffn_up.weight", "blocks.1.ffn.up_proj.weight"),
        ("blk.1.ffn_down.weight", "blocks.1.ffn.down_proj.weight"),
        ("output_norm.weight", "final_norm.weight"),
        ("output.weight", "out_head.weight"),
    ] {
        let tensor = model.tensor(ours).unwrap();
        let there = data(&bytes, theirs, tensor.bytes.len());
        assert!(there == tensor.bytes.as_slice(), "{theirs}");
        assert!(behind(&bytes, ours).is_none(), "{ours}");
    }
}

#[test]
fn s1_a_tied_head_is_a_tensor_that_is_not_there() {
    let tied = Config {
        tie_embeddings: true,
        ..config()
    };
    let bytes = gguf_bytes(&ours(&tied, DType::F32));
    assert_eq!(behind(&bytes, "output.weight"), None);
    assert!(open(bytes).config().tie_embeddings);
    let bytes = gguf_bytes(&ours(&config(), DType::F32));
    assert!(!open(bytes).config().tie_embeddings);
}

#[test]
fn s2_dimensions_are_listed_backwards_and_the_numbers_lie_in_the_same_order() {
    let model = ours(&config(), DType::F32);
    let bytes = gguf_bytes(&model);
    let ours = model.tensor("blocks.0.ffn.up_proj.weight").unwrap();
    assert_eq!(ours.shape, [96, 64]);
    let at = behind(&bytes, "blk.0.ffn_up.weight").unwrap();
    assert_eq!(u32_at(&bytes, at), 2, "dimensions");
    assert_eq!(u64_at(&bytes, at + 4), 64, "the innermost first");
    assert_eq!(u64_at(&bytes, at + 12), 96);
    assert_eq!(u32_at(&bytes, at + 20), 0, "the code of f32");
    let there = data(&bytes, "blk.0.ffn_up.weight", 96 * 64 * 4);
    assert!(there == ours.bytes.as_slice());
}

#[test]
fn s2_rows_of_blocks_move_without_rounding() {
    for dtype in DType::ALL {
        let model = ours(&config(), dtype);
        let bytes = gguf_bytes(&model);
        let back = open(bytes);
        for (name, tensor) in tensors(&model) {
            let found = back.tensor(&name).unwrap();
            assert_eq!(found.dtype, tensor.dtype, "{name} in {dtype}");
            let same = found.bytes.as_slice() == tensor.bytes.as_slice();
            assert!(same, "{name} in {dtype}");
        }
    }
}

#[test]
fn s3_a_query_with_itself_by_hand() {
    // The first pair turns by a quarter a token, the second not at all.
    let frequencies = [std::f64::consts::FRAC_PI_2, 0.0];
    let head = [3.0, 1.0, 2.0, 5.0];
    let score = |turn: fn(&mut [f32], &[f64], usize), head: [f32; 4], distance| {
        let mut turned = head;
        turn(&mut turned, &frequencies, distance);
        head.iter().zip(turned).map(|(a, b)| a * b).sum::<f32>()
    };
    // Cosines of right angles are 4e-8 in f32.
    let close = |a: f32, b: f32| (a - b).abs() < 1e-5;
    assert!(close(score(rope::rotate_adjacent, head, 0), 39.0));
    assert!(close(score(rope::rotate_halves, head, 0), 39.0));
    assert!(close(score(rope::rotate_adjacent, head, 1), 29.0));
    assert!(close(score(rope::rotate_halves, head, 1), 26.0));
    let order = rope::adjacent_to_halves(1, 4);
    let reordered = std::array::from_fn(|i| head[order[i]]);
    assert_eq!(reordered, [3.0, 2.0, 1.0, 5.0]);
    assert!(close(score(rope::rotate_halves, reordered, 1), 29.0));
}

#[test]
fn s3_the_wrong_style_has_the_right_shapes_and_only_the_first_token_is_right() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../test_data/gollm-stories.gollm"
    );
    let model = ModelFile::open(path, &OpenOptions::default()).unwrap();
    let config = model.config();
    let mut wrong = tensors(&model);
    for layer in 0..config.n_layers {
        for (part, n_heads) in [("q_proj", config.n_heads), ("k_proj", config.n_kv_heads)] {
            let tensor = wrong.get_mut(&format!("blocks.{layer}.attn.{part}.weight"));
            let tensor = tensor.unwrap();
            let order = rope::halves_to_adjacent(n_heads, config.head_dim);
            *tensor = tensor.permute_rows(&order).unwrap();
        }
    }
    // "Once upon a time, there was a little", from `gollm tokenize`.
    let ids = [495, 499, 258, 390, 44, 382, 283, 258, 388];
    let right = logits(config, &model, &ids);
    let wrong = logits(config, &wrong, &ids);
    // One token attends to itself alone, whatever its score.
    assert_eq!(right[0], wrong[0]);
    for position in 1..ids.len() {
        let difference = largest_difference(&right[position], &wrong[position]);
        assert!(difference > 0.1, "position {position}: {difference}");
    }
}

/// The same model as a llama2.c checkpoint: seven integers, then the tensors of one kind after those of
/// another, without a name.
fn llama2c_bytes(model: &ModelFile) -> Vec<u8> {
    let config = model.config();
    let sizes = [
        config.emb_dim,
        config.hidden_dim,
        config.n_layers,
        config.n_heads,
        config.n_kv_heads,
    ];
    let mut bytes: Vec<u8> = sizes
        .iter()
        .flat_map(|n| (*n as i32).to_le_bytes())
        .collect();
    // A head that is not the table is a vocabulary below zero.
    bytes.extend((-(config.vocab_size as i32)).to_le_bytes());
    bytes.extend((config.context_length as i32).to_le_bytes());
    let adjacent = |name: &str, n_heads: usize| {
        let order = rope::halves_to_adjacent(n_heads, config.head_dim);
        model.tensor(name).unwrap().permute_rows(&order).unwrap()
    };
    bytes.extend(model.tensor("tok_emb.weight").unwrap().bytes.as_slice());
    for part in [
        "attn_norm",
        "attn.q_proj",
        "attn.k_proj",
        "attn.v_proj",
        "attn.o_proj",
        "ffn_norm",
        "ffn.gate_proj", // w1
        "ffn.down_proj", // w2
        "ffn.up_proj",   // w3
    ] {
        for layer in 0..config.n_layers {
            let name = format!("blocks.{layer}.{part}.weight");
            let tensor = match part {
                "attn.q_proj" => adjacent(&name, config.n_heads),
                "attn.k_proj" => adjacent(&name, config.n_kv_heads),
                _ => model.tensor(&name).unwrap(),
            };
            bytes.extend(tensor.bytes.as_slice());
        }
    }
    bytes.extend(model.tensor("final_norm.weight").unwrap().bytes.as_slice());
    // Cosines and sines, which nobody reads any more.
    bytes.resize(bytes.len() + 4 * config.context_length * config.head_dim, 0);
    bytes.extend(model.tensor("out_head.weight").unwrap().bytes.as_slice());
    bytes
}

#[test]
fn s4_one_model_in_four_kinds_of_file_gives_the_same_logits() {
    let ids = [3, 1, 4, 1, 5, 9, 2, 6];
    let model = ours(&config(), DType::F32);
    let expected = logits(model.config(), &model, &ids);
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("folder");
    export_folder(&model, &folder, &FolderOptions::default()).unwrap();
    for file in [
        open(gguf_bytes(&model)),
        ModelFile::open(&folder, &OpenOptions::default()).unwrap(),
        open(llama2c_bytes(&model)),
    ] {
        // The same numbers in the same order: the same sums, to the last bit.
        let found = logits(file.config(), &file, &ids);
        assert_eq!(found, expected, "{}", file.format());
    }
}
