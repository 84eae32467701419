//! Byte-pair encoding of one piece of any length: join the pair with the lowest rank until none is
//! left.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::vocabulary::Vocabulary;

/// Marks a part that cannot be joined with the one after it.
const NOT_JOINABLE: u32 = u32::MAX;

/// A pair to join: the id it would become, and where its left part starts. In one number, so
/// that the smallest number is the next to join and the queue stays small. Ids are below
/// [`crate::MAX_VOCAB_SIZE`] = 2^24, which leaves 40 bits, a terabyte, for the position.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate(u64);

const POSITION_BITS: u32 = 40;

impl Candidate {
    fn new(id: u32, start: usize) -> Self {
        Candidate(u64::from(id) << POSITION_BITS | start as u64)
    }

    fn id(self) -> u32 {
        (self.0 >> POSITION_BITS) as u32
    }

    fn start(self) -> usize {
        (self.0 & ((1 << POSITION_BITS) - 1)) as usize
    }
}

/// A stretch of the piece that is one token; parts are named by the byte they start at.
struct Part {
    /// Where this part ends and the next one starts.
    end: usize,
    /// Where the previous part starts (meaningless for the first).
    previous: usize,
    /// The token that this part is.
    id: u32,
    /// The token that this part and the next would be together.
    joined: u32,
}

/// Appends the tokens of `piece` to `ids`.
///
/// Of all neighbouring parts whose bytes together are a token, the pair with the lowest rank
/// is joined first, the leftmost of equals first. A rank is an id: tokens are numbered in the
/// order in which training made them, so this replays the training.
///
/// A queue holds the candidates, so that a piece of n bytes costs O(n log n): looking through
/// all pairs for each join would make one long run of letters quadratic.
///
/// Source: Sennrich, Haddow & Birch 2016, <https://arxiv.org/abs/1508.07909>, section 3.2.
pub(crate) fn merge_piece(vocabulary: &Vocabulary, piece: &[u8], ids: &mut Vec<u32>) {
    let mut merging = Merging::new(vocabulary, piece);
    while let Some(Reverse(candidate)) = merging.queue.pop() {
        // Out of date if one of the two parts has been joined with something else meanwhile.
        if merging.parts[candidate.start()].joined == candidate.id() {
            merging.join(candidate.start(), candidate.id());
        }
    }
    let mut start = 0;
    while let Some(part) = merging.parts.get(start) {
        ids.push(part.id);
        start = part.end;
    }
}

/// A piece on its way from bytes to tokens.
struct Merging<'a> {
    vocabulary: &'a Vocabulary,
    piece: &'a [u8],
    /// One entry a byte; only those at which a part starts still count.
    parts: Vec<Part>,
    queue: BinaryHeap<Reverse<Candidate>>,
}

impl<'a> Merging<'a> {
    /// Every byte a part of its own, every pair of bytes that is a token a candidate.
    fn new(vocabulary: &'a Vocabulary, piece: &'a [u8]) -> Self {
        let part = |(start, &byte): (usize, &u8)| Part {
            end: start + 1,
            previous: start.saturating_sub(1),
            id: vocabulary.byte_id(byte),
            joined: match piece.get(start..start + 2) {
                Some(pair) => vocabulary.id(pair).unwrap_or(NOT_JOINABLE),
                None => NOT_JOINABLE,
            },
        };
        let parts: Vec<Part> = piece.iter().enumerate().map(part).collect();
        // Collected at once, the heap is built in linear time.
        let candidates = parts
            .iter()
            .enumerate()
            .filter(|(_, part)| part.joined != NOT_JOINABLE);
        let queue = candidates
            .map(|(start, part)| Reverse(Candidate::new(part.joined, start)))
            .collect();
        Merging {
            vocabulary,
            piece,
            parts,
            queue,
        }
    }

    /// Joins the part at `start` with the next one, and looks at the pairs on both sides.
    fn join(&mut self, start: usize, id: u32) {
        let middle = self.parts[start].end;
        let end = self.parts[middle].end;
        self.parts[middle].joined = NOT_JOINABLE;
        self.parts[start].id = id;
        self.parts[start].end = end;
        if let Some(next) = self.parts.get_mut(end) {
            next.previous = start;
        }
        self.find_candidate(start);
        if start > 0 {
            self.find_candidate(self.parts[start].previous);
        }
    }

    /// Works out what the part at `start` and the next one are together, and queues it.
    fn find_candidate(&mut self, start: usize) {
        let end = self.parts.get(self.parts[start].end).map(|next| next.end);
        let joined = end.and_then(|end| {
            self.vocabulary
                .id_of_first(&self.piece[start..], end - start)
        });
        self.parts[start].joined = joined.unwrap_or(NOT_JOINABLE);
        if let Some(id) = joined {
            self.queue.push(Reverse(Candidate::new(id, start)));
        }
    }
}
