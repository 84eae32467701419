//! Writing: the right bytes, or none; and never half a file.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests are not marked as tests"
)]

mod support;

use std::fs;
use std::path::Path;

use gollm_tensor::DType;
use gollm_weights::{Metadata, ModelFile, OpenOptions, Writer, verify, write};
use serde_json::json;
use support::{golden, raw_model, tiny_config, tiny_file, values, written};

fn metadata() -> Metadata {
    Metadata::new(tiny_config())
}

/// Starts a file in a fresh directory, does `steps`, and returns the message of what failed, without
/// the path. Nothing may be left in the directory.
fn refusal(
    metadata: &Metadata,
    steps: impl FnOnce(&mut Writer) -> gollm_weights::Result<()>,
) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model.gollm");
    let written = Writer::create(&path, metadata).and_then(|mut writer| {
        steps(&mut writer)?;
        writer.finish()
    });
    let error = written.expect_err("it was written");
    assert_eq!(
        fs::read_dir(directory.path()).unwrap().count(),
        0,
        "something was left behind"
    );
    assert!(
        error.to_string().starts_with(&*path.to_string_lossy()),
        "{error} names no file"
    );
    error.without_path().to_string()
}

/// Writes the tiny model's tensors but those called `name`.
fn all_but(writer: &mut Writer, name: &str) -> gollm_weights::Result<()> {
    for (other, shape, dtype, bytes) in tiny_file().encoded_tensors() {
        if other != name {
            writer.tensor(&other, &shape, dtype, &bytes)?;
        }
    }
    Ok(())
}

#[test]
fn two_writers_that_share_no_code_agree_on_every_byte() {
    for dtype in [
        DType::F32,
        DType::F16,
        DType::BF16,
        DType::Q8_0,
        DType::Q4_0,
    ] {
        let config = golden::metadata().config;
        let mut raw = raw_model(&config, dtype);
        // The metadata's text is the writer's own choice; everything around it is not.
        let bytes = written(&Metadata::new(config), &raw).unwrap();
        let length = u64::from_le_bytes(*bytes[16..].first_chunk().unwrap()) as usize;
        raw.metadata = bytes[64..64 + length].to_vec();
        assert!(bytes == raw.build(), "{dtype}");
    }
}

#[test]
fn tensors_may_come_in_any_order() {
    let mut raw = tiny_file();
    raw.tensors.reverse();
    let bytes = written(&metadata(), &raw).unwrap();
    let file = ModelFile::from_bytes(bytes.into()).unwrap();
    assert_eq!(file.descriptors()[0].name, "final_norm.weight");
    for (name, .., bytes) in raw.encoded_tensors() {
        assert_eq!(file.bytes(&name).unwrap().as_slice(), bytes, "{name}");
    }
    file.verify().unwrap();
}

#[test]
fn values_are_rounded_to_the_type_and_vectors_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model.gollm");
    let mut writer = Writer::create(&path, &metadata()).unwrap();
    all_but(&mut writer, "final_norm.weight").unwrap();
    let fine = [1.000_000_1, 1.0];
    writer
        .tensor_f32("final_norm.weight", &[2], DType::F16, &fine)
        .unwrap();
    writer.finish().unwrap();
    let file = ModelFile::open(&path, &OpenOptions::default()).unwrap();
    assert_eq!(
        file.bytes("final_norm.weight").unwrap().as_slice()[..4],
        fine[0].to_le_bytes()
    );
}

#[test]
fn what_a_reader_would_refuse_is_not_written() {
    let cases: [(&str, &[usize], DType, usize, &str); 5] = [
        (
            "wte.weight",
            &[4, 2],
            DType::F16,
            16,
            "the tensors do not fit the config: `wte.weight` does not belong to a model of this config",
        ),
        (
            "tok_emb.weight",
            &[2, 4],
            DType::F16,
            16,
            "the tensors do not fit the config: `tok_emb.weight` has shape [2, 4], expected [4, 2]",
        ),
        (
            "tok_emb.weight",
            &[4, 2],
            DType::F16,
            15,
            "tensor `tok_emb.weight` cannot be written: shape [4, 2] in f16 takes 16 bytes, but its \
             data has 15",
        ),
        (
            "tok_emb.weight",
            &[4, 2],
            DType::Q8_0,
            34,
            "tensor `tok_emb.weight` cannot be written: a row of 2 values cannot be stored as q8_0: \
             it is not a multiple of 32",
        ),
        (
            "final_norm.weight",
            &[2],
            DType::F16,
            4,
            "tensor `final_norm.weight` cannot be written: it is a vector stored as f16; vectors \
             (the norms' scales) are stored as f32",
        ),
    ];
    for (name, shape, dtype, n_bytes, message) in cases {
        let found = refusal(&metadata(), |writer| {
            writer.tensor(name, shape, dtype, &vec![0; n_bytes])
        });
        assert_eq!(found, message);
    }
}

#[test]
fn every_tensor_is_written_once() {
    let missing = refusal(&metadata(), |writer| all_but(writer, "tok_emb.weight"));
    let expected = "the tensors do not fit the config: `tok_emb.weight` is missing (1 of 11 are)";
    assert_eq!(missing, expected);
    let twice = refusal(&metadata(), |writer| {
        all_but(writer, "")?;
        writer.tensor("tok_emb.weight", &[4, 2], DType::F16, &[0; 16])
    });
    let expected = "tensor `tok_emb.weight` cannot be written: an earlier tensor has the same name";
    assert_eq!(twice, expected);
}

#[test]
fn numbers_that_are_none_are_not_written_by_mistake() {
    let with = |dtype, value: f32| {
        refusal(&metadata(), |writer| {
            let mut values = values(8, 0);
            values[5] = value;
            writer.tensor_f32("tok_emb.weight", &[4, 2], dtype, &values)
        })
    };
    let expected = "tensor `tok_emb.weight` holds NaN at index 5: the training went wrong before \
                    this point; export an earlier checkpoint";
    assert_eq!(with(DType::F32, f32::NAN), expected);
    assert!(with(DType::BF16, f32::NEG_INFINITY).contains("holds -inf at index 5"));
    // 65,519 rounds down to f16's largest number; 65,520 rounds up to infinity.
    let expected = "tensor `tok_emb.weight` reaches 65520, more than f16 can hold; store it as bf16 \
                    or f32";
    assert_eq!(with(DType::F16, 65_520.0), expected);
}

#[test]
fn metadata_that_no_reader_accepts_is_not_written() {
    let mut wrong = metadata();
    wrong.config.n_heads = 0;
    assert!(refusal(&wrong, |_| Ok(())).contains("`n_heads` is 0"));

    let mut deep = json!(1);
    for _ in 0..20 {
        deep = json!([deep]);
    }
    let mut wrong = metadata();
    wrong.provenance.insert("deep".to_owned(), deep);
    assert!(refusal(&wrong, |_| Ok(())).contains("nested deeper than 16 levels"));

    let mut wrong = metadata();
    wrong.tokenizer = Some(json!("bpe"));
    assert!(
        refusal(&wrong, |_| Ok(())).contains("key `tokenizer` is a string, expected an object")
    );

    // It would come back as the chat template itself.
    let mut wrong = metadata();
    wrong
        .other
        .insert("chat_template".to_owned(), json!("{{ m }}"));
    assert!(refusal(&wrong, |_| Ok(())).contains("it would not be read back as it is"));

    let mut wrong = metadata();
    wrong.chat_template = Some("x".repeat(64 << 20));
    assert!(refusal(&wrong, |_| Ok(())).contains("at most 67108864 are read"));
}

#[test]
fn a_writer_that_is_dropped_leaves_the_old_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model.gollm");
    fs::write(&path, "old").unwrap();
    let mut writer = Writer::create(&path, &metadata()).unwrap();
    all_but(&mut writer, "").unwrap();
    assert_eq!(
        fs::read_dir(directory.path()).unwrap().count(),
        2,
        "it should be written beside"
    );
    drop(writer);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
}

#[test]
fn a_file_that_is_replaced_while_it_is_mapped_keeps_its_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model.gollm");
    write(&path, &metadata(), tiny_file().encoded_tensors()).unwrap();
    let old = ModelFile::open(&path, &OpenOptions::default()).unwrap();
    let raw = raw_model(&tiny_config(), DType::F32);
    write(&path, &metadata(), raw.encoded_tensors()).unwrap();

    old.verify().unwrap();
    assert_eq!(old.descriptor("tok_emb.weight").unwrap().dtype, DType::F16);
    assert_eq!(verify(&path).unwrap().tensors[0].dtype, DType::F32);
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("missing").join("model.gollm");
    let error = Writer::create(&path, &metadata()).err().unwrap();
    let expected = format!(
        "{}: cannot create a temporary file in its directory",
        path.display()
    );
    assert!(error.to_string().starts_with(&expected), "{error}");
    assert_eq!(
        error.io_error().unwrap().kind(),
        std::io::ErrorKind::NotFound
    );
}

#[cfg(unix)]
#[test]
fn links_are_followed_permissions_kept_and_devices_left_alone() {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};

    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("target.gollm");
    let link = directory.path().join("link.gollm");
    fs::write(&target, "old").unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).unwrap();
    symlink(&target, &link).unwrap();
    write(&link, &metadata(), tiny_file().encoded_tensors()).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    verify(&target).unwrap();
    assert_eq!(
        fs::metadata(&target).unwrap().permissions().mode() & 0o777,
        0o600
    );

    for not_a_file in [Path::new("/dev/full"), directory.path()] {
        let error = Writer::create(not_a_file, &metadata()).err().unwrap();
        assert!(
            error.to_string().contains("is a directory or a device"),
            "{error}"
        );
    }
    assert!(
        fs::metadata("/dev/full")
            .unwrap()
            .file_type()
            .is_char_device()
    );
}
