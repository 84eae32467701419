//! A short byte string as one number, which is compared and hashed without a loop.

use crate::fast::byte_hash::fold_product;

/// The longest byte string that has a key.
pub(crate) const MAX_LENGTH: usize = 15;

const LENGTH_SHIFT: u32 = 120;

/// The first `length` of `bytes`, at most [`MAX_LENGTH`], in the lower bits, and the length in
/// the upper eight: different strings have different keys, and no key of a string is 0.
///
/// Sixteen bytes are read at once where there are so many, and those that do not belong to the
/// string are cut off: quicker than to ask of each string how long it is.
#[inline]
pub(crate) fn short_key(bytes: &[u8], length: usize) -> u128 {
    let window = match bytes.first_chunk::<16>() {
        Some(window) => *window,
        None => {
            let mut window = [0; 16];
            window[..bytes.len()].copy_from_slice(bytes);
            window
        }
    };
    let beyond = u128::MAX << (8 * length as u32);
    (u128::from_le_bytes(window) & !beyond) | (length as u128) << LENGTH_SHIFT
}

/// A number that depends on every bit of `key` and of `seed`.
#[inline]
pub(crate) fn hash_key(key: u128, seed: u64) -> u64 {
    let (low, high) = (key as u64, (key >> 64) as u64);
    fold_product(low ^ seed, high ^ seed.rotate_left(32))
}
