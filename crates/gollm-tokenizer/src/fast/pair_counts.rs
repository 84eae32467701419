//! The trainer's bookkeeping: every pair of neighbours, how often it occurs and where.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::fast::byte_hash::ByteHashMap;

/// Two ids next to each other.
pub(crate) type Pair = (u32, u32);

/// A pair that occurs once is no pattern: merging it would only learn the text by heart.
const MINIMUM_COUNT: u64 = 2;

/// The end of a piece, in either direction.
const NONE: usize = usize::MAX;

/// One token of one distinct piece, linked to its neighbours in the piece.
struct Symbol {
    id: u32,
    previous: usize,
    next: usize,
    /// How often the piece occurs in the training text; 0 once this symbol has been merged
    /// into the one before it.
    weight: u64,
}

/// How often a pair occurs, and the symbols at which it began when it was found there.
#[derive(Default)]
struct Occurrences {
    count: u64,
    positions: Vec<usize>,
}

/// All distinct pieces, one after another, with the counts of their pairs kept up to date.
///
/// Counting afresh for each merge would read the whole text 32,000 times. Instead a merge
/// visits only the places where its pair occurs, and changes only the counts of the pairs
/// around them.
pub(crate) struct PairCounts {
    symbols: Vec<Symbol>,
    pairs: ByteHashMap<Pair, Occurrences>,
    /// Pairs with a count that was right when it was queued. Counts of known pairs only fall,
    /// so the top entry is the answer if its count is still right, and is queued again if not.
    queue: BinaryHeap<(u64, Reverse<Pair>)>,
}

impl PairCounts {
    /// Counts the pairs of bytes in the pieces; each piece counts as often as it occurs.
    pub(crate) fn new(piece_counts: &HashMap<String, u64>) -> Self {
        let mut symbols: Vec<Symbol> = Vec::new();
        for (piece, &weight) in piece_counts {
            let start = symbols.len();
            let end = start + piece.len();
            for (position, byte) in (start..).zip(piece.bytes()) {
                symbols.push(Symbol {
                    id: u32::from(byte),
                    previous: if position == start {
                        NONE
                    } else {
                        position - 1
                    },
                    next: if position + 1 == end {
                        NONE
                    } else {
                        position + 1
                    },
                    weight,
                });
            }
        }
        let mut counts = PairCounts {
            symbols,
            pairs: ByteHashMap::default(),
            queue: BinaryHeap::new(),
        };
        for position in 0..counts.symbols.len() {
            counts.add_pair_at(position);
        }
        let queue = counts
            .pairs
            .iter()
            .map(|(&pair, found)| (found.count, Reverse(pair)));
        counts.queue = queue.collect();
        counts
    }

    /// The pair that occurs most often, the smallest of equals; `None` if none occurs twice.
    pub(crate) fn most_frequent(&mut self) -> Option<Pair> {
        while let Some((count, Reverse(pair))) = self.queue.pop() {
            let now = self.pairs.get(&pair).map_or(0, |found| found.count);
            if now == count && now >= MINIMUM_COUNT {
                return Some(pair);
            }
            if now >= MINIMUM_COUNT {
                self.queue.push((now, Reverse(pair)));
            }
        }
        None
    }

    /// Replaces `pair` by `new_id` wherever it occurs, from left to right in each piece.
    pub(crate) fn merge(&mut self, pair: Pair, new_id: u32) {
        let Some(found) = self.pairs.remove(&pair) else {
            return;
        };
        let mut made: Vec<Pair> = Vec::new();
        for left in found.positions {
            // The place may have changed since it was noted: in "aaa" the first merge takes
            // the left half of the second pair.
            if self.pair_at(left) != Some(pair) {
                continue;
            }
            let right = self.symbols[left].next;
            let previous = self.symbols[left].previous;
            let next = self.symbols[right].next;
            self.remove_pair_at(previous);
            self.remove_pair_at(right);

            self.symbols[left].id = new_id;
            self.symbols[left].next = next;
            self.symbols[right].weight = 0;
            if next != NONE {
                self.symbols[next].previous = left;
            }
            made.extend(self.add_pair_at(previous));
            made.extend(self.add_pair_at(left));
        }
        made.sort_unstable();
        made.dedup();
        for pair in made {
            if let Some(found) = self.pairs.get(&pair) {
                self.queue.push((found.count, Reverse(pair)));
            }
        }
    }

    /// The pair that begins at `position`, if a symbol is there and has a right neighbour.
    fn pair_at(&self, position: usize) -> Option<Pair> {
        let symbol = self.symbols.get(position)?;
        if symbol.weight == 0 {
            return None;
        }
        let next = self.symbols.get(symbol.next)?;
        Some((symbol.id, next.id))
    }

    fn add_pair_at(&mut self, position: usize) -> Option<Pair> {
        let pair = self.pair_at(position)?;
        let found = self.pairs.entry(pair).or_default();
        found.count += self.symbols[position].weight;
        found.positions.push(position);
        Some(pair)
    }

    fn remove_pair_at(&mut self, position: usize) {
        let Some(pair) = self.pair_at(position) else {
            return;
        };
        // The pair that is being merged is no longer in the table; its count no longer matters.
        if let Some(found) = self.pairs.get_mut(&pair) {
            found.count -= self.symbols[position].weight;
        }
    }
}
