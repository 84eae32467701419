//! Files that other readers of this format fell for, each with the incident or the test that named it.

use super::*;

fn refused(change: impl FnOnce(&mut RawGguf)) -> String {
    let mut file = f32_file();
    change(&mut file);
    let result = ModelFile::from_bytes(HostBytes::new(file.bytes()));
    result.unwrap_err().to_string()
}

/// A value that says it is a string of `u64::MAX` bytes, as a key: the entry's own name is the lie.
fn key_of_length(n: u64) -> Vec<u8> {
    let mut bytes = b"GGUF\x03\0\0\0".to_vec();
    bytes.extend(0u64.to_le_bytes());
    bytes.extend(1u64.to_le_bytes());
    bytes.extend(n.to_le_bytes());
    bytes.resize(64, b'a');
    bytes
}

/// The handcrafted files of llama.cpp's `tests/test-gguf.cpp`, by its names.
#[test]
fn the_bad_files_of_llama_cpp_are_refused() {
    type Change = fn(&mut RawGguf);
    let cases: [(&str, &str, Change); 13] = [
        ("bad magic", "binary data of no kind", |f| {
            f.magic = *b"GUGF"
        }),
        ("bad version 0", "GGUF version 0;", |f| f.version = 0),
        ("bad version 1", "GGUF version 1;", |f| f.version = 1),
        ("bad version future", "GGUF version 4;", |f| f.version = 4),
        ("bad n tensors", "tensors, each of", |f| {
            f.n_tensors = Some(u64::MAX)
        }),
        ("bad n kv", "values, each of", |f| {
            f.n_values = Some(u64::MAX)
        }),
        ("duplicate key", "is there twice", |f| {
            f.values.push(f.values[0].clone());
        }),
        ("bad alignment", "`general.alignment`: it is 13", |f| {
            f.set("general.alignment", Raw::U32(13));
        }),
        ("bad dimensions", "dimensions, expected 1 to 4", |f| {
            f.tensor("output.weight").dims = vec![1; 5];
        }),
        ("bad shape", "`output.weight`", |f| {
            f.tensor("output.weight").dims = vec![1 << 40, 1 << 40];
        }),
        (
            "duplicate name",
            "an earlier tensor has the same name",
            |f| {
                f.tensors[1] = f.tensors[0].clone();
            },
        ),
        ("bad offset", "end after the file's", |f| {
            f.tensor("output.weight").offset = Some(1 << 40);
        }),
        ("data not enough", "end after the file's", |f| {
            f.tensors.last_mut().unwrap().dims[1] = 1 << 20;
        }),
    ];
    for (name, expected, change) in cases {
        let message = refused(change);
        assert!(message.contains(expected), "{name}: {message}");
    }
    for n in [0, 1 << 62, u64::MAX] {
        let bytes = HostBytes::new(key_of_length(n));
        assert!(ModelFile::from_bytes(bytes).is_err(), "a key of {n} bytes");
    }
}

/// CVE-2025-53630 and what came after it: sums that only overflow together.
#[test]
fn lengths_that_overflow_only_in_sum_are_refused() {
    let half = (u64::MAX / 2) & !31;
    for (offset, rows) in [(u64::MAX - 31, 1), (half, half / 128), (64, u64::MAX / 128)] {
        let message = refused(|file| {
            let tensor = file.tensor("output.weight");
            (tensor.offset, tensor.dims) = (Some(offset), vec![32, rows]);
        });
        assert!(
            message.contains("`output.weight`"),
            "{offset} {rows}: {message}"
        );
    }
}

/// Bleeding Llama (CVE-2026-7482): data that reach past the end, read by whoever converts the file.
#[test]
fn no_tensor_reaches_past_the_end_by_even_one_row() {
    let message = refused(|file| file.tensors.last_mut().unwrap().dims[1] += 1);
    assert!(message.contains("end after the file's"), "{message}");
}

/// CVE-2025-0317 and its kin: sizes of 0 that something is divided by.
#[test]
fn sizes_of_zero_are_refused_by_name() {
    for key in [
        "llama.context_length",
        "llama.embedding_length",
        "llama.feed_forward_length",
        "llama.block_count",
        "llama.attention.head_count",
        "llama.attention.head_count_kv",
        "llama.attention.key_length",
    ] {
        let message = refused(|file| file.set(key, Raw::U32(0)));
        assert!(
            message.contains('0') && message.len() < 300,
            "{key}: {message}"
        );
    }
    for (key, value) in [
        ("llama.rope.freq_base", 0.0),
        ("llama.rope.freq_base", f32::NAN),
    ] {
        let message = refused(|file| file.set(key, Raw::F32(value)));
        assert!(message.contains("rope_theta"), "{key}: {message}");
    }
    for value in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let message = refused(|file| {
            file.set("llama.attention.layer_norm_rms_epsilon", Raw::F32(value));
        });
        assert!(message.contains("norm_eps"), "{message}");
    }
}

/// A name is a file's text: it reaches the terminal with its control characters made visible.
#[test]
fn no_text_of_the_file_reaches_a_message_raw() {
    let evil = "\u{1b}[2J\u{7}\r\n\u{202e}";
    for message in [
        refused(|file| file.set("general.architecture", Raw::Text(evil.to_owned()))),
        refused(|file| file.set("tokenizer.ggml.model", Raw::Text(evil.to_owned()))),
        refused(|file| file.set(evil, Raw::Bytes(99, vec![0; 8]))),
        refused(|file| file.tensors[0].name = evil.to_owned()),
    ] {
        assert!(!message.chars().any(char::is_control), "{message:?}");
    }
}
