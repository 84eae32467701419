//! The tokenizer that lies beside the weights.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::path::Path;

use common::{config, tokenizer, weights};
use gollm_engine::{begin_of_text_id, end_of_text_ids, open};
use gollm_model::{Config, StoredTensor, expected_tensors};
use gollm_tensor::DType;
use gollm_tokenizer::{Roles, Tokenizer};
use gollm_weights::{
    FolderOptions, Metadata, ModelFile, OpenOptions, TokenRoles, Writer, export_folder,
};
use tempfile::TempDir;

/// A folder of the random model with this tokenizer.
fn write_folder(directory: &TempDir, tokenizer: &Tokenizer, roles: &TokenRoles) {
    let path = directory.path().join("random.gollm");
    let mut writer = Writer::create(&path, &Metadata::new(config())).unwrap();
    for (name, StoredTensor { shape, bytes, .. }) in weights() {
        writer
            .tensor(&name, &shape, DType::F32, bytes.as_slice())
            .unwrap();
    }
    writer.finish().unwrap();
    let source = ModelFile::open(&path, &OpenOptions::default()).unwrap();
    let written = Roles {
        begin: roles.begin,
        end: roles.end.clone(),
    };
    let files = tokenizer.to_hf_json(&written, None).unwrap();
    let options = FolderOptions {
        roles: roles.clone(),
        files: vec![
            ("tokenizer.json".to_owned(), files.tokenizer.to_string()),
            ("tokenizer_config.json".to_owned(), files.config.to_string()),
        ],
        ..FolderOptions::default()
    };
    export_folder(&source, directory.path().join("folder"), &options).unwrap();
}

fn opened(path: &Path) -> Option<Tokenizer> {
    let file = open(path, &OpenOptions::default()).unwrap();
    file.tokenizer_json()
        .map(|json| Tokenizer::from_json(json).unwrap())
}

#[test]
fn a_folder_brings_its_tokenizer_and_what_its_configs_say_ends_a_text() {
    let directory = TempDir::new().unwrap();
    let own = tokenizer();
    let roles = TokenRoles {
        begin: begin_of_text_id(&own),
        end: end_of_text_ids(&own),
    };
    write_folder(&directory, &own, &roles);
    let folder = directory.path().join("folder");
    let read = opened(&folder).unwrap();
    for text in ["once upon a time", "12 345\n\n  x", "héllo 猫", ""] {
        assert_eq!(read.encode(text), own.encode(text), "{text:?}");
    }
    assert_eq!(begin_of_text_id(&read), roles.begin);
    assert_eq!(end_of_text_ids(&read), roles.end);
    // Without one it is a model of ids.
    fs::remove_file(folder.join("tokenizer.json")).unwrap();
    assert!(opened(&folder).is_none());
    // A broken one is named.
    fs::write(folder.join("tokenizer.json"), "{\"model\": 7}").unwrap();
    let message = open(&folder, &OpenOptions::default())
        .unwrap_err()
        .to_string();
    assert!(message.contains("tokenizer.json"), "{message}");
}

/// Two letters and what stands before all letters: the marks, and every byte.
fn llama2c_tokenizer() -> Vec<u8> {
    let bytes = (0..=255).map(|byte| format!("<0x{byte:02X}>"));
    let marks = ["<unk>", "<s>", "</s>"].map(str::to_owned);
    let letters = [" ", "a", "b", " a"].map(str::to_owned);
    let mut file = 8i32.to_le_bytes().to_vec();
    for (id, token) in marks.into_iter().chain(bytes).chain(letters).enumerate() {
        file.extend((-(id as f32)).to_le_bytes());
        file.extend((token.len() as i32).to_le_bytes());
        file.extend(token.as_bytes());
    }
    file
}

#[test]
fn a_llama2c_checkpoint_finds_tokenizer_bin_and_has_a_token_for_each_row() {
    let config = Config::from_yaml(
        "{vocab_size: 270, context_length: 8, emb_dim: 8, n_heads: 2, n_kv_heads: 1,
          hidden_dim: 4, n_layers: 1}",
    )
    .unwrap();
    let n_numbers: usize = expected_tensors(&config)
        .unwrap()
        .iter()
        .map(|tensor| tensor.shape.iter().product::<usize>())
        .sum();
    // The angles, one for each position and pair, twice.
    let n_numbers = n_numbers + 8 * 4;
    let mut file: Vec<u8> = [8i32, 4, 1, 2, 1, 270, 8]
        .iter()
        .flat_map(|n| n.to_le_bytes())
        .collect();
    file.resize(28 + 4 * n_numbers, 0);
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("stories.bin");
    fs::write(&path, file).unwrap();
    assert!(opened(&path).is_none());
    fs::write(directory.path().join("tokenizer.bin"), llama2c_tokenizer()).unwrap();
    let read = opened(&path).unwrap();
    assert_eq!(read.vocab_size(), 270, "the table has more rows than 263");
    let ids = read.encode("ab");
    assert_eq!(read.decode(&ids).unwrap().trim_start(), "ab");
    assert_eq!(begin_of_text_id(&read), Some(1));
}
