//! Files that no reader may accept, each with the message it must give.

mod damage;
mod descriptors;
mod head;
mod metadata;
mod other_kinds;

use super::raw_file::{RawFile, RawTensor};
use super::tiny_file;

/// What is wrong, the file, and the whole message.
pub(crate) struct BadFile {
    pub(crate) wrong: &'static str,
    pub(crate) bytes: Vec<u8>,
    pub(crate) message: String,
}

/// The table: files of another kind, broken headers, descriptors, metadata, and misfits.
pub(crate) fn bad_files() -> Vec<BadFile> {
    let mut table = Vec::new();
    other_kinds::other_kinds(&mut table);
    head::headers(&mut table);
    head::lengths(&mut table);
    descriptors::descriptors(&mut table);
    descriptors::places(&mut table);
    metadata::metadata(&mut table);
    metadata::misfits(&mut table);
    damage::damage(&mut table);
    table
}

fn add(table: &mut Vec<BadFile>, wrong: &'static str, bytes: Vec<u8>, message: impl Into<String>) {
    table.push(BadFile {
        wrong,
        bytes,
        message: message.into(),
    });
}

/// Adds the tiny file after `edit`.
fn edited(
    table: &mut Vec<BadFile>,
    wrong: &'static str,
    edit: impl FnOnce(&mut RawFile),
    message: impl Into<String>,
) {
    let mut file = tiny_file();
    edit(&mut file);
    add(table, wrong, file.build(), message);
}

/// Adds the tiny file after `edit` of its second tensor, `blocks.0.attn_norm.weight`, or its third,
/// `blocks.0.attn.q_proj.weight`.
fn tensor(
    table: &mut Vec<BadFile>,
    wrong: &'static str,
    index: usize,
    edit: impl FnOnce(&mut RawTensor),
    message: &str,
) {
    let name = ["tok_emb", "blocks.0.attn_norm", "blocks.0.attn.q_proj"][index];
    let message = format!("tensor {} of 11 (`{name}.weight`): {message}", index + 1);
    edited(table, wrong, |file| edit(&mut file.tensors[index]), message);
}
