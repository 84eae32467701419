//! Byte-pair encoding by a list of merges, for vocabularies whose ids are not ranks.
//!
//! Our own vocabularies and tiktoken's need no such list: the order of the ids is the order of the
//! merges, and any two neighbours whose bytes are a token may be joined. Files that come from other
//! projects number their tokens as they like and say apart which pairs are joined, and in which order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::hash_map::Entry;

use crate::fast::byte_hash::ByteHashMap;

/// Marks a part that cannot be joined with the one after it.
const NEVER: u32 = u32::MAX;
/// Marks the place behind the last part.
const NO_PART: u32 = u32::MAX;

/// The most symbols that are merged in one go. A longer stretch, which only a text made for it has, is
/// encoded in parts of this length, so that memory stays below 200 MB whatever is encoded.
const MAX_STRETCH: usize = 1 << 22;

/// Which pairs of ids are joined, how early, and what they become.
#[derive(Debug, Clone, Default)]
pub(crate) struct PairMerges {
    /// From a pair to its rank and to the id it becomes.
    joins: ByteHashMap<(u32, u32), (u32, u32)>,
    /// Left, right, joined.
    pairs: Vec<(u32, u32, u32)>,
}

/// A token of the stretch, named by the symbol it starts at.
struct Part {
    id: u32,
    /// The rank of joining it with the next part.
    rank: u32,
    next: u32,
    /// Meaningless for the first.
    previous: u32,
}

/// Memory for merging, used again from piece to piece.
#[derive(Default)]
pub(crate) struct MergeRoom {
    parts: Vec<Part>,
    /// Ranks, and where the left one of the pair starts.
    queue: BinaryHeap<Reverse<(u32, u32)>>,
}

impl MergeRoom {
    /// Each symbol a part of its own.
    fn fill(&mut self, symbols: impl Iterator<Item = u32>) {
        self.parts.clear();
        self.queue.clear();
        let parts = (0u32..).zip(symbols).map(|(start, id)| Part {
            id,
            rank: NEVER,
            next: start + 1,
            previous: start.wrapping_sub(1),
        });
        self.parts.extend(parts);
        if let Some(last) = self.parts.last_mut() {
            last.next = NO_PART;
        }
    }
}

impl PairMerges {
    /// Appends a pair that is joined after all others; one that is there already keeps its rank.
    pub(crate) fn push(&mut self, left: u32, right: u32, joined: u32) {
        self.push_with_rank(self.pairs.len() as u32, left, right, joined);
    }

    /// Appends a pair with a rank that others may have as well: of those the leftmost is joined first.
    pub(crate) fn push_with_rank(&mut self, rank: u32, left: u32, right: u32, joined: u32) {
        if let Entry::Vacant(place) = self.joins.entry((left, right)) {
            place.insert((rank, joined));
            self.pairs.push((left, right, joined));
        }
    }

    /// Left, right and joined ids, the pair that is joined first at the front.
    pub(crate) fn pairs(&self) -> &[(u32, u32, u32)] {
        &self.pairs
    }

    /// Appends what `symbols` become to `ids`: joins the pair of lowest rank, the leftmost of equals,
    /// until none is left. O(n log n) for n symbols.
    ///
    /// Source: Sennrich, Haddow & Birch 2016, <https://arxiv.org/abs/1508.07909>, section 3.2.
    pub(crate) fn merge(
        &self,
        symbols: impl Iterator<Item = u32>,
        room: &mut MergeRoom,
        ids: &mut Vec<u32>,
    ) {
        let mut symbols = symbols.peekable();
        while symbols.peek().is_some() {
            room.fill(symbols.by_ref().take(MAX_STRETCH));
            self.merge_stretch(room, ids);
        }
    }

    fn merge_stretch(&self, room: &mut MergeRoom, ids: &mut Vec<u32>) {
        for start in 0..room.parts.len() as u32 {
            self.look(room, start);
        }
        while let Some(Reverse((rank, start))) = room.queue.pop() {
            // Out of date if one of the two parts has been joined with something else meanwhile.
            if room.parts[start as usize].rank == rank {
                self.join(room, start);
            }
        }
        let mut start = 0;
        while let Some(part) = room.parts.get(start as usize) {
            ids.push(part.id);
            start = part.next;
        }
    }

    /// Joins the part at `start` with the next one, and looks at the pairs on both sides.
    fn join(&self, room: &mut MergeRoom, start: u32) {
        let parts = &mut room.parts;
        let middle = parts[start as usize].next as usize;
        let end = parts[middle].next;
        let pair = (parts[start as usize].id, parts[middle].id);
        let Some((_, joined)) = self.joins.get(&pair) else {
            return;
        };
        parts[middle].rank = NEVER;
        parts[start as usize].id = *joined;
        parts[start as usize].next = end;
        if let Some(next) = parts.get_mut(end as usize) {
            next.previous = start;
        }
        let previous = parts[start as usize].previous;
        self.look(room, start);
        if start > 0 {
            self.look(room, previous);
        }
    }

    /// Notes what joining the part at `start` with the next one would be, and queues it.
    fn look(&self, room: &mut MergeRoom, start: u32) {
        let part = &room.parts[start as usize];
        let next = room.parts.get(part.next as usize).map(|next| next.id);
        let join = next.and_then(|next| self.joins.get(&(part.id, next)));
        let rank = join.map_or(NEVER, |(rank, _)| *rank);
        room.parts[start as usize].rank = rank;
        if rank != NEVER {
            room.queue.push(Reverse((rank, start)));
        }
    }
}
