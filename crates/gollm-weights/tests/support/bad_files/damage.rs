//! Files that open, and that only `verify` (or opening with `verify: true`) refuses.

use super::{BadFile, add};
use crate::support::tiny_file;

pub(super) fn damage(table: &mut Vec<BadFile>) {
    let (offsets, _) = tiny_file().offsets();
    let mut padding = tiny_file().build();
    padding[offsets[1] - 1] = 7;
    let message = format!(
        "byte {} is padding and should be 0, found 7: the file is damaged",
        offsets[1] - 1
    );
    add(table, "padding that is not zero", padding, message);

    let mut data = tiny_file().build();
    let intact = blake3::hash(&data[offsets[0]..offsets[0] + 16]).to_hex();
    data[offsets[0] + 3] ^= 1;
    let damaged = blake3::hash(&data[offsets[0]..offsets[0] + 16]).to_hex();
    let message = format!(
        "tensor `tok_emb.weight` is damaged (16 bytes from byte {}): its checksum is {damaged}, \
         expected {intact}; copy or download the file again",
        offsets[0]
    );
    add(table, "one changed bit in a tensor", data, message);
}
