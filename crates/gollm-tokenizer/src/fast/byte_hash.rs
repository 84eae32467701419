//! A short, fast hash for short byte strings.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

/// The hash tables of this crate. Nothing may depend on the order of their entries.
pub(crate) type ByteHashMap<K, V> = HashMap<K, V, ByteHashSeed>;

/// 2^64 divided by the golden ratio: Knuth, "The Art of Computer Programming", volume 3,
/// section 6.4.
const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

/// A random start, new for each table, so that nobody can prepare a vocabulary file whose
/// tokens all fall into the same slot.
#[derive(Debug, Clone)]
pub(crate) struct ByteHashSeed(u64);

impl Default for ByteHashSeed {
    fn default() -> Self {
        ByteHashSeed(RandomState::new().build_hasher().finish())
    }
}

impl BuildHasher for ByteHashSeed {
    type Hasher = ByteHasher;

    fn build_hasher(&self) -> ByteHasher {
        ByteHasher(self.0)
    }
}

/// Takes eight bytes at a time.
///
/// Encoding asks the vocabulary about every pair of neighbours, so hashing is much of its work;
/// the standard library's hash is stronger, but slow for keys of a few bytes.
pub(crate) struct ByteHasher(u64);

impl ByteHasher {
    fn mix(&mut self, word: u64) {
        self.0 = fold_product(self.0 ^ word, MULTIPLIER);
    }
}

/// Multiplies, and folds the product's upper half onto its lower: every bit of both numbers has
/// a say in the low bits of the result.
pub(crate) fn fold_product(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ (product >> 64) as u64
}

impl Hasher for ByteHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.mix(u64::from_le_bytes(last));
    }

    fn write_u32(&mut self, number: u32) {
        self.mix(u64::from(number));
    }

    fn write_usize(&mut self, number: usize) {
        self.mix(number as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
