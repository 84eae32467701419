//! Descriptors that break a rule, and data in the wrong place.

use super::{BadFile, edited, tensor};
use crate::support::tiny_file;

pub(super) fn descriptors(table: &mut Vec<BadFile>) {
    let first = "tensor 1 of 11: ";
    edited(
        table,
        "an empty name",
        |f| f.tensors[0].name_bytes = Some(0),
        format!("{first}its name has 0 bytes, expected 1 to 255"),
    );
    edited(
        table,
        "a long name",
        |f| f.tensors[0].name = vec![b'x'; 256],
        format!("{first}its name has 256 bytes, expected 1 to 255"),
    );
    edited(
        table,
        "a name that is not UTF-8",
        |f| f.tensors[0].name = b"tok\xFF".to_vec(),
        format!("{first}its name is not UTF-8"),
    );
    edited(
        table,
        "a name that writes to the terminal",
        |f| f.tensors[0].name = b"\x1B[2Jx".to_vec(),
        "tensor 1 of 11 (`\\u{1b}[2Jx`): its name contains a control character",
    );
    edited(
        table,
        "descriptors that end too early",
        |f| f.tensors[10].name_bytes = Some(80),
        "tensor 11 of 11: the descriptors end in the middle of it",
    );
    let unknown = "storage type code 77 is unknown; known are 0 (f32), 1 (f16), 2 (q4_0), \
                   8 (q8_0), 30 (bf16): the file may need a newer gollm";
    tensor(
        table,
        "an unknown storage type",
        0,
        |t| t.code = 77,
        unknown,
    );
    let message = "it has 0 dimensions, expected 1 to 4";
    tensor(table, "no dimensions", 0, |t| t.rank = Some(0), message);
    let message = "it has 255 dimensions, expected 1 to 4";
    tensor(
        table,
        "too many dimensions",
        0,
        |t| t.rank = Some(255),
        message,
    );
    tensor(
        table,
        "a zero dimension",
        0,
        |t| t.shape = vec![4, 0],
        "dimension 1 is zero",
    );
    for dim in [1 << 62, (1 << 63) - 1, u64::MAX / 4] {
        let message =
            format!("a tensor of shape [{dim}, 8] has more elements than this machine can address");
        tensor(
            table,
            "a product that overflows",
            0,
            |t| t.shape = vec![dim, 8],
            &message,
        );
    }
    let message = "shape [4398046511105, 2] in f16 takes 17592186044420 bytes, but its data has 16";
    tensor(
        table,
        "a huge shape",
        0,
        |t| t.shape = vec![(1 << 42) + 1, 2],
        message,
    );
    let message = "shape [4, 2] in f16 takes 16 bytes, but its data has 15";
    tensor(table, "too few bytes", 0, |t| t.n_bytes = Some(15), message);
    let message = "a row of 2 values cannot be stored as q8_0: it is not a multiple of 32";
    tensor(table, "half a block", 0, |t| t.code = 8, message);
    let message = "it is a vector stored as f16; vectors (the norms' scales) are stored as f32";
    tensor(table, "a norm in f16", 1, |t| t.code = 1, message);
    edited(
        table,
        "a name given twice",
        |f| f.tensors[3].name = f.tensors[4].name.clone(),
        "tensor 5 of 11 (`blocks.0.attn.v_proj.weight`): an earlier tensor has the same name",
    );
}

pub(super) fn places(table: &mut Vec<BadFile>) {
    let (offsets, end) = tiny_file().offsets();
    let (start, head) = (offsets[0] as u64, tiny_file().head_bytes());
    let message = format!(
        "its data starts at byte {}, which is not a multiple of 64",
        start + 4
    );
    tensor(
        table,
        "a misaligned tensor",
        0,
        |t| t.offset = Some(start + 4),
        &message,
    );
    let overlap = |offset: u64, previous_end: usize| {
        format!(
            "its data starts at byte {offset}, but what comes before it ends at {previous_end}: \
             tensors overlap or are out of order"
        )
    };
    let message = overlap(0, head);
    tensor(
        table,
        "a tensor over the header",
        0,
        |t| t.offset = Some(0),
        &message,
    );
    let message = overlap(start, offsets[0] + 16);
    tensor(
        table,
        "two tensors in one place",
        1,
        |t| t.offset = Some(start),
        &message,
    );
    let message = format!(
        "its data starts at byte {}, expected {}: bytes between tensors belong to nothing",
        offsets[2], offsets[1]
    );
    let third = offsets[2] as u64;
    tensor(
        table,
        "room between tensors",
        1,
        |t| t.offset = Some(third),
        &message,
    );
    for offset in [end as u64 + 64, 1 << 62, u64::MAX - 63] {
        let message = format!(
            "its data (16 bytes from byte {offset}) reaches past the end of the file at {end}"
        );
        tensor(
            table,
            "a tensor past the end",
            0,
            |t| t.offset = Some(offset),
            &message,
        );
    }
}
