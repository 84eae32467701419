//! Inputs out of inputs: changes that keep the rest of a file true.
//!
//! A change of plain bytes breaks a checksum or a length and the reader says so at once. Each mutator here
//! takes a file apart, changes one part and puts it together again with true lengths and checksums; a part of
//! the time it changes plain bytes all the same, so that lies are tried as well.

mod gguf_parts;
mod gollm_parts;
mod json_values;
#[expect(
    clippy::unwrap_used,
    reason = "written for tests; what it unwraps are constants"
)]
#[allow(dead_code, reason = "the tests that it was written for use more of it")]
#[path = "../../gollm-weights/tests/support/raw_file.rs"]
mod raw_file;
#[expect(
    clippy::unwrap_used,
    reason = "written for tests; what it unwraps are constants"
)]
#[allow(dead_code, reason = "the tests that it was written for use more of it")]
#[path = "../../gollm-weights/tests/support/raw_gguf.rs"]
mod raw_gguf;

pub use gguf_parts::mutate as gguf;
pub use gollm_parts::mutate as gollm_file;
pub use json_values::mutate as json;

use gollm_sampler::Random;

/// Changes the first bytes of a buffer and says how many there are then: buffer, how many, at most.
pub type Plain<'a> = &'a mut dyn FnMut(&mut [u8], usize, usize) -> usize;

/// Changes the first `size` bytes of a buffer, with `seed`; `max_size` bytes at most come out.
pub type Mutate =
    fn(data: &mut [u8], size: usize, max_size: usize, seed: u32, plain: Plain<'_>) -> usize;

/// Plain bytes, for texts.
pub fn text(data: &mut [u8], size: usize, max_size: usize, _seed: u32, plain: Plain<'_>) -> usize {
    plain(data, size, max_size)
}

/// Numbers near which arithmetic goes wrong.
const NUMBERS: [u64; 24] = [
    0,
    1,
    2,
    3,
    4,
    7,
    8,
    16,
    31,
    32,
    64,
    255,
    256,
    1 << 16,
    1 << 20,
    1 << 24,
    1 << 31,
    1 << 32,
    (1 << 42) + 1,
    1 << 62,
    (1 << 63) - 1,
    1 << 63,
    u64::MAX / 4,
    u64::MAX,
];

/// One in `n`, from 0; 0 for none.
fn below(random: &mut Random, n: usize) -> usize {
    random.next_u64().checked_rem(n as u64).unwrap_or(0) as usize
}

fn number(random: &mut Random) -> u64 {
    NUMBERS[below(random, NUMBERS.len())]
}

/// Changes a part as plain bytes; it may become longer by `room`.
fn change_bytes(bytes: &mut Vec<u8>, room: usize, plain: Plain<'_>) {
    let size = bytes.len();
    let max_size = size + room;
    if max_size == 0 {
        return;
    }
    bytes.resize(max_size, 0);
    let size = plain(bytes, size, max_size);
    bytes.truncate(size);
}

/// Puts what came out into the buffer; what is too long for it counts as no change.
fn put(data: &mut [u8], size: usize, max_size: usize, bytes: &[u8]) -> usize {
    match data.get_mut(..bytes.len()) {
        Some(place) if bytes.len() <= max_size => {
            place.copy_from_slice(bytes);
            bytes.len()
        }
        _ => size,
    }
}

/// Applies `f` to the input as it is, or leaves it to plain bytes: one in `one_in` times, and where `f`
/// cannot take the input apart.
fn with(
    (data, size, max_size): (&mut [u8], usize, usize),
    (random, one_in): (&mut Random, usize),
    plain: Plain<'_>,
    f: impl FnOnce(&[u8], &mut Random, Plain<'_>) -> Option<Vec<u8>>,
) -> usize {
    if below(random, one_in) > 0 {
        let made = f(&data[..size], random, &mut *plain);
        if let Some(made) = made.filter(|made| made.len() <= max_size) {
            return put(data, size, max_size, &made);
        }
    }
    plain(data, size, max_size)
}
