//! docs/format.md says what is in the golden file: its dump is compared byte by byte, and its Python
//! reader is run.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are not marked as tests"
)]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use gollm_weights::{ModelFile, OpenOptions};

fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

fn page() -> String {
    fs::read_to_string(repository("docs/format.md")).unwrap()
}

/// A line of the dump: an offset in eight digits, sixteen bytes, the same as text.
fn dump_line(line: &str) -> Option<(usize, Vec<u8>, &str)> {
    let (offset, rest) = line.split_once("  ")?;
    let offset = usize::from_str_radix(offset, 16)
        .ok()
        .filter(|_| offset.len() == 8)?;
    let (bytes, text) = rest.split_once("  |")?;
    let bytes = bytes
        .split_whitespace()
        .map(|byte| u8::from_str_radix(byte, 16));
    Some((
        offset,
        bytes.collect::<Result<_, _>>().ok()?,
        text.strip_suffix('|')?,
    ))
}

#[test]
fn every_line_of_the_dump_is_in_the_golden_file() {
    let golden = fs::read(repository("test_data/golden-v1.gollm")).unwrap();
    let page = page();
    let lines: Vec<_> = page.lines().filter_map(dump_line).collect();
    assert!(
        lines.len() >= 20,
        "only {} lines of the dump were found",
        lines.len()
    );
    for (offset, bytes, text) in lines {
        assert_eq!(bytes, golden[offset..offset + 16], "at {offset:#x}");
        let shown = |byte: &u8| {
            if (32..127).contains(byte) {
                char::from(*byte)
            } else {
                '.'
            }
        };
        assert_eq!(
            text,
            bytes.iter().map(shown).collect::<String>(),
            "at {offset:#x}"
        );
    }
}

#[test]
fn the_python_reader_of_the_page_finds_every_tensor() {
    let page = page();
    let program = page
        .split("```python\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let golden = repository("test_data/golden-v1.gollm");
    let mut python = Command::new("python3");
    python.args(["-c", program.unwrap()]).arg(&golden);
    let Ok(output) = python.output() else {
        println!("not run: there is no python3");
        return;
    };
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines = text.lines();
    assert!(lines.next().unwrap().contains("'vocab_size': 64"), "{text}");

    let file = ModelFile::open(&golden, &OpenOptions::default()).unwrap();
    for tensor in file.descriptors() {
        let bytes = file.bytes(&tensor.name).unwrap();
        let start: Vec<String> = bytes.as_slice()[..4]
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        let (name, shape, dtype) = (&tensor.name, &tensor.shape, tensor.dtype);
        let expected = format!("{name} {shape:?} {dtype} {}", start.join(" "));
        assert_eq!(lines.next(), Some(&*expected));
    }
    assert_eq!(lines.next(), None);
}
