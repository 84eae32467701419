//! Every file that fuzzing starts from, and every file that once found a mistake.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::path::{Path, PathBuf};

use gollm_fuzz::memory::{Counting, spent_by};
use gollm_fuzz::{TARGETS, Target};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The files of one target in `corpus` or `regressions`.
fn files(folder: &str, target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(folder)
        .join(target);
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn check(target: &Target, path: &Path, bytes: &[u8]) {
    let ((), spent) = spent_by(|| (target.run)(bytes));
    let limit = target.limit(bytes.len());
    let (path, peak) = (path.display(), spent.peak);
    assert!(peak <= limit, "{path}: {peak} bytes, at most {limit}");
}

// One test, since the allocator counts what the whole program does.
#[test]
fn every_file_of_the_corpus_keeps_the_promises_and_so_does_every_truncation() {
    for target in TARGETS {
        target.warm_up();
        let corpus = files("corpus", target.name);
        assert!(!corpus.is_empty(), "{} has no corpus", target.name);
        for path in corpus.iter().chain(&files("regressions", target.name)) {
            let bytes = fs::read(path).unwrap();
            assert!(bytes.len() < 4096, "{} is long", path.display());
            check(&target, path, &bytes);
            for length in (0..bytes.len()).step_by(bytes.len() / 64 + 1) {
                check(&target, path, &bytes[..length]);
            }
        }
    }
}
