//! What must hold of every model file that opens, of whatever kind it is.

use gollm_tensor::HostBytes;
use gollm_weights::{ModelFile, OpenOptions, convert};

use super::tokenizer;

/// Opens the bytes and uses everything that is in them.
pub(crate) fn run(bytes: &[u8]) {
    if let Ok(file) = ModelFile::from_bytes(HostBytes::from(bytes.to_vec())) {
        check(&file, super::chosen(bytes));
    }
}

/// Uses everything that is in an open file; `again` says whether it is written and read again as well.
pub(crate) fn check(file: &ModelFile, again: bool) {
    let verified = file.verify();
    for tensor in file.descriptors() {
        // A number that f16 cannot hold is found when the tensor is asked for.
        if let Ok(data) = file.bytes(&tensor.name) {
            assert_eq!(data.as_slice().len(), tensor.n_bytes, "{}", tensor.name);
        }
    }
    if let Ok(report) = verified {
        assert_eq!(report.tensors.len(), file.descriptors().len());
        if again {
            written_again(file);
        }
    }
    if let Some(json) = file.tokenizer_json() {
        tokenizer::check_json(json, "");
    }
}

/// A `.gollm` file made of it holds the same model.
fn written_again(file: &ModelFile) {
    let Ok(directory) = tempfile::tempdir() else {
        return;
    };
    let path = directory.path().join("again.gollm");
    // Metadata with too many small values for its length is refused by the writer, since no reader takes it.
    if convert(file, &path).is_err() {
        return;
    }
    let options = OpenOptions {
        map: false,
        verify: true,
    };
    let again = ModelFile::open(&path, &options);
    assert!(again.is_ok(), "{:?}", again.err());
    if let Ok(again) = again {
        assert_eq!(again.config(), file.config());
        assert_eq!(again.tokenizer_json(), file.tokenizer_json());
        for tensor in file.descriptors() {
            let (before, after) = (file.bytes(&tensor.name), again.bytes(&tensor.name));
            let same = before.is_ok_and(|a| after.is_ok_and(|b| a.as_slice() == b.as_slice()));
            assert!(same, "{}", tensor.name);
        }
    }
}
