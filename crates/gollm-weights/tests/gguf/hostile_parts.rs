//! Parts from strangers: what does not belong to the others is refused by the name of its file.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use super::parts::{name, open_path, parts, write};
use super::*;

/// The message for changed parts, opened by the first, after `spoil` had the folder.
fn refused_after(change: impl FnOnce(&mut [RawGguf]), spoil: impl FnOnce(&Path)) -> String {
    let directory = tempfile::tempdir().unwrap();
    let mut parts = parts(4);
    change(&mut parts);
    let paths = write(&parts, directory.path());
    spoil(directory.path());
    open_path(&paths[0]).unwrap_err().to_string()
}

fn refused(change: impl FnOnce(&mut [RawGguf])) -> String {
    refused_after(change, |_| {})
}

#[test]
fn every_truncation_of_every_part_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let parts = parts(4);
    let paths = write(&parts, directory.path());
    for (part, path) in parts.iter().zip(&paths) {
        let bytes = part.bytes();
        // Every byte of both lists, then every 61st of the data: a file is opened for each.
        let n_data: usize = part.tensors.iter().map(|tensor| tensor.data.len()).sum();
        let head = bytes.len() - n_data;
        let lengths = (0..head).chain((head..bytes.len()).step_by(61));
        for length in lengths.chain([bytes.len() - 1]) {
            fs::write(path, &bytes[..length]).unwrap();
            let message = open_path(&paths[0]).unwrap_err().to_string();
            let file = path.file_name().unwrap().to_str().unwrap();
            assert!(message.contains(file), "{length} of {file}: {message}");
        }
        fs::write(path, bytes).unwrap();
    }
    assert!(open_path(&paths[0]).is_ok());
}

#[test]
fn what_one_part_says_of_the_whole_the_others_must_say_too() {
    type Change = fn(&mut [RawGguf]);
    let text = |text: &str| Raw::Text(text.to_owned());
    let cases: [(usize, &str, Change); 17] = [
        (
            0,
            "`split.count`: it is 4, but the file's name says 3",
            |p| p[0].set("split.count", Raw::u16(4)),
        ),
        (0, "`split.count`: it is 1001, at most 1000", |p| {
            p[0].set("split.count", Raw::u16(1001))
        }),
        (0, "`split.count`: it is -3, expected a number of", |p| {
            p[0].set("split.count", Raw::I32(-3))
        }),
        (0, "`split.count`: it is a string", |p| {
            p[0].set("split.count", Raw::Text("3".to_owned()))
        }),
        (1, "`split.count`: it is 2, expected 3, as the other", |p| {
            p[1].set("split.count", Raw::u16(2))
        }),
        (1, "`split.count`: it is missing, expected 3", |p| {
            p[1].remove("split.count")
        }),
        (
            0,
            "`split.no`: it is 1, expected 0, as the file's name",
            |p| p[0].set("split.no", Raw::u16(1)),
        ),
        (1, "`split.no`: it is 2, expected 1", |p| p.swap(1, 2)),
        (2, "`split.no`: it is missing, expected 2", |p| {
            p[2].remove("split.no")
        }),
        (0, "`split.tensors.count`: it is 13, expected 12", |p| {
            p.iter_mut()
                .for_each(|p| p.set("split.tensors.count", Raw::I32(13)))
        }),
        (0, "`split.tensors.count`: it is missing", |p| {
            p[0].remove("split.tensors.count")
        }),
        (
            2,
            "`split.tensors.count`: it is 11, expected 12, as in the first",
            |p| p[2].set("split.tensors.count", Raw::I32(11)),
        ),
        (0, "`split.tensors.count`: it is 12, expected 11", |p| {
            p[2].tensors.pop();
        }),
        (1, "it has GGUF version 2, those before it have 3", |p| {
            p[1].version = 2
        }),
        (
            2,
            "`general.architecture`: it is `qwen2`, in the first file `llama`",
            |p| p[2].set("general.architecture", Raw::Text("qwen2".to_owned())),
        ),
        (1, "it is no GGUF file", |p| p[1].magic = *b"GGML"),
        (
            2,
            "`blk.0.ffn_down.weight`: it is there twice, the first time in part 2",
            |p| {
                p[1].tensors[0].name = "blk.0.ffn_down.weight".to_owned();
            },
        ),
    ];
    for (index, expected, change) in cases {
        let message = refused(change);
        assert!(message.contains(expected), "{expected}: {message}");
        assert!(message.contains(&name(index)), "{index}: {message}");
    }
    let message = refused(|p| p[1].set("general.architecture", text("\u{1b}[2J")));
    assert!(!message.contains('\u{1b}'), "{message}");
}

#[test]
fn errors_name_the_part_that_they_are_about() {
    type Change = fn(&mut [RawGguf]);
    let cases: [(usize, &str, Change); 5] = [
        (2, "`blk.0.other.weight`: no part of this program", |p| {
            p[2].tensors[0].name = "blk.0.other.weight".to_owned()
        }),
        (1, "overlap those of", |p| p[1].tensors[1].offset = Some(0)),
        (2, "`general.alignment`: it is 24", |p| {
            p[2].set("general.alignment", Raw::U32(24))
        }),
        (0, "`llama.block_count` is missing", |p| {
            p[0].remove("llama.block_count")
        }),
        (0, "pre-tokenizer is `tekken`", |p| {
            p[0].set("tokenizer.ggml.pre", Raw::Text("tekken".to_owned()))
        }),
    ];
    for (index, expected, change) in cases {
        let directory = tempfile::tempdir().unwrap();
        let mut parts = parts(4);
        change(&mut parts);
        // Whichever was named.
        for path in write(&parts, directory.path()) {
            let message = open_path(&path).unwrap_err().to_string();
            assert!(message.contains(expected), "{expected}: {message}");
            assert!(message.contains(&name(index)), "{index}: {message}");
        }
    }
}

#[test]
fn a_part_that_is_no_file_is_refused_by_its_name() {
    let message = refused_after(
        |_| {},
        |folder| fs::write(folder.join(name(1)), "").unwrap(),
    );
    assert!(
        message.contains(&name(1)) && message.contains("empty"),
        "{message}"
    );
    let message = refused_after(
        |_| {},
        |folder| {
            fs::remove_file(folder.join(name(2))).unwrap();
            fs::create_dir(folder.join(name(2))).unwrap();
        },
    );
    assert!(
        message.contains(&name(2)) && message.contains("a directory"),
        "{message}"
    );
}

#[cfg(unix)]
#[test]
fn links_lead_into_the_folder_or_the_cache_and_no_further() {
    use std::os::unix::fs::symlink;
    let directory = tempfile::tempdir().unwrap();
    let repository = directory.path().join("models--a--b");
    // Files of one type often have a directory of their own.
    let (snapshot, blobs) = (
        repository.join("snapshots/0123/Q8_0"),
        repository.join("blobs"),
    );
    fs::create_dir_all(&snapshot).unwrap();
    fs::create_dir(&blobs).unwrap();
    let paths = write(&parts(4), &snapshot);
    for (index, path) in paths.iter().enumerate() {
        fs::rename(path, blobs.join(index.to_string())).unwrap();
        symlink(format!("../../../blobs/{index}"), path).unwrap();
    }
    assert!(open_path(&paths[1]).is_ok());
    fs::rename(blobs.join("2"), directory.path().join("2")).unwrap();
    fs::remove_file(&paths[2]).unwrap();
    symlink("../../../../2", &paths[2]).unwrap();
    let message = open_path(&paths[0]).unwrap_err().to_string();
    assert!(
        message.contains(&name(2)) && message.contains("a link that leads out"),
        "{message}"
    );
}

#[cfg(unix)]
#[test]
fn no_name_reaches_a_message_raw() {
    let directory = tempfile::tempdir().unwrap();
    let bytes = parts(4)[0].bytes();
    let first = OsString::from("m\u{1b}[2J-00001-of-00003.gguf");
    let path = directory.path().join(first);
    fs::write(&path, bytes).unwrap();
    let error = open_path(&path).unwrap_err();
    // The path itself is the caller's own.
    let message = error.without_path().to_string();
    assert!(message.contains("2 of 3 are missing"), "{message}");
    assert!(!message.contains('\u{1b}'), "{message}");
}
