//! Headers that lie, and files that are cut or go on.

use super::{BadFile, add, edited};
use crate::support::tiny_file;

pub(super) fn headers(table: &mut Vec<BadFile>) {
    let newer = "the file has format version 3.3, this build reads versions 1 to 2; update gollm";
    edited(
        table,
        "newer major version",
        |f| (f.major, f.minor) = (3, 3),
        newer,
    );
    let zero =
        "the file has format version 0.0, this build reads versions 1 to 2; the file is damaged";
    edited(table, "version zero", |f| f.major = 0, zero);
    let other = "the file has format version 2.0, but a model of its config is written as \
                 version 1.0: the file was not written by this program, or is damaged";
    edited(table, "version of another config", |f| f.major = 2, other);
    let experts = "the tensors do not fit the config: the config has 1 layers of 1000 experts, but there \
                   are only 11 tensors";
    edited(
        table,
        "more experts than tensors",
        |f| {
            let metadata = String::from_utf8_lossy(&f.metadata).into_owned();
            let more = "\"n_layers\":1,\"n_experts\":1000,\"n_experts_per_token\":1";
            f.metadata = metadata.replace("\"n_layers\":1", more).into_bytes();
            f.major = 2;
        },
        experts,
    );
    for n_bytes in [(64 << 20) + 1, 1 << 62, (1 << 63) - 1, u64::MAX] {
        let message =
            format!("the header claims {n_bytes} bytes of metadata, at most 67108864 are read");
        edited(
            table,
            "absurd metadata length",
            |f| f.metadata_bytes = Some(n_bytes),
            message,
        );
    }
    let descriptors_bytes = tiny_file().head_bytes() - 64 - tiny_file().metadata.len();
    for n_tensors in [0, 2, 10_000, 1 << 42, (1 << 63) - 1, u64::MAX] {
        let message = format!(
            "the header claims {n_tensors} tensors described in {descriptors_bytes} bytes; a \
             descriptor takes 61 bytes or more, and there must be at least one"
        );
        edited(
            table,
            "impossible tensor count",
            |f| f.n_tensors = Some(n_tensors),
            message,
        );
    }
    edited(
        table,
        "descriptors longer than the file",
        |f| (f.descriptors_bytes, f.n_tensors) = (Some(1 << 40), Some(1 << 33)),
        contradiction(1 << 40, None),
    );
    edited(
        table,
        "a sum of lengths that overflows",
        |f| (f.descriptors_bytes, f.n_tensors) = (Some(u64::MAX - 9), Some(1 << 57)),
        contradiction(u64::MAX - 9, None),
    );
    edited(
        table,
        "a file shorter than its own head",
        |f| f.file_bytes = Some(63),
        contradiction(descriptors_bytes as u64, Some(63)),
    );
    let damaged = tiny_file().build();
    edited(
        table,
        "a wrong head checksum",
        |f| f.checksum = Some([0xAB; 16]),
        format!(
            "the header, metadata or descriptors are damaged: their checksum is {}, expected \
             {}; copy or download the file again",
            hex(&damaged[48..64]),
            "ab".repeat(16)
        ),
    );
}

fn contradiction(descriptors_bytes: u64, file_bytes: Option<u64>) -> String {
    let file = tiny_file();
    format!(
        "the header contradicts itself: 64 bytes of header, {} of metadata and \
         {descriptors_bytes} of descriptors in a file of {}",
        file.metadata.len(),
        file_bytes.unwrap_or(file.build().len() as u64)
    )
}

pub(super) fn lengths(table: &mut Vec<BadFile>) {
    let whole = tiny_file().build();
    let (offsets, needed) = tiny_file().offsets();
    let metadata_bytes = tiny_file().metadata.len();
    let last = offsets[10];
    let cuts: [(&'static str, usize, usize, String); 6] = [
        ("cut in the magic", 5, 8, "the magic bytes".to_owned()),
        ("cut in the header", 63, 64, "the header".to_owned()),
        (
            "cut in the metadata",
            64 + 10,
            needed,
            "the metadata".to_owned(),
        ),
        (
            "cut in the descriptors",
            64 + metadata_bytes,
            needed,
            "the descriptors".to_owned(),
        ),
        (
            "cut before the data",
            offsets[0],
            needed,
            format!(
                "tensor `tok_emb.weight`, which starts at byte {}",
                offsets[0]
            ),
        ),
        (
            "cut in the last byte",
            needed - 1,
            needed,
            format!("tensor `final_norm.weight`, which starts at byte {last}"),
        ),
    ];
    for (wrong, found, needed, cut) in cuts {
        let message = format!(
            "the file is cut short: it needs {needed} bytes and has {found}; the cut is in {cut}; \
             copy or download it again"
        );
        add(table, wrong, whole[..found].to_vec(), message);
    }
    let mut longer = whole.clone();
    longer.extend(b"PK\x03\x04");
    let message = format!(
        "the file has {} bytes, 4 more than its header says",
        needed + 4
    );
    add(table, "bytes after the end", longer, message);
    edited(
        table,
        "bytes that belong to no tensor",
        |f| f.after_data = vec![0; 64],
        format!(
            "the last tensor ends at byte {needed}, but the header says that the file has {}",
            needed + 64
        ),
    );
    edited(
        table,
        "bytes after the descriptors",
        |f| f.after_descriptors = vec![0; 3],
        "3 bytes follow the last of the 11 descriptors, expected none",
    );
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
