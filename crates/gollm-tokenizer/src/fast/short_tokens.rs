//! From a short byte string to its id, with the bytes in the table itself.

use std::hash::{BuildHasher, RandomState};

use crate::fast::short_key::{hash_key, short_key};

/// The longest byte string that fits into a slot. Of cl100k's 100,256 tokens 97 % do, and of
/// the words in a text nearly all.
pub(crate) const MAX_LENGTH: usize = 12;

/// Keys of such strings have 24 bits to spare between the bytes and the length, where the id
/// goes: ids are below [`crate::MAX_VOCAB_SIZE`] = 2^24.
const ID_SHIFT: u32 = 96;
const ID_MASK: u128 = 0xFF_FFFF << ID_SHIFT;

/// A hash table with open addressing: a key that finds its slot taken goes into the next free
/// one, so looking for it ends at an empty slot.
///
/// What is slow about a large table is not the hash but waiting for memory, once for the slot
/// and once more for bytes that are stored elsewhere. Here they are the slot, and four slots
/// fill a cache line.
#[derive(Debug, Clone)]
pub(crate) struct ShortTokens {
    /// Bytes, length and id; 0 is an empty slot, since no token has the length 0.
    slots: Vec<u128>,
    /// Random, for the reason that [`crate::fast::byte_hash::ByteHashSeed`] gives.
    seed: u64,
}

impl ShortTokens {
    /// A table for at most `n_tokens` tokens, of which at least half the slots stay empty.
    pub(crate) fn with_capacity(n_tokens: usize) -> Self {
        let n_slots = (2 * n_tokens).next_power_of_two().max(2);
        ShortTokens {
            slots: vec![0; n_slots],
            seed: RandomState::new().hash_one(0),
        }
    }

    /// The id of the first `length` of `bytes`, if they are in this table.
    #[inline]
    pub(crate) fn get(&self, bytes: &[u8], length: usize) -> Option<u32> {
        let slot = self.slots[self.find(short_key(bytes, length))];
        (slot != 0).then_some(((slot & ID_MASK) >> ID_SHIFT) as u32)
    }

    /// Adds a token of 1 to [`MAX_LENGTH`] bytes that is not there yet.
    pub(crate) fn insert(&mut self, token: &[u8], id: u32) {
        let key = short_key(token, token.len());
        let at = self.find(key);
        self.slots[at] = key | u128::from(id) << ID_SHIFT;
    }

    /// Where the key is, or where it would go.
    #[inline]
    fn find(&self, key: u128) -> usize {
        let mut at = hash_key(key, self.seed) as usize & (self.slots.len() - 1);
        while self.slots[at] & !ID_MASK != key && self.slots[at] != 0 {
            at = (at + 1) & (self.slots.len() - 1);
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn token() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop::sample::select(vec![0u8, 1, b'a', 0xFF]);
        prop::collection::vec(byte, 1..=MAX_LENGTH)
    }

    proptest! {
        #[test]
        fn it_finds_what_a_hash_map_finds_whatever_follows_the_token(
            tokens in prop::collection::hash_set(token(), 0..200),
            asked in prop::collection::vec(token(), 0..50),
            follows in prop::collection::vec(any::<u8>(), 0..20),
        ) {
            // Large ids too: they share their number with the length.
            let ids = (0u32..).map(|n| n * 83_000);
            let expected: HashMap<Vec<u8>, u32> = tokens.into_iter().zip(ids).collect();
            let mut table = ShortTokens::with_capacity(expected.len());
            for (token, &id) in &expected {
                table.insert(token, id);
            }
            for token in expected.keys().chain(&asked) {
                let bytes = [token.as_slice(), &follows].concat();
                prop_assert_eq!(table.get(&bytes, token.len()), expected.get(token).copied());
            }
        }
    }
}
