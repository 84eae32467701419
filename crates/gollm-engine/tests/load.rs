//! A whole model from one file.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::{Path, PathBuf};

use common::{config, greedy, ignore, tokenizer, weights};
use gollm_engine::{
    Engine, Error, GenerateOptions, LoadOptions, TransformerModel, load, load_bytes, load_file,
    load_file_with,
};
use gollm_model::{Decoder, expected_tensors};
use gollm_tensor::{DType, Device, HostBytes};
use gollm_tokenizer::{Pattern, Tokenizer};
use gollm_weights::{Metadata, ModelFile, OpenOptions, Writer};
use tempfile::TempDir;

/// Writes the random model as f32, with a tokenizer or without.
fn write(directory: &TempDir, tokenizer: Option<&Tokenizer>) -> PathBuf {
    let path = directory.path().join("random.gollm");
    let mut metadata = Metadata::new(config());
    metadata.tokenizer = tokenizer.map(Tokenizer::to_json);
    let mut writer = Writer::create(&path, &metadata).unwrap();
    let weights = weights();
    for spec in expected_tensors(&config()).unwrap() {
        let values = weights[&spec.name].to_f32().unwrap();
        writer
            .tensor_f32(&spec.name, &spec.shape, DType::F32, &values)
            .unwrap();
    }
    writer.finish().unwrap();
    path
}

fn text_of(mut engine: Engine) -> String {
    let options = GenerateOptions {
        max_tokens: 20,
        begin_of_text: true,
        ..greedy()
    };
    engine.generate("once upon", &options, ignore).unwrap().text
}

fn message(path: &Path) -> String {
    load(path, &Device::reference()).unwrap_err().to_string()
}

#[test]
fn a_model_writes_the_same_text_from_a_file_from_bytes_and_from_memory() {
    let device = Device::reference();
    let decoder = Decoder::load(&config(), &weights(), &device).unwrap();
    let model = TransformerModel::new(decoder, 1).unwrap();
    let expected = text_of(Engine::new(Box::new(model), tokenizer()).unwrap());

    let directory = TempDir::new().unwrap();
    let path = write(&directory, Some(&tokenizer()));
    assert_eq!(text_of(load(&path, &device).unwrap()), expected);
    let bytes = HostBytes::new(std::fs::read(&path).unwrap());
    assert_eq!(text_of(load_bytes(bytes, &device).unwrap()), expected);
}

#[test]
fn a_file_can_be_opened_for_several_texts_at_a_time() {
    let directory = TempDir::new().unwrap();
    let path = write(&directory, Some(&tokenizer()));
    let file = ModelFile::open(&path, &OpenOptions::default()).unwrap();
    let engine = load_file(&file, &Device::reference(), 3).unwrap();
    assert_eq!(engine.model().n_sequences(), 3);
}

#[test]
fn a_shorter_context_gives_the_same_text_up_to_its_end() {
    let directory = TempDir::new().unwrap();
    let path = write(&directory, Some(&tokenizer()));
    let file = ModelFile::open(&path, &OpenOptions::default()).unwrap();
    let engine = |context_length| {
        let options = LoadOptions {
            n_sequences: 1,
            context_length: Some(context_length),
        };
        load_file_with(&file, &Device::reference(), &options)
    };
    let short = engine(16).unwrap();
    assert_eq!(short.model().context_length(), 16);
    let (short, long) = (text_of(short), text_of(engine(48).unwrap()));
    assert!(
        short.len() < long.len() && long.starts_with(&short),
        "{short:?} {long:?}"
    );
    for wrong in [0, 49] {
        let error = engine(wrong).unwrap_err().to_string();
        assert!(error.contains("expected 1 to 48"), "{error}");
    }
}

#[test]
fn a_tokenizer_of_another_size_is_refused_with_the_file_and_both_counts() {
    let bytes = (0..=255).map(|byte| vec![byte]).collect();
    let other = Tokenizer::new(bytes, Pattern::Gpt2, Vec::new()).unwrap();
    let directory = TempDir::new().unwrap();
    let path = write(&directory, Some(&other));
    let found = message(&path);
    assert!(found.starts_with(&path.display().to_string()), "{found}");
    assert!(
        found.contains("logits for 262 ids but the tokenizer has 256"),
        "{found}"
    );
}

#[test]
fn a_file_without_a_tokenizer_says_so() {
    let directory = TempDir::new().unwrap();
    let path = write(&directory, None);
    assert!(message(&path).contains("random.gollm: the model file has no tokenizer"));
}

#[test]
fn a_file_that_is_missing_or_no_model_is_the_weights_crates_error() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("story.txt");
    assert!(message(&path).contains("story.txt"));
    std::fs::write(&path, "Once upon a time there was a text file.").unwrap();
    let error = load(&path, &Device::reference()).unwrap_err();
    assert!(matches!(error, Error::File(_)));
    assert!(
        error.to_string().contains("not a .gollm model file"),
        "{error}"
    );
}
