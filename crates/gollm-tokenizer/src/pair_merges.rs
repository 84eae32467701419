//! Byte-pair encoding by a list of merges, for vocabularies whose ids are not ranks.
//!
//! Our own vocabularies and tiktoken's need no such list: the order of the ids is the order of the
//! merges, and any two neighbours whose bytes are a token may be joined. Files that come from Hugging
//! Face number their tokens as they like and say apart which pairs are joined, and in which order.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::vocabulary::Vocabulary;

/// Marks a part that cannot be joined with the one after it.
const NEVER: u32 = u32::MAX;

/// Which pairs of ids are joined, and what they become.
#[derive(Debug, Clone, Default)]
pub(crate) struct PairMerges {
    /// From a pair to its place in `pairs`, which is its rank.
    ranks: HashMap<(u32, u32), u32>,
    /// Left, right, joined.
    pairs: Vec<(u32, u32, u32)>,
}

/// A stretch of the piece that is one token; parts are named by the byte they start at.
struct Part {
    end: usize,
    /// Where the previous part starts (meaningless for the first).
    previous: usize,
    id: u32,
    /// The rank of joining it with the next part.
    rank: u32,
}

impl PairMerges {
    /// Appends a pair; one that is there already keeps its rank.
    pub(crate) fn push(&mut self, left: u32, right: u32, joined: u32) {
        let rank = self.pairs.len() as u32;
        if let std::collections::hash_map::Entry::Vacant(place) = self.ranks.entry((left, right)) {
            place.insert(rank);
            self.pairs.push((left, right, joined));
        }
    }

    /// Left, right and joined ids, the pair that is joined first at the front.
    pub(crate) fn pairs(&self) -> &[(u32, u32, u32)] {
        &self.pairs
    }

    /// Appends the tokens of `piece` to `ids`: joins the pair of lowest rank, the leftmost of equals,
    /// until none is left. O(n log n) for n bytes.
    ///
    /// Source: Sennrich, Haddow & Birch 2016, <https://arxiv.org/abs/1508.07909>, section 3.2.
    pub(crate) fn merge_piece(&self, vocabulary: &Vocabulary, piece: &[u8], ids: &mut Vec<u32>) {
        let mut parts: Vec<Part> = piece
            .iter()
            .enumerate()
            .map(|(start, byte)| Part {
                end: start + 1,
                previous: start.saturating_sub(1),
                id: vocabulary.byte_id(*byte),
                rank: NEVER,
            })
            .collect();
        let mut queue = BinaryHeap::new();
        for start in 0..parts.len() {
            self.look(&mut parts, start, &mut queue);
        }
        while let Some(Reverse((rank, start))) = queue.pop() {
            // Out of date if one of the two parts has been joined with something else meanwhile.
            if parts[start].rank == rank {
                self.join(&mut parts, start, &mut queue);
            }
        }
        let mut start = 0;
        while let Some(part) = parts.get(start) {
            ids.push(part.id);
            start = part.end;
        }
    }

    /// Joins the part at `start` with the next one, and looks at the pairs on both sides.
    fn join(&self, parts: &mut [Part], start: usize, queue: &mut Queue) {
        let middle = parts[start].end;
        let end = parts[middle].end;
        let (.., joined) = self.pairs[parts[start].rank as usize];
        parts[middle].rank = NEVER;
        parts[start].id = joined;
        parts[start].end = end;
        if let Some(next) = parts.get_mut(end) {
            next.previous = start;
        }
        self.look(parts, start, queue);
        if start > 0 {
            self.look(parts, parts[start].previous, queue);
        }
    }

    /// Notes what joining the part at `start` with the next one would be, and queues it.
    fn look(&self, parts: &mut [Part], start: usize, queue: &mut Queue) {
        let next = parts.get(parts[start].end).map(|next| next.id);
        let rank = next.and_then(|next| self.ranks.get(&(parts[start].id, next)).copied());
        parts[start].rank = rank.unwrap_or(NEVER);
        if let Some(rank) = rank {
            queue.push(Reverse((rank, start)));
        }
    }
}

type Queue = BinaryHeap<Reverse<(u32, usize)>>;
