//! GGUF files: what is read, how it comes out, and what is refused.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "support/raw_gguf.rs"]
mod raw_gguf;

use std::time::{Duration, Instant};

use gollm_model::{Config, RopeScaling, WeightSource, expected_tensors, rope};
use gollm_tensor::{DType, HostBytes, quantize};
use gollm_weights::{
    GgufMerging, GgufToken, GgufVocabulary, Metadata, ModelFile, OpenOptions, Writer, convert,
    export_gguf,
};
use raw_gguf::{Raw, RawGguf, RawTensor};
use serde_json::json;

/// Two heads of four numbers, one of keys: permuted and unpermuted rows differ.
fn config(dtype: &str) -> Config {
    Config::from_yaml(&format!(
        "{{vocab_size: 8, context_length: 16, emb_dim: 32, n_heads: 2, n_kv_heads: 1, head_dim: 4,
           hidden_dim: 64, n_layers: 1, tie_embeddings: false, rope_theta: 500000, dtype: {dtype}}}"
    ))
    .unwrap()
}

fn values(n_elements: usize, seed: usize) -> Vec<f32> {
    (1..=n_elements)
        .map(|i| ((i * 2_654_435_761 + seed * 40_503) % 65_536) as f32 / 32_768.0 - 1.0)
        .collect()
}

/// A valid file with tensors of ggml type `code`, `data(name, n_elements)` in each matrix.
fn file_of(code: u32, data: impl Fn(usize, &[f32]) -> Vec<u8>) -> RawGguf {
    let config = config("f32");
    let names = [
        ("token_embd.weight", vec![8, 32]),
        ("blk.0.attn_norm.weight", vec![32]),
        ("blk.0.attn_q.weight", vec![8, 32]),
        ("blk.0.attn_k.weight", vec![4, 32]),
        ("blk.0.attn_v.weight", vec![4, 32]),
        ("blk.0.attn_output.weight", vec![32, 8]),
        ("blk.0.ffn_norm.weight", vec![32]),
        ("blk.0.ffn_gate.weight", vec![64, 32]),
        ("blk.0.ffn_up.weight", vec![64, 32]),
        ("blk.0.ffn_down.weight", vec![32, 64]),
        ("output_norm.weight", vec![32]),
        ("output.weight", vec![8, 32]),
    ];
    let tensors = names.into_iter().enumerate().map(|(seed, (name, shape))| {
        let values = values(shape.iter().product(), seed);
        // Rows of 8 are no blocks of 32.
        let plain = shape.len() == 1 || shape[1] == 8;
        let f32s = || quantize(&values, DType::F32).unwrap();
        RawTensor {
            name: name.to_owned(),
            dims: shape.iter().rev().map(|dim| *dim as u64).collect(),
            code: if plain { 0 } else { code },
            offset: None,
            data: if plain { f32s() } else { data(seed, &values) },
        }
    });
    let texts = |texts: &[&str]| Raw::Texts(texts.iter().map(|t| (*t).to_owned()).collect());
    let mut file = RawGguf {
        magic: *b"GGUF",
        version: 3,
        n_tensors: None,
        n_values: None,
        values: Vec::new(),
        tensors: tensors.collect(),
    };
    file.set("general.architecture", Raw::Text("llama".to_owned()));
    file.set("general.name", Raw::Text("a test".to_owned()));
    file.set("llama.context_length", Raw::U32(16));
    file.set("llama.embedding_length", Raw::U32(32));
    file.set("llama.feed_forward_length", Raw::U32(64));
    file.set("llama.block_count", Raw::U32(1));
    file.set("llama.attention.head_count", Raw::U32(2));
    file.set("llama.attention.head_count_kv", Raw::U32(1));
    file.set("llama.attention.key_length", Raw::U32(4));
    file.set("llama.attention.value_length", Raw::U32(4));
    file.set("llama.rope.dimension_count", Raw::U32(4));
    file.set("llama.rope.freq_base", Raw::F32(500_000.0));
    let eps = Raw::F32(config.norm_eps);
    file.set("llama.attention.layer_norm_rms_epsilon", eps);
    file.set("tokenizer.ggml.model", Raw::Text("gpt2".to_owned()));
    file.set("tokenizer.ggml.pre", Raw::Text("llama-bpe".to_owned()));
    let tokens = ["a", "b", "c", "ab", "Ġ", "<s>", "</s>", "[PAD]"];
    file.set("tokenizer.ggml.tokens", texts(&tokens));
    let kinds = Raw::I32s(vec![1, 1, 1, 1, 1, 3, 3, 5]);
    file.set("tokenizer.ggml.token_type", kinds);
    file.set("tokenizer.ggml.merges", texts(&["a b"]));
    file.set("tokenizer.ggml.bos_token_id", Raw::U32(5));
    file.set("tokenizer.ggml.eos_token_id", Raw::U32(6));
    file
}

fn f32_file() -> RawGguf {
    file_of(0, |_, values| quantize(values, DType::F32).unwrap())
}

fn open(file: &RawGguf) -> Result<ModelFile, gollm_weights::Error> {
    ModelFile::from_bytes(HostBytes::new(file.bytes()))
}

fn f32s(file: &ModelFile, name: &str) -> Vec<f32> {
    file.tensor(name).unwrap().to_f32().unwrap()
}

#[test]
fn both_versions_give_config_tokenizer_and_tensors_under_our_names() {
    for version in [2, 3] {
        let mut file = f32_file();
        file.version = version;
        let model = open(&file).unwrap();
        assert_eq!(*model.config(), config("f32"));
        assert_eq!(model.format(), format!("GGUF version {version}"));
        let json = model.tokenizer_json().unwrap();
        assert_eq!(json["tokens"], "a\nb\nc\nab\nĠ\n\n\n\n");
        assert_eq!(json["special"]["</s>"], 6);
        assert_eq!((&json["begin"], &json["end"][0]), (&5.into(), &6.into()));
        let from = &model.provenance()["imported_from"];
        assert_eq!(from["general"]["name"], "a test");
        for (seed, spec) in expected_tensors(model.config()).unwrap().iter().enumerate() {
            let found = f32s(&model, &spec.name);
            let as_stored = values(spec.shape.iter().product(), seed);
            let rotated = spec.name.contains("q_proj") || spec.name.contains("k_proj");
            assert_eq!(found == as_stored, !rotated, "{}", spec.name);
        }
    }
}

#[test]
fn rows_of_queries_and_keys_come_in_the_order_of_split_halves() {
    let model = open(&f32_file()).unwrap();
    let (stored, found) = (
        values(8 * 32, 2),
        f32s(&model, "blocks.0.attn.q_proj.weight"),
    );
    // Head by head: numbers 0 and 2 of a head were a pair's first, 1 and 3 its second.
    for (row, from) in [0, 2, 1, 3, 4, 6, 5, 7].into_iter().enumerate() {
        assert_eq!(
            found[32 * row..][..32],
            stored[32 * from..][..32],
            "row {row}"
        );
    }
}

#[test]
fn where_attention_sees_a_window_the_context_is_cut_to_it() {
    for (window, expected) in [(8, (8, Some(16))), (16, (16, None)), (0, (16, None))] {
        let mut file = f32_file();
        file.set("llama.attention.sliding_window", Raw::U32(window));
        let model = open(&file).unwrap();
        let contexts = (model.config().context_length, model.context_beyond_window());
        assert_eq!(contexts, expected, "a window of {window}");
    }
}

#[test]
fn our_own_types_are_used_as_they_lie_and_the_others_become_q8_0() {
    let codes = [
        (1, DType::F16),
        (30, DType::BF16),
        (8, DType::Q8_0),
        (2, DType::Q4_0),
    ];
    for (code, dtype) in codes {
        let file = file_of(code, |_, values| quantize(values, dtype).unwrap());
        let model = open(&file).unwrap();
        assert_eq!(model.config().dtype, dtype);
        let name = "blocks.0.ffn.down_proj.weight";
        assert_eq!(model.descriptor(name).unwrap().dtype, dtype);
        let expected = quantize(&values(64 * 32, 9), dtype).unwrap();
        assert_eq!(model.bytes(name).unwrap().as_slice(), expected);
        assert_eq!(model.converted_from(name), None);
    }
    // q4_1: a scale of 1, an offset of -8, nibbles 0 and 15 side by side.
    let block = [&[0x00, 0x3C, 0x00, 0xC8][..], &[0xF0; 16]].concat();
    let file = file_of(3, |_, values| block.repeat(values.len() / 32));
    let model = open(&file).unwrap();
    let name = "blocks.0.attn.v_proj.weight";
    assert_eq!(model.descriptor(name).unwrap().dtype, DType::Q8_0);
    assert_eq!(model.converted_from(name), Some("q4_1"));
    let stands_for = [[-8.0; 16], [7.0; 16]].concat().repeat(4);
    let expected = quantize(&stands_for, DType::Q8_0).unwrap();
    assert_eq!(model.bytes(name).unwrap().as_slice(), expected);
    assert!(model.verify().is_ok());
}

/// A `.gollm` file of the config with matrices of `dtype`.
fn own_file(directory: &std::path::Path, config: &Config) -> ModelFile {
    let path = directory.join("own.gollm");
    let mut writer = Writer::create(&path, &Metadata::new(config.clone())).unwrap();
    for (seed, tensor) in expected_tensors(config).unwrap().iter().enumerate() {
        let values = values(tensor.shape.iter().product(), seed);
        let whole = tensor.shape.last().unwrap().is_multiple_of(32);
        let dtype = if whole { config.dtype } else { DType::F16 };
        writer
            .tensor_f32(&tensor.name, &tensor.shape, dtype, &values)
            .unwrap();
    }
    writer.finish().unwrap();
    ModelFile::open(&path, &OpenOptions::default()).unwrap()
}

#[test]
fn a_model_written_as_gguf_comes_back_the_same_in_every_type() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("there.gguf");
    for dtype in DType::ALL {
        let own = own_file(directory.path(), &config(dtype.name()));
        export_gguf(&own, None, &path).unwrap();
        let back = ModelFile::open(&path, &OpenOptions::default()).unwrap();
        assert_eq!(back.config(), own.config());
        for tensor in own.descriptors() {
            let (there, here) = (
                back.tensor(&tensor.name).unwrap(),
                own.tensor(&tensor.name).unwrap(),
            );
            assert_eq!((there.dtype, &there.shape), (here.dtype, &here.shape));
            assert_eq!(
                there.bytes.as_slice(),
                here.bytes.as_slice(),
                "{}",
                tensor.name
            );
        }
        let again = directory.path().join("again.gollm");
        convert(&back, &again).unwrap();
        let again = ModelFile::open(
            &again,
            &OpenOptions {
                map: false,
                verify: true,
            },
        )
        .unwrap();
        assert_eq!(again.tokenizer_json(), None);
        assert!(again.is_gollm());
        let name = "blocks.0.attn.k_proj.weight";
        assert_eq!(
            again.bytes(name).unwrap().as_slice(),
            own.bytes(name).unwrap().as_slice()
        );
    }
}

#[test]
fn llama_3s_scaling_travels_as_factors() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("scaled.gguf");
    let scaling = RopeScaling {
        factor: 8.0,
        low_freq_factor: 1.0,
        high_freq_factor: 4.0,
        original_context_length: 64,
    };
    let config = Config {
        head_dim: 16,
        rope_scaling: Some(scaling),
        ..config("f16")
    };
    let stretched = rope::frequencies(&config);
    let plain = rope::frequencies(&Config {
        rope_scaling: None,
        ..config.clone()
    });
    let n_kept = stretched.iter().zip(&plain).filter(|(a, b)| a == b).count();
    assert!(
        (1..7).contains(&n_kept),
        "some pairs are kept, some stretched: {n_kept}"
    );
    export_gguf(&own_file(directory.path(), &config), None, &path).unwrap();
    let back = ModelFile::open(&path, &OpenOptions::default()).unwrap();
    assert_eq!(*back.config(), config);
}

#[test]
fn a_vocabulary_written_as_gguf_comes_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("words.gguf");
    let mut kinds = vec![GgufToken::Normal; 8];
    kinds[6..].copy_from_slice(&[GgufToken::Control, GgufToken::Unused]);
    let tokens = ["a", "b", "Ġ", "ab", "c", "d", "<end>", "[UNUSED 7]"];
    let vocabulary = GgufVocabulary {
        tokens: tokens.map(str::to_owned).to_vec(),
        kinds,
        merging: GgufMerging::Merges {
            merges: vec!["a b".to_owned()],
            pre: "qwen2".to_owned(),
        },
        begin: None,
        end: vec![6],
    };
    export_gguf(
        &own_file(directory.path(), &config("f32")),
        Some(&vocabulary),
        &path,
    )
    .unwrap();
    let back = ModelFile::open(&path, &OpenOptions::default()).unwrap();
    let json = back.tokenizer_json().unwrap();
    assert_eq!(json["tokens"], "a\nb\nĠ\nab\nc\nd\n\n\n");
    assert_eq!(
        (&json["merges"], &json["pattern"]),
        (&"a b\n".into(), &"qwen2".into())
    );
    assert_eq!((json.get("begin"), &json["end"][0]), (None, &6.into()));
}

#[test]
fn a_vocabulary_with_scores_written_as_gguf_comes_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pieces.gguf");
    let tokens = ["<unk>", "<s>", "</s>", "▁", "a", "▁a", "<tool>", "\n"];
    let mut kinds = vec![GgufToken::Normal; 8];
    kinds[0] = GgufToken::Unknown;
    kinds[1..3].fill(GgufToken::Control);
    kinds[6] = GgufToken::UserDefined;
    let vocabulary = GgufVocabulary {
        tokens: tokens.map(str::to_owned).to_vec(),
        kinds,
        merging: GgufMerging::Scores {
            scores: vec![0.0, 0.0, 0.0, -1.0, -2.0, -0.5, 0.0, -3.25],
            unknown: Some(0),
            adds_space: false,
        },
        begin: Some(1),
        end: vec![2],
    };
    let own = own_file(directory.path(), &config("f32"));
    export_gguf(&own, Some(&vocabulary), &path).unwrap();
    let back = ModelFile::open(&path, &OpenOptions::default()).unwrap();
    let expected = json!({
        "kind": "sentencepiece", "version": 1,
        "tokens": ["", "", "", "▁", "a", "▁a", "", "\n"],
        "special": {"<unk>": 0, "<s>": 1, "</s>": 2}, "added": {"<tool>": 6},
        "bytes": [], "unknown": 0, "fuses_unknown": true,
        "scores": [0.0, 0.0, 0.0, -1.0, -2.0, -0.5, 0.0, -3.25],
        "first_space": "never", "strips_first_space": false, "begin": 1, "end": [2],
    });
    assert_eq!(back.tokenizer_json(), Some(&expected));
}

#[path = "gguf/hostile.rs"]
mod hostile;
#[path = "gguf/hostile_parts.rs"]
mod hostile_parts;
#[path = "gguf/known_attacks.rs"]
mod known_attacks;
#[path = "gguf/parts.rs"]
mod parts;
#[path = "gguf/pieces.rs"]
mod pieces;
#[path = "gguf/qwen.rs"]
mod qwen;
