//! Hugging Face folders: what is read, how it comes out, and what is refused.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "support/raw_folder.rs"]
mod raw_folder;

use std::fs;
use std::path::Path;

use gollm_model::{Config, RopeScaling, WeightSource};
use gollm_tensor::{DType, quantize};
use gollm_weights::{Error, ModelFile, OpenOptions, TokenRoles, convert};
use raw_folder::{RawFolder, RawTensor, safetensors, with_header, write_index};
use serde_json::{Value, json};

/// Two heads of four numbers, one of keys; the head is not tied.
fn config(dtype: &str) -> Config {
    Config::from_yaml(&format!(
        "{{vocab_size: 8, context_length: 16, emb_dim: 6, n_heads: 2, n_kv_heads: 1, head_dim: 4,
           hidden_dim: 10, n_layers: 1, tie_embeddings: false, rope_theta: 500000, dtype: {dtype}}}"
    ))
    .unwrap()
}

fn values(n_elements: usize, seed: usize) -> Vec<f32> {
    (1..=n_elements)
        .map(|i| ((i * 2_654_435_761 + seed * 40_503) % 65_536) as f32 / 32_768.0 - 1.0)
        .collect()
}

const TENSORS: [(&str, &[u64]); 12] = [
    ("model.embed_tokens.weight", &[8, 6]),
    ("model.layers.0.input_layernorm.weight", &[6]),
    ("model.layers.0.self_attn.q_proj.weight", &[8, 6]),
    ("model.layers.0.self_attn.k_proj.weight", &[4, 6]),
    ("model.layers.0.self_attn.v_proj.weight", &[4, 6]),
    ("model.layers.0.self_attn.o_proj.weight", &[6, 8]),
    ("model.layers.0.post_attention_layernorm.weight", &[6]),
    ("model.layers.0.mlp.gate_proj.weight", &[10, 6]),
    ("model.layers.0.mlp.up_proj.weight", &[10, 6]),
    ("model.layers.0.mlp.down_proj.weight", &[6, 10]),
    ("model.norm.weight", &[6]),
    ("lm_head.weight", &[8, 6]),
];

/// A valid folder whose tensors, norms too, are of this type, as transformers saves them.
fn folder_of(name: &'static str, dtype: DType) -> RawFolder {
    let tensors = TENSORS.iter().enumerate().map(|(seed, (tensor, shape))| {
        let n: u64 = shape.iter().product();
        RawTensor {
            name: (*tensor).to_owned(),
            dtype: name,
            shape: shape.to_vec(),
            offsets: None,
            data: quantize(&values(n as usize, seed), dtype).unwrap(),
        }
    });
    RawFolder {
        config: json!({
            "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 6,
            "intermediate_size": 10, "num_hidden_layers": 1, "num_attention_heads": 2,
            "num_key_value_heads": 1, "head_dim": 4, "vocab_size": 8, "hidden_act": "silu",
            "max_position_embeddings": 16, "rms_norm_eps": 1e-5, "rope_theta": 500_000.0,
            "tie_word_embeddings": false, "bos_token_id": 1, "eos_token_id": 2,
            "transformers_version": "4.57.0",
        }),
        tensors: tensors.collect(),
    }
}

fn f32_folder() -> RawFolder {
    folder_of("F32", DType::F32)
}

/// Writes a folder and opens it.
fn open(folder: &RawFolder) -> Result<ModelFile, Error> {
    let directory = tempfile::tempdir().unwrap();
    folder.write(directory.path());
    ModelFile::open(directory.path(), &OpenOptions::default())
}

fn open_path(path: &Path) -> Result<ModelFile, Error> {
    ModelFile::open(path, &OpenOptions::default())
}

fn f32s(file: &ModelFile, name: &str) -> Vec<f32> {
    file.tensor(name).unwrap().to_f32().unwrap()
}

#[test]
fn a_folder_gives_config_and_tensors_under_our_names() {
    for (name, dtype) in [
        ("F32", DType::F32),
        ("F16", DType::F16),
        ("BF16", DType::BF16),
    ] {
        let model = open(&folder_of(name, dtype)).unwrap();
        assert_eq!(*model.config(), config(dtype.name()));
        assert_eq!(model.format(), "Hugging Face folder");
        let origin = &model.provenance()["imported_from"];
        assert_eq!(origin["architecture"], "LlamaForCausalLM");
        assert_eq!(
            model
                .descriptor("blocks.0.attn.q_proj.weight")
                .unwrap()
                .dtype,
            dtype
        );
        // Norms are used as f32 whatever they are stored as.
        let norm = model.descriptor("blocks.0.ffn_norm.weight").unwrap();
        assert_eq!(norm.dtype, DType::F32);
        let rounded = |seed: usize, n: usize| {
            let stored = quantize(&values(n, seed), dtype).unwrap();
            let mut out = vec![0.0; n];
            gollm_tensor::dequantize(&stored, dtype, &mut out).unwrap();
            out
        };
        assert_eq!(f32s(&model, "blocks.0.ffn_norm.weight"), rounded(6, 6));
        // Rows stay where they are: both turn split halves.
        assert_eq!(f32s(&model, "blocks.0.attn.q_proj.weight"), rounded(2, 48));
        assert_eq!(f32s(&model, "out_head.weight"), rounded(11, 48));
        assert!(model.verify().is_ok());
    }
}

#[test]
fn read_instead_of_mapped_it_is_the_same() {
    let directory = tempfile::tempdir().unwrap();
    f32_folder().write_sharded(directory.path());
    let options = OpenOptions {
        map: false,
        verify: true,
    };
    let read = ModelFile::open(directory.path(), &options).unwrap();
    let mapped = open_path(directory.path()).unwrap();
    assert_eq!(read.blake3(), mapped.blake3());
    assert_eq!(
        f32s(&read, "tok_emb.weight"),
        f32s(&mapped, "tok_emb.weight")
    );
}

#[test]
fn several_files_are_one_model_and_a_part_stands_for_the_whole() {
    let directory = tempfile::tempdir().unwrap();
    f32_folder().write_sharded(directory.path());
    let one = open(&f32_folder()).unwrap();
    let part = directory.path().join("model-00002-of-00002.safetensors");
    for path in [directory.path(), &part] {
        let model = open_path(path).unwrap();
        assert_eq!(model.format(), "Hugging Face folder, 2 files");
        for tensor in one.descriptors() {
            assert_eq!(f32s(&model, &tensor.name), f32s(&one, &tensor.name));
        }
    }
}

#[test]
fn a_safetensors_file_needs_its_config_beside_it() {
    let directory = tempfile::tempdir().unwrap();
    f32_folder().write(directory.path());
    let path = directory.path().join("model.safetensors");
    assert_eq!(*open_path(&path).unwrap().config(), config("f32"));
    fs::remove_file(directory.path().join("config.json")).unwrap();
    let message = open_path(&path).unwrap_err().to_string();
    let advice = "its config.json must lie beside it: give the path of the file or the folder";
    assert!(message.ends_with(advice), "{message}");
}

#[test]
fn rope_is_read_from_the_keys_of_both_versions() {
    let scaled = json!({
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8, "rope_theta": 500_000.0,
    });
    let expected = RopeScaling {
        factor: 8.0,
        low_freq_factor: 1.0,
        high_freq_factor: 4.0,
        original_context_length: 8,
    };
    for key in ["rope_parameters", "rope_scaling"] {
        let mut folder = f32_folder();
        folder.config[key] = scaled.clone();
        assert_eq!(open(&folder).unwrap().config().rope_scaling, Some(expected));
        // The base may be given there alone.
        folder.config["rope_theta"] = Value::Null;
        assert_eq!(open(&folder).unwrap().config().rope_theta, 500_000.0);
        folder.config[key] = json!({"rope_type": "default", "rope_theta": 2e4});
        let model = open(&folder).unwrap();
        assert_eq!(model.config().rope_theta, 2e4);
        assert_eq!(model.config().rope_scaling, None);
    }
    let mut folder = f32_folder();
    folder.config["rope_theta"] = Value::Null;
    assert_eq!(open(&folder).unwrap().config().rope_theta, 10_000.0);
}

#[test]
fn what_a_config_leaves_out_means_what_it_means_in_transformers() {
    let mut folder = f32_folder();
    for key in [
        "head_dim",
        "num_key_value_heads",
        "rms_norm_eps",
        "tie_word_embeddings",
    ] {
        folder.config[key] = Value::Null;
    }
    // Three numbers a head would be odd, so one head of six.
    folder.config["num_attention_heads"] = 1.into();
    for (name, shape) in [("q", [6, 6]), ("k", [6, 6]), ("v", [6, 6]), ("o", [6, 6])] {
        let tensor = folder.tensor(&format!("model.layers.0.self_attn.{name}_proj.weight"));
        tensor.shape = shape.to_vec();
        tensor.data = vec![0; 4 * 36];
    }
    let model = open(&folder).unwrap();
    let config = model.config();
    assert_eq!((config.head_dim, config.n_kv_heads), (6, 1));
    assert_eq!((config.norm_eps, config.tie_embeddings), (1e-6, false));
}

#[test]
fn a_tied_model_may_bring_its_table_twice_but_not_another_one() {
    let mut folder = f32_folder();
    folder.config["tie_word_embeddings"] = true.into();
    let table = folder.tensor("model.embed_tokens.weight").data.clone();
    folder.tensor("lm_head.weight").data = table;
    assert!(open(&folder).unwrap().config().tie_embeddings);
    folder.tensor("lm_head.weight").data[0] ^= 1;
    let message = open(&folder).unwrap_err().to_string();
    assert!(
        message.contains("`lm_head.weight`: it differs from"),
        "{message}"
    );
    folder.tensors.pop();
    assert!(open(&folder).is_ok());
    folder.config["tie_word_embeddings"] = false.into();
    let message = open(&folder).unwrap_err().to_string();
    assert!(
        message.contains("`lm_head.weight`: it is missing"),
        "{message}"
    );
}

#[test]
fn old_frequencies_and_metadata_are_passed_over() {
    let mut folder = f32_folder();
    folder.tensors.push(RawTensor {
        name: "model.layers.0.self_attn.rotary_emb.inv_freq".to_owned(),
        dtype: "F32",
        shape: vec![2],
        offsets: None,
        data: vec![0; 8],
    });
    assert!(open(&folder).is_ok());
    let directory = tempfile::tempdir().unwrap();
    folder.write(directory.path());
    let path = directory.path().join("model.safetensors");
    let bytes = safetensors(&folder.tensors);
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header = std::str::from_utf8(&bytes[8..8 + length]).unwrap();
    // Padding after the list, as its writers put it to align the data.
    let header = format!(r#"{{"__metadata__":{{"format":"pt"}},{}   "#, &header[1..]);
    fs::write(&path, with_header(&header, &bytes[8 + length..])).unwrap();
    assert!(open_path(directory.path()).is_ok());
}

#[test]
fn the_folder_says_what_begins_and_ends_a_text_and_how_a_chat_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    f32_folder().write(path);
    let roles = |begin, end: &[u32]| TokenRoles {
        begin,
        end: end.to_vec(),
    };
    assert_eq!(
        *open_path(path).unwrap().token_roles(),
        roles(Some(1), &[2])
    );
    fs::write(
        path.join("generation_config.json"),
        r#"{"eos_token_id": [5, 2, 5]}"#,
    )
    .unwrap();
    let model = open_path(path).unwrap();
    assert_eq!(*model.token_roles(), roles(Some(1), &[2, 5]));
    assert_eq!(model.chat_template(), None);
    let named = r#"{"chat_template": [{"name": "default", "template": "A"}]}"#;
    fs::write(path.join("tokenizer_config.json"), named).unwrap();
    assert_eq!(open_path(path).unwrap().chat_template(), Some("A"));
    fs::write(
        path.join("tokenizer_config.json"),
        r#"{"chat_template": "B"}"#,
    )
    .unwrap();
    assert_eq!(open_path(path).unwrap().chat_template(), Some("B"));
    fs::write(path.join("chat_template.jinja"), "C").unwrap();
    let model = open_path(path).unwrap();
    assert_eq!(model.chat_template(), Some("C"));
    assert_eq!(
        model.beside("chat_template.jinja", 1).unwrap(),
        Some(b"C".to_vec())
    );
    assert!(model.beside("chat_template.jinja", 0).is_err());
    assert!(model.beside("../model.safetensors", 1 << 20).is_err());
    assert_eq!(model.beside("tokenizer.json", 1 << 20).unwrap(), None);
}

#[test]
fn a_folder_becomes_a_gollm_file_with_the_same_numbers() {
    let model = open(&folder_of("BF16", DType::BF16)).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model.gollm");
    convert(&model, &path).unwrap();
    let own = open_path(&path).unwrap();
    assert!(own.is_gollm() && own.verify().is_ok());
    assert_eq!(own.config(), model.config());
    for tensor in model.descriptors() {
        assert_eq!(f32s(&own, &tensor.name), f32s(&model, &tensor.name));
    }
}

#[path = "hf/export.rs"]
mod export;

#[path = "hf/hostile.rs"]
mod hostile;

#[path = "hf/header.rs"]
mod header;
