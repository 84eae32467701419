//! The head of a safetensors file, against the `safetensors` crate: what it refuses is refused here.

use ::safetensors::SafeTensors;

use super::*;

/// What our reader says about these bytes as the weights of a folder.
fn opened(bytes: &[u8]) -> Result<ModelFile, Error> {
    let directory = tempfile::tempdir().unwrap();
    f32_folder().write(directory.path());
    fs::write(directory.path().join("model.safetensors"), bytes).unwrap();
    open_path(directory.path())
}

fn refused(bytes: &[u8]) -> String {
    opened(bytes).unwrap_err().to_string()
}

/// One tensor's entry, and the file of it alone.
fn entry(text: &str, data: &[u8]) -> String {
    refused(&with_header(&format!("{{{text}}}"), data))
}

fn assert_holds(message: &str, part: &str) {
    assert!(message.contains(part), "{message}\n  should say: {part}");
}

#[test]
fn the_crate_reads_what_we_read() {
    let bytes = safetensors(&f32_folder().tensors);
    let theirs = SafeTensors::deserialize(&bytes).unwrap();
    let ours = opened(&bytes).unwrap();
    let tensor = theirs.tensor("model.layers.0.mlp.up_proj.weight").unwrap();
    assert_eq!(
        tensor.data(),
        ours.bytes("blocks.0.ffn.up_proj.weight")
            .unwrap()
            .as_slice()
    );
}

#[test]
fn no_changed_byte_of_the_head_is_read_where_the_crate_refuses_it() {
    let bytes = safetensors(&f32_folder().tensors);
    let head = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let directory = tempfile::tempdir().unwrap();
    f32_folder().write(directory.path());
    let path = directory.path().join("model.safetensors");
    let mut n_opened = 0;
    for at in 0..head {
        for flip in [0x01, 0x20, 0x80] {
            let mut changed = bytes.clone();
            changed[at] ^= flip;
            fs::write(&path, &changed).unwrap();
            if let Ok(model) = open_path(directory.path()) {
                n_opened += 1;
                assert!(SafeTensors::deserialize(&changed).is_ok(), "{at} {flip}");
                assert!(model.verify().is_ok());
            }
        }
    }
    // A changed key of an entry is one that nobody knows; nothing else may change unnoticed.
    assert!(n_opened < head, "{n_opened} of {head}");
}

#[test]
fn lengths_of_the_head_are_compared_with_the_file() {
    for length in [1u64 << 62, (1 << 63) - 1, 1 << 63, u64::MAX, 100_000_001] {
        let mut bytes = safetensors(&f32_folder().tensors);
        bytes[..8].copy_from_slice(&length.to_le_bytes());
        assert_holds(&refused(&bytes), "at most 100000000 are read");
        assert!(SafeTensors::deserialize(&bytes).is_err());
    }
    let mut bytes = safetensors(&f32_folder().tensors);
    bytes[..8].copy_from_slice(&100_000_000u64.to_le_bytes());
    assert_holds(&refused(&bytes), "its head needs 100000008 bytes");
    assert_holds(&refused(&[0; 8]), "JSON cannot be read: EOF");
    assert_holds(&refused(&[1, 2, 3]), "its head needs 8 bytes and it has 3");
}

#[test]
fn a_head_that_is_no_list_of_tensors_is_refused() {
    for (header, expected) in [
        ("[]", "expected an object with an entry for each tensor"),
        ("{", "JSON cannot be read: EOF"),
        ("not json", "JSON cannot be read"),
        ("{} {}", "trailing characters"),
        ("{\"a\":7}", "tensor `a`: invalid type: integer `7`"),
        (
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}",
            "missing field `data_offsets`",
        ),
    ] {
        assert_holds(&refused(&with_header(header, &[0; 4])), expected);
    }
    assert_holds(
        &refused(&with_header(&"[".repeat(100_000), &[])),
        "JSON cannot be read",
    );
    let deep = format!("{{\"__metadata__\":{}", "[".repeat(100_000));
    assert_holds(&refused(&with_header(&deep, &[])), "JSON cannot be read");
    assert_holds(
        &refused(b"\x02\0\0\0\0\0\0\0\xff\xff"),
        "not UTF-8 from byte 0",
    );
}

#[test]
fn each_mistake_in_an_entry_names_its_tensor() {
    let of = |dtype: &str, shape: &str, offsets: &str| {
        let text = format!(r#""a":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}"#);
        entry(&text, &[0; 8])
    };
    assert_holds(
        &of("F64", "[1]", "[0,8]"),
        "`a`: its type is `F64`, which is not read",
    );
    assert_holds(&of("F8_E4M3", "[8]", "[0,8]"), "`F8_E4M3`");
    assert_holds(
        &of("F32\\u001b[2J", "[2]", "[0,8]"),
        "\\u{1b}[2J`, which is not read",
    );
    assert_holds(
        &of("F32", "[]", "[0,4]"),
        "its shape is [], expected 1 to 4",
    );
    assert_holds(&of("F32", "[2,0]", "[0,0]"), "its shape is [2, 0]");
    assert_holds(&of("F32", "[1,1,1,1,2]", "[0,8]"), "more than 4 dimensions");
    assert_holds(
        &of("F32", "[-1]", "[0,8]"),
        "`a`: invalid value: integer `-1`",
    );
    assert_holds(&of("F32", "[2]", "[0,7]"), "from 0 to 7, expected 8 bytes");
    assert_holds(&of("F32", "[2]", "[8,0]"), "begin at 8, expected 0");
    assert_holds(&of("F32", "[2]", "[0,8,9]"), "`a`: ");
    assert_holds(&of("F32", "[3]", "[0,12]"), "its data end at 12 of 8");
    assert_holds(
        &of("F32", "[1]", "[0,4]"),
        "8 bytes of data, but its tensors end at 4",
    );
    assert_holds(&of("F32", "[1]", "[4,8]"), "begin at 4, expected 0");
    for huge in [
        1u64 << 42 | 1,
        1 << 62,
        (1 << 63) - 1,
        u64::MAX / 4,
        u64::MAX,
    ] {
        assert_holds(&of("F32", &format!("[{huge}]"), "[0,8]"), "`a`");
        assert_holds(
            &of("F32", &format!("[{huge},{huge},{huge},4]"), "[0,8]"),
            "`a`",
        );
        assert_holds(&of("F32", "[2]", &format!("[0,{huge}]")), "`a`");
        assert_holds(&of("F32", "[2]", &format!("[{huge},{huge}]")), "`a`");
    }
}

#[test]
fn data_neither_overlap_nor_leave_gaps_nor_belong_to_two() {
    let two = |name: &str, first: &str, second: &str| {
        let of = |name: &str, offsets: &str| {
            format!(r#""{name}":{{"dtype":"F32","shape":[1],"data_offsets":{offsets}}}"#)
        };
        entry(
            &format!("{},{}", of("a", first), of(name, second)),
            &[0; 12],
        )
    };
    assert_holds(
        &two("b", "[0,4]", "[2,6]"),
        "`b`: its data begin at 2, expected 4",
    );
    assert_holds(
        &two("b", "[0,4]", "[8,12]"),
        "`b`: its data begin at 8, expected 4",
    );
    assert_holds(
        &two("b", "[0,4]", "[0,4]"),
        "`b`: its data begin at 0, expected 4",
    );
    let twice = r#""a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},
                   "a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}"#;
    assert_holds(&entry(twice, &[0; 8]), "`a`: it is there twice");
    let long = format!(
        r#""{}":{{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
        "n".repeat(256)
    );
    assert_holds(&entry(&long, &[0; 4]), "nnn…");
    let control = r#""a\u001b[2J":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#;
    assert!(!entry(control, &[0; 4]).contains('\u{1b}'));
}
