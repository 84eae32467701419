//! What the pieces of a long text became, so that a word that comes again is not encoded again.

use std::hash::{BuildHasher, RandomState};

use crate::fast::short_key::{self, hash_key, short_key};

/// Half the words of a text are a few hundred different ones. 4,096 entries of 32 bytes stay in
/// the second-level cache of any processor, where the table of a vocabulary does not.
const N_ENTRIES: usize = 4096;

/// Texts below this length are not worth the making of a table.
const WORTHWHILE: usize = 1 << 15;

/// The most ids that an entry holds.
const MAX_IDS: usize = 3;

#[derive(Clone, Copy, Default)]
struct Entry {
    /// The piece; 0 in an entry that was never filled.
    key: u128,
    n_ids: u32,
    ids: [u32; MAX_IDS],
}

/// Each piece has one place; whichever piece came last is there.
pub(crate) struct PieceCache {
    entries: Vec<Entry>,
    seed: u64,
}

impl PieceCache {
    /// A cache for a text of `n_bytes`, of no size if the text is short.
    pub(crate) fn for_text(n_bytes: usize) -> Self {
        let n_entries = if n_bytes < WORTHWHILE { 0 } else { N_ENTRIES };
        PieceCache {
            entries: vec![Entry::default(); n_entries],
            seed: RandomState::new().hash_one(0),
        }
    }

    /// Appends the ids of the piece that is the first `length` of `bytes` to `ids`: from the
    /// cache if they are there, otherwise from `encode`.
    #[inline]
    pub(crate) fn extend(
        &mut self,
        ids: &mut Vec<u32>,
        bytes: &[u8],
        length: usize,
        encode: impl FnOnce(&mut Vec<u32>),
    ) {
        if length > short_key::MAX_LENGTH {
            return encode(ids);
        }
        let key = short_key(bytes, length);
        let place = hash_key(key, self.seed) as usize % N_ENTRIES;
        let Some(entry) = self.entries.get_mut(place) else {
            return encode(ids);
        };
        if entry.key == key {
            ids.push(entry.ids[0]);
            ids.extend_from_slice(&entry.ids[1..entry.n_ids as usize]);
            return;
        }
        let before = ids.len();
        encode(ids);
        let found = &ids[before..];
        if let Some(slots) = entry.ids.get_mut(..found.len()) {
            slots.copy_from_slice(found);
            entry.n_ids = found.len() as u32;
            entry.key = key;
        }
    }
}
