//! GGUF models in several files, in commands that take a model.

use std::fs;

use crate::mistakes::{BAD_FILE, check_with};
use crate::support::{Files, done};

const FIRST: &str = "m-F32-00001-of-00002.gguf";
const SECOND: &str = "m-F32-00002-of-00002.gguf";

/// A key and its value of a kind.
fn value(key: &str, kind: u32, value: &[u8]) -> Vec<u8> {
    let length = (key.len() as u64).to_le_bytes();
    [&length[..], key.as_bytes(), &kind.to_le_bytes(), value].concat()
}

/// The values that every part has.
fn split_values(index: u16, n_tensors: u64) -> Vec<u8> {
    let n_tensors = (n_tensors as i32).to_le_bytes();
    [
        value("split.no", 2, &index.to_le_bytes()),
        value("split.count", 2, &2u16.to_le_bytes()),
        value("split.tensors.count", 5, &n_tensors),
    ]
    .concat()
}

/// The same model as two files: one with its values, one with its tensors.
fn cut(whole: &[u8]) -> [Vec<u8>; 2] {
    const FIRST_TENSOR: &[u8] = b"\x11\0\0\0\0\0\0\0token_embd.weight";
    let number = |at: usize| u64::from_le_bytes(whole[at..at + 8].try_into().unwrap());
    let (n_tensors, n_values) = (number(8), number(16));
    let mut windows = whole.windows(FIRST_TENSOR.len());
    let tensors = windows.position(|bytes| bytes == FIRST_TENSOR).unwrap();
    let head = |n_tensors: u64, n_values: u64| {
        let counts = [n_tensors.to_le_bytes(), n_values.to_le_bytes()].concat();
        [&whole[..8], &counts].concat()
    };
    let split = |index| split_values(index, n_tensors);
    let first = [&head(0, n_values + 3), &whole[24..tensors], &split(0)].concat();
    let mut second = [head(n_tensors, 4), split(1)].concat();
    // The list of tensors begins as far from a multiple of 32 as before, so that what is behind it can stay.
    let empty = value("filler", 8, &[0; 8]).len();
    let n_bytes = (tensors + 32 - (second.len() + empty) % 32) % 32;
    let filler = [&(n_bytes as u64).to_le_bytes()[..], &vec![b'x'; n_bytes]].concat();
    second.extend(value("filler", 8, &filler));
    second.extend(&whole[tensors..]);
    [first, second]
}

fn greedy(model: &str) -> String {
    let args = ["generate", "-m", model, "--temp", "0", "-n", "20"];
    done(&[&args[..], &["--ignore-eos", "Once upon"]].concat()).text()
}

#[test]
fn any_part_is_taken_for_the_model() {
    let files = Files::new();
    let (own, whole) = (files.model(), files.path("whole.gguf"));
    done(&["convert", &own, &whole]);
    let [first, second] = cut(&fs::read(&whole).unwrap());
    let n_bytes = first.len() + second.len();
    let parts = [files.write(FIRST, first), files.write(SECOND, second)];
    let hashes = |model: &str| {
        let text = done(&["verify", model, "--hashes"]).text();
        let lines = text.lines().filter(|line| line.contains(".weight"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    for part in &parts {
        assert_eq!(greedy(part), greedy(&own));
        assert_eq!(hashes(part), hashes(&whole));
        let shown = done(&["inspect", part]).text();
        assert!(shown.contains("GGUF version 3, 2 files, "), "{shown}");
        let json = done(&["inspect", part, "--json"]).json();
        assert_eq!(json["file_bytes"], n_bytes);
    }
    let again = files.path("again.gguf");
    done(&["convert", &parts[1], &again]);
    assert_eq!(hashes(&again), hashes(&whole));
    let shown = done(&["inspect", &again]).text();
    assert!(shown.contains("GGUF version 3, "), "{shown}");
    assert!(!shown.contains("2 files"), "{shown}");
    let quantized = [files.path("a.gollm"), files.path("b.gollm")];
    done(&["quantize", &parts[0], &quantized[0], "--type", "q8_0"]);
    done(&["quantize", &own, &quantized[1], "--type", "q8_0"]);
    assert_eq!(hashes(&quantized[0]), hashes(&quantized[1]));

    fs::remove_file(&parts[0]).unwrap();
    let message = format!("1 of 2 are missing in its folder: `{FIRST}`");
    check_with(&["inspect", &parts[1]], b"", &[], BAD_FILE, &message);
}

#[cfg(unix)]
#[test]
fn parts_in_the_cache_are_found_by_the_name_of_their_repository() {
    use std::os::unix::fs::symlink;
    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
    let files = Files::new();
    let (own, whole) = (files.model(), files.path("whole.gguf"));
    done(&["convert", &own, &whole]);
    let repository = files.path("models--me--model");
    let snapshot = format!("{repository}/snapshots/{COMMIT}/F32");
    for path in ["refs", "blobs", &format!("snapshots/{COMMIT}/F32")] {
        fs::create_dir_all(format!("{repository}/{path}")).unwrap();
    }
    fs::write(format!("{repository}/refs/main"), COMMIT).unwrap();
    let parts = cut(&fs::read(&whole).unwrap());
    for (name, bytes) in [FIRST, SECOND].into_iter().zip(parts) {
        fs::write(format!("{repository}/blobs/{name}"), bytes).unwrap();
        let blob = format!("../../../blobs/{name}");
        symlink(blob, format!("{snapshot}/{name}")).unwrap();
    }
    let cache = files.path("");
    let variables = [("HF_HUB_CACHE", cache.as_str()), ("HF_HUB_OFFLINE", "")];
    let args = ["verify", "me/model:F32"];
    let ran = crate::support::run_with(&args, b"", &variables);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(
        ran.text().contains("GGUF version 3, 2 files"),
        "{}",
        ran.text()
    );
    fs::remove_file(format!("{snapshot}/{SECOND}")).unwrap();
    let message = format!("1 of 2 parts are missing: F32/{SECOND}");
    check_with(&args, b"", &variables, BAD_FILE, &message);
}
