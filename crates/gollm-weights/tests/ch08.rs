//! Chapter 8, a file in fewer bits. Run with `cargo test --test ch08`; read with
//! notes/ch08-quantization.md and docs/format.md.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are not marked as tests"
)]

mod support;

use std::path::{Path, PathBuf};

use gollm_model::Config;
use gollm_tensor::{DType, dequantize, quantize};
use gollm_weights::{
    Metadata, ModelFile, OpenOptions, QUANTIZED_FROM, Quantizer, TensorChange, Writer,
    quantized_dtype, verify, write,
};
use serde_json::{Value, json};
use support::{golden, raw_model, values};

/// A directory that is removed at the end of the test, and a way to name files in it.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a model of `config`, its matrices in `dtype`, and opens it.
    fn model(&self, config: &Config, dtype: DType) -> ModelFile {
        let path = self.path("source.gollm");
        let mut metadata = golden::metadata();
        metadata.config = Config {
            dtype,
            ..config.clone()
        };
        let tensors = raw_model(config, dtype).encoded_tensors();
        write(&path, &metadata, tensors).unwrap();
        open(&path)
    }
}

fn open(path: &Path) -> ModelFile {
    ModelFile::open(path, &OpenOptions::default()).unwrap()
}

fn quantized(source: &ModelFile, dtype: DType, path: &Path) -> Vec<TensorChange> {
    let quantizer = Quantizer::create(source, dtype, path).unwrap();
    quantizer.finish().unwrap()
}

/// A model of whole blocks: every row has 32 or 64 numbers.
fn whole() -> Config {
    golden::metadata().config
}

/// The numbers of a tensor.
fn numbers(file: &ModelFile, name: &str) -> Vec<f32> {
    let tensor = file.descriptor(name).unwrap();
    let mut values = vec![0.0; tensor.n_elements()];
    dequantize(
        file.bytes(name).unwrap().as_slice(),
        tensor.dtype,
        &mut values,
    )
    .unwrap();
    values
}

#[test]
fn s3_every_matrix_holds_the_bytes_that_quantize_makes_of_it() {
    let place = Place::new();
    for from in DType::ALL {
        let source = place.model(&whole(), from);
        for to in DType::ALL {
            let path = place.path("out.gollm");
            let changes = quantized(&source, to, &path);
            let file = open(&path);
            assert_eq!(file.config().dtype, to);
            assert_eq!(changes.len(), source.descriptors().len());
            for (old, new) in source.descriptors().iter().zip(file.descriptors()) {
                let stored = if old.shape.len() == 1 { DType::F32 } else { to };
                assert_eq!(
                    (&old.name, &old.shape, stored),
                    (&new.name, &new.shape, new.dtype)
                );
                let expected = quantize(&numbers(&source, &old.name), stored).unwrap();
                assert_eq!(
                    file.bytes(&new.name).unwrap().as_slice(),
                    expected,
                    "{}",
                    new.name
                );
            }
            verify(&path).unwrap();
        }
    }
}

#[test]
fn s3_what_has_the_type_already_is_copied_byte_for_byte() {
    let place = Place::new();
    let path = place.path("source.gollm");
    let mut tensors = raw_model(&whole(), DType::Q8_0).encoded_tensors();
    // Blocks that another program made: scale 1 and no number above 5. `quantize` would make the
    // largest 127 of a smaller scale.
    let block: Vec<u8> = [0x00, 0x3C]
        .into_iter()
        .chain((0..32).map(|i| i % 6))
        .collect();
    tensors[0].3 = block.repeat(64);
    write(&path, &Metadata::new(whole()), tensors).unwrap();
    let (source, out) = (open(&path), place.path("out.gollm"));
    let changes = quantized(&source, DType::Q8_0, &out);
    for change in &changes {
        assert_eq!(change.error.relative_rms(), 0.0, "{}", change.name);
        let bytes = |file: &ModelFile| file.bytes(&change.name).unwrap().as_slice().to_vec();
        assert_eq!(bytes(&open(&out)), bytes(&source), "{}", change.name);
    }
}

#[test]
fn s3_vectors_stay_f32_and_rows_that_are_not_whole_blocks_become_f16() {
    for (shape, asked, stored) in [
        (&[64][..], DType::Q4_0, DType::F32),
        (&[48], DType::Q4_0, DType::F32),
        (&[7, 64], DType::Q4_0, DType::Q4_0),
        (&[64, 48], DType::Q4_0, DType::F16),
        (&[64, 48], DType::Q8_0, DType::F16),
        (&[64, 48], DType::BF16, DType::BF16),
    ] {
        assert_eq!(quantized_dtype(shape, asked), stored, "{shape:?} {asked}");
    }
    // Only `down_proj` has rows of 48 = hidden_dim.
    let config = Config {
        hidden_dim: 48,
        ..whole()
    };
    let place = Place::new();
    let source = place.model(&config, DType::F32);
    let path = place.path("out.gollm");
    for change in quantized(&source, DType::Q8_0, &path) {
        let stored = match change.name.as_str() {
            name if name.contains("norm") => DType::F32,
            name if name.contains("down_proj") => DType::F16,
            _ => DType::Q8_0,
        };
        assert_eq!(change.to, stored, "{}", change.name);
    }
    assert_eq!(open(&path).config().dtype, DType::Q8_0);
}

#[test]
fn s3_the_config_says_f16_where_no_matrix_is_whole_blocks() {
    let place = Place::new();
    let source = place.model(&support::tiny_config(), DType::F32);
    let path = place.path("out.gollm");
    let changes = quantized(&source, DType::Q4_0, &path);
    assert!(changes.iter().all(|change| change.to != DType::Q4_0));
    assert_eq!(open(&path).config().dtype, DType::F16);
}

#[test]
fn s3_the_new_file_says_what_it_was_made_from() {
    let place = Place::new();
    let source = place.model(&whole(), DType::F32);
    let (first, second) = (place.path("q8_0.gollm"), place.path("q4_0.gollm"));
    quantized(&source, DType::Q8_0, &first);
    quantized(&open(&first), DType::Q4_0, &second);
    let fact = |path: &Path, dtype: &str| {
        let bytes = std::fs::read(path).unwrap();
        json!({"dtype": dtype, "file_bytes": bytes.len(), "blake3": blake3::hash(&bytes).to_string()})
    };
    let facts = json!([
        fact(&place.path("source.gollm"), "f32"),
        fact(&first, "q8_0")
    ]);

    let file = open(&second);
    let mut expected = source.metadata().clone();
    expected.config.dtype = DType::Q4_0;
    expected.provenance.insert(QUANTIZED_FROM.to_owned(), facts);
    // Tokenizer, template, the rest of the provenance and unknown keys are as they were.
    assert_eq!(file.metadata(), &expected);
}

#[test]
fn s3_a_fact_that_somebody_else_wrote_under_that_name_is_kept() {
    let place = Place::new();
    let path = place.path("source.gollm");
    let mut metadata = golden::metadata();
    metadata
        .provenance
        .insert(QUANTIZED_FROM.to_owned(), json!("hearsay"));
    let tensors = raw_model(&metadata.config, DType::F16).encoded_tensors();
    write(&path, &metadata, tensors).unwrap();
    let out = place.path("out.gollm");
    quantized(&open(&path), DType::Q8_0, &out);
    let facts = open(&out).provenance()[QUANTIZED_FROM].clone();
    assert_eq!(
        (&facts[0], facts.as_array().map(Vec::len)),
        (&Value::from("hearsay"), Some(2))
    );
}

/// Weights as training leaves them: the sum of twelve even numbers is nearly normal.
fn nearly_normal(n_elements: usize) -> Vec<f32> {
    let parts = values(12 * n_elements, 1);
    parts
        .chunks_exact(12)
        .map(|part| 0.02 * part.iter().sum::<f32>())
        .collect()
}

#[test]
fn s3_the_error_of_a_matrix_is_half_a_percent_in_q8_0_and_nine_in_q4_0() {
    let config = whole();
    let place = Place::new();
    let path = place.path("source.gollm");
    let mut writer = Writer::create(&path, &Metadata::new(config.clone())).unwrap();
    for tensor in gollm_model::expected_tensors(&config).unwrap() {
        let values = nearly_normal(tensor.shape.iter().product());
        writer
            .tensor_f32(&tensor.name, &tensor.shape, DType::F32, &values)
            .unwrap();
    }
    writer.finish().unwrap();
    let source = open(&path);
    // The largest of 32 normal numbers is about 2.4 times their root mean square. A step is 1/127 or
    // 1/8 of that, and rounding to steps errs by a step / √12: 0.55 % and 8.7 %, with more where a
    // block has a larger number. The bounds leave room for such blocks. For f16 (2⁻¹¹) and bf16
    // (2⁻⁸), the largest error of each number is a bound of their mean.
    let bounds = [0.0, f64::exp2(-11.0), f64::exp2(-8.0), 0.01, 0.12];
    for (dtype, bound) in DType::ALL.into_iter().zip(bounds) {
        for change in quantized(&source, dtype, &place.path("out.gollm")) {
            let found = change.error.relative_rms();
            assert!(found <= bound, "{} as {dtype}: {found}", change.name);
            let least = if change.is_matrix() { bound / 8.0 } else { 0.0 };
            assert!(found >= least, "{} as {dtype}: {found}", change.name);
        }
    }
}

#[test]
fn s3_a_matrix_larger_than_a_chunk_is_one_matrix_all_the_same() {
    // The table has 2,100 rows of 32: one chunk of 65,536 numbers and a rest.
    let config = Config {
        vocab_size: 2_100,
        ..whole()
    };
    let place = Place::new();
    let source = place.model(&config, DType::F16);
    let path = place.path("out.gollm");
    quantized(&source, DType::Q4_0, &path);
    let expected = quantize(&numbers(&source, "tok_emb.weight"), DType::Q4_0).unwrap();
    assert_eq!(
        open(&path).bytes("tok_emb.weight").unwrap().as_slice(),
        expected
    );
}

/// The message of a source that cannot be quantized. Nothing may be written.
fn refusal(change: impl FnOnce(&mut Vec<f32>), to: DType) -> String {
    let place = Place::new();
    let path = place.path("source.gollm");
    let mut tensors = raw_model(&whole(), DType::F32).encoded_tensors();
    let mut values = values(64 * 32, 0);
    change(&mut values);
    assert_eq!(tensors[0].1, [64, 32], "the table of embeddings");
    tensors[0].3 = quantize(&values, DType::F32).unwrap();
    write(&path, &Metadata::new(whole()), tensors).unwrap();
    let out = place.path("out.gollm");
    let source = open(&path);
    let quantizer = Quantizer::create(&source, to, &out).unwrap();
    let error = quantizer.finish().unwrap_err();
    assert_eq!(
        std::fs::read_dir(place.0.path()).unwrap().count(),
        1,
        "only the source is there"
    );
    error.to_string()
}

#[test]
fn s3_numbers_that_no_type_should_hold_are_refused() {
    for value in [f32::NAN, f32::INFINITY] {
        let message = refusal(|values| values[70] = value, DType::Q8_0);
        let expected = format!("tensor `tok_emb.weight` holds {value} at index 70: ");
        assert!(message.starts_with(&expected), "{message}");
    }
    // f16 ends at 65,504; the scale of a block of q8_0 is its largest number / 127, and has to.
    for (dtype, value) in [(DType::F16, 1e5), (DType::Q8_0, 1e7), (DType::Q4_0, 1e6)] {
        let message = refusal(|values| values[70] = value, dtype);
        let expected = format!("reaches {value}, more than {dtype} can hold");
        assert!(message.contains(&expected), "{message}");
    }
}

#[test]
fn s3_a_damaged_source_is_refused_and_not_given_fresh_checksums() {
    let place = Place::new();
    let source = place.model(&whole(), DType::F16);
    let offset = source.descriptor("final_norm.weight").unwrap().offset;
    let mut bytes = std::fs::read(place.path("source.gollm")).unwrap();
    bytes[offset] ^= 1;
    let damaged = ModelFile::from_bytes(gollm_tensor::HostBytes::from(bytes)).unwrap();
    let quantizer = Quantizer::create(&damaged, DType::Q8_0, place.path("out.gollm")).unwrap();
    let message = quantizer.finish().expect_err("it is damaged").to_string();
    assert!(
        message.starts_with("tensor `final_norm.weight` is damaged"),
        "{message}"
    );
}

#[test]
fn s3_a_quantizer_that_is_dropped_leaves_nothing_behind() {
    let place = Place::new();
    let source = place.model(&whole(), DType::F16);
    let out = place.path("out.gollm");
    let mut quantizer = Quantizer::create(&source, DType::Q8_0, &out).unwrap();
    assert_eq!(
        quantizer.next_tensor().unwrap().unwrap().name,
        "tok_emb.weight"
    );
    drop(quantizer);
    assert_eq!(
        std::fs::read_dir(place.0.path()).unwrap().count(),
        1,
        "only the source is there"
    );
}
