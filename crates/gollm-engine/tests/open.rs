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

/// A distributed-llama model of zeros with 270 rows in its table.
fn distributed_llama_model() -> Vec<u8> {
    let config = Config::from_yaml(
        "{vocab_size: 270, context_length: 8, emb_dim: 8, n_heads: 2, n_kv_heads: 1,
          hidden_dim: 4, n_layers: 1, tie_embeddings: false}",
    )
    .unwrap();
    let n_numbers: usize = expected_tensors(&config)
        .unwrap()
        .iter()
        .map(|tensor| tensor.shape.iter().product::<usize>())
        .sum();
    let pairs = [
        (1, 0x00AB_CD00),
        (2, 8),
        (3, 4),
        (4, 1),
        (5, 2),
        (6, 1),
        (9, 270),
        (10, 8),
        (13, 0),
    ];
    let head = [0x0A00_ABCD, 8 + 8 * pairs.len() as i32];
    let numbers = head
        .into_iter()
        .chain(pairs.iter().flat_map(|(key, value)| [*key, *value]));
    let mut file: Vec<u8> = numbers.flat_map(i32::to_le_bytes).collect();
    file.resize(file.len() + 4 * n_numbers, 0);
    file
}

/// Its tokenizer: a head with a template in front of the same list of tokens.
fn distributed_llama_tokenizer(template: &str) -> Vec<u8> {
    let list = &llama2c_tokenizer()[4..];
    let pairs = [
        (0, 1),
        (1, 263),
        (2, 8),
        (3, 1),
        (4, 2),
        (7, template.len() as i32),
    ];
    let head = [0x56_7124, 8 + 8 * pairs.len() as i32];
    let numbers = head
        .into_iter()
        .chain(pairs.iter().flat_map(|(key, value)| [*key, *value]));
    let mut file: Vec<u8> = numbers.flat_map(i32::to_le_bytes).collect();
    file.extend(template.as_bytes());
    file.extend(list);
    file
}

fn message_of(path: &Path) -> String {
    open(path, &OpenOptions::default()).unwrap_err().to_string()
}

fn template_of(path: &Path) -> Option<String> {
    let file = open(path, &OpenOptions::default()).unwrap();
    file.chat_template().map(str::to_owned)
}

#[test]
fn a_distributed_llama_model_finds_its_tokenizer_by_its_name_or_as_the_only_one() {
    let directory = TempDir::new().unwrap();
    let write = |name: &str, template: &str| {
        fs::write(
            directory.path().join(name),
            distributed_llama_tokenizer(template),
        )
        .unwrap();
    };
    let path = directory.path().join("dllama_model_tiny q40.m");
    fs::write(&path, distributed_llama_model()).unwrap();
    assert!(opened(&path).is_none());
    // Other programs have files of this extension, and folders and hidden files are none of ours.
    fs::write(directory.path().join("basic.t"), "use Test::More;").unwrap();
    fs::create_dir(directory.path().join("tests.t")).unwrap();
    assert!(opened(&path).is_none());
    write("other.t", "only one");
    assert_eq!(template_of(&path).as_deref(), Some("only one"));
    let read = opened(&path).unwrap();
    assert_eq!(read.vocab_size(), 270, "the table has more rows than 263");
    assert_eq!(read.decode(&read.encode("ab")).unwrap(), "ab");
    assert_eq!(
        (begin_of_text_id(&read), end_of_text_ids(&read)),
        (Some(1), vec![2])
    );
    write("ano\u{1b}ther.t", "one more");
    let message = message_of(&path);
    for part in [
        "dllama_model_tiny q40.m: 2 tokenizers lie beside it",
        "\"ano\\u{1b}ther.t\", \"other.t\"",
        "call the one that belongs to it \"dllama_model_tiny q40.t\"",
    ] {
        assert!(message.contains(part), "{message}");
    }
    write("dllama_tokenizer_tiny q40.t", "tokenizer for model");
    assert_eq!(template_of(&path).as_deref(), Some("tokenizer for model"));
    write("dllama_model_tiny q40.t", "its own name");
    assert_eq!(template_of(&path).as_deref(), Some("its own name"));
    // A broken one of its own name is named, and nothing else is taken in its place.
    fs::write(directory.path().join("dllama_model_tiny q40.t"), "no").unwrap();
    let message = message_of(&path);
    assert!(
        message.contains("tiny q40.t: ") && message.contains("it ends at byte 2"),
        "{message}"
    );
}

#[test]
fn a_tokenizer_given_in_place_of_its_model_is_known_for_what_it_is() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("tiny.t");
    fs::write(&path, distributed_llama_tokenizer("")).unwrap();
    let message = message_of(&path);
    assert!(
        message.contains("a distributed-llama tokenizer; give the path of the model"),
        "{message}"
    );
}

#[cfg(unix)]
#[test]
fn a_link_to_a_tokenizer_leads_nowhere_else() {
    use std::os::unix::fs::symlink;
    let (directory, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let path = directory.path().join("tiny.m");
    fs::write(&path, distributed_llama_model()).unwrap();
    let other = elsewhere.path().join("secret.t");
    fs::write(&other, distributed_llama_tokenizer("")).unwrap();
    // One of another name is not looked at; one of its own name is an error.
    symlink(&other, directory.path().join("other.t")).unwrap();
    assert!(opened(&path).is_none());
    symlink(&other, directory.path().join("tiny.t")).unwrap();
    let message = message_of(&path);
    assert!(
        message.contains("a link that leads out of its folder"),
        "{message}"
    );
}
