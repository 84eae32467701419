//! A 64 KiB model file: every truncation and every change of one bit is noticed.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are not marked as tests"
)]

mod support;

use std::sync::{Arc, Mutex};

use gollm_model::Config;
use gollm_tensor::{DType, HostBytes};
use gollm_weights::{ModelFile, Report, Result};
use support::raw_model;

const FILE_BYTES: usize = 64 << 10;

/// A valid file of exactly 64 KiB with padding after most of its tensors.
fn model_64_kib() -> Vec<u8> {
    let config = Config::from_yaml(
        "{vocab_size: 150, context_length: 64, emb_dim: 48, n_heads: 3, n_kv_heads: 1, head_dim: 10,
          hidden_dim: 83, n_layers: 1, tie_embeddings: false, dtype: f16}",
    )
    .unwrap();
    let mut file = raw_model(&config, DType::F16);
    // Its last tensor fills whole lines of 64 bytes, so a note in the metadata can fill the rest.
    let rest = FILE_BYTES - file.build().len();
    let json = String::from_utf8(file.metadata.clone()).unwrap();
    let note = "n".repeat(rest - r#","note":"""#.len());
    file.metadata = json
        .replace("}}", &format!(r#"}},"note":"{note}"}}"#))
        .into_bytes();
    let bytes = file.build();
    assert_eq!(bytes.len(), FILE_BYTES);
    let data: usize = file.tensors.iter().map(|tensor| tensor.data.len()).sum();
    let padding = FILE_BYTES - file.head_bytes() - data;
    assert!(
        padding > 100,
        "changes of {padding} bytes of padding are too few to mean much"
    );
    bytes
}

/// Bytes that a test changes between looks. `HostBytes` wants an owner that shows its bytes, and a
/// copy for every change would take longer than the check.
#[derive(Clone)]
struct Shown(Arc<Vec<u8>>);

impl AsRef<[u8]> for Shown {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

fn verify(bytes: HostBytes) -> Result<Report> {
    ModelFile::from_bytes(bytes)?.verify()
}

#[test]
fn every_truncation_is_reported_on_opening() {
    let whole = Shown(Arc::new(model_64_kib()));
    let all = HostBytes::new(whole);
    assert!(verify(all.clone()).is_ok());
    for length in 0..FILE_BYTES {
        let cut = all.slice(0..length).unwrap();
        let error = ModelFile::from_bytes(cut).expect_err("a cut file was opened");
        let message = error.to_string();
        let expected = if length == 0 {
            "is empty"
        } else {
            "is cut short"
        };
        assert!(message.contains(expected), "{length} bytes: {message}");
    }
}

#[test]
fn every_change_of_one_bit_is_reported_by_verify() {
    let bytes = model_64_kib();
    // Two threads share the file's halves; each stops at the first change that goes unseen.
    let unseen = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for half in 0..2 {
            let (unseen, mut bytes) = (&unseen, bytes.clone());
            scope.spawn(move || {
                for index in (half..FILE_BYTES).step_by(2) {
                    for bit in 0..8 {
                        bytes[index] ^= 1 << bit;
                        let shown = Shown(Arc::new(std::mem::take(&mut bytes)));
                        let seen = verify(HostBytes::new(shown.clone())).is_err();
                        bytes = Arc::try_unwrap(shown.0).unwrap();
                        bytes[index] ^= 1 << bit;
                        if !seen {
                            unseen.lock().unwrap().push((index, bit));
                        }
                    }
                }
            });
        }
    });
    assert_eq!(
        unseen.into_inner().unwrap(),
        [],
        "(byte, bit) of changes that nothing noticed"
    );
}
