//! Files from a stranger: every one gives a model or a message, and nothing else.

mod support;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use gollm_tensor::HostBytes;
use gollm_weights::{ModelFile, OpenOptions, Report, Result, verify};
use support::bad_files::bad_files;
use support::tiny_file;

/// Opens and verifies bytes in memory.
fn verify_bytes(bytes: &[u8]) -> Result<Report> {
    ModelFile::from_bytes(HostBytes::from(bytes.to_vec()))?.verify()
}

#[test]
fn every_bad_file_has_its_own_message() {
    for bad in bad_files() {
        let start = Instant::now();
        let error = verify_bytes(&bad.bytes).expect_err(bad.wrong);
        assert_eq!(error.to_string(), bad.message, "{}", bad.wrong);
        // A second is far more than any of these takes; a hang or a loop over 2^62 takes longer.
        assert!(
            start.elapsed() < Duration::from_secs(1),
            "{} took {:?}",
            bad.wrong,
            start.elapsed()
        );
    }
}

#[test]
fn the_table_holds_more_than_thirty_different_mistakes() {
    let table = bad_files();
    let kinds: HashSet<&str> = table.iter().map(|bad| bad.wrong).collect();
    assert!(kinds.len() >= 60, "{}", kinds.len());
}

#[test]
fn the_file_that_they_are_made_from_is_good() {
    let report = verify_bytes(&tiny_file().build()).unwrap();
    assert_eq!((report.n_parameters, report.tensors.len()), (48, 11));
}

#[test]
fn on_the_disk_every_way_of_opening_says_the_same_and_names_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bad.gollm");
    for bad in bad_files() {
        std::fs::write(&path, &bad.bytes).unwrap();
        let expected = format!("{}: {}", path.display(), bad.message);
        for map in [true, false] {
            let options = OpenOptions { map, verify: true };
            let error = ModelFile::open(&path, &options).expect_err(bad.wrong);
            assert_eq!(error.to_string(), expected, "{} (map: {map})", bad.wrong);
        }
        assert_eq!(
            verify(&path).expect_err(bad.wrong).to_string(),
            expected,
            "{}",
            bad.wrong
        );
    }
}

#[test]
fn without_verify_only_damage_to_the_data_goes_unseen() {
    let unseen: Vec<&str> = bad_files()
        .iter()
        .filter(|bad| ModelFile::from_bytes(HostBytes::from(bad.bytes.clone())).is_ok())
        .map(|bad| bad.wrong)
        .collect();
    assert_eq!(
        unseen,
        ["padding that is not zero", "one changed bit in a tensor"]
    );
}

#[test]
fn what_is_no_regular_file_is_refused_without_reading_it() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing.gollm");
    for map in [true, false] {
        let options = OpenOptions { map, verify: false };
        let error = ModelFile::open(directory.path(), &options).unwrap_err();
        let path = directory.path().display();
        assert_eq!(
            error.to_string(),
            format!(
                "{path}: is a directory without a config.json, expected a model file or a Hugging \
                 Face folder"
            )
        );

        let error = ModelFile::open(&missing, &options).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("missing.gollm: cannot find the file: "),
            "{error}"
        );
        assert_eq!(
            error.io_error().unwrap().kind(),
            std::io::ErrorKind::NotFound
        );

        if cfg!(unix) {
            // It never ends: reading it would take all memory.
            let error = ModelFile::open("/dev/zero", &options).unwrap_err();
            assert!(
                error.to_string().contains("a pipe, a socket or a device"),
                "{error}"
            );
        }
    }
}
