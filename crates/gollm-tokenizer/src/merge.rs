//! Byte-pair encoding of one piece: join the pair with the lowest rank until none is left.

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
    let mut parts: Vec<Part> = (0..piece.len())
        .map(|start| Part {
            end: start + 1,
            previous: start.wrapping_sub(1),
            id: vocabulary.byte_id(piece[start]),
            joined: match piece.get(start..start + 2) {
                Some(pair) => vocabulary.id(pair).unwrap_or(NOT_JOINABLE),
                None => NOT_JOINABLE,
            },
        })
        .collect();
    let mut queue: BinaryHeap<Reverse<Candidate>> = (0..piece.len())
        .filter(|&start| parts[start].joined != NOT_JOINABLE)
        .map(|start| Reverse(Candidate::new(parts[start].joined, start)))
        .collect();

    while let Some(Reverse(candidate)) = queue.pop() {
        let (id, start) = (candidate.id(), candidate.start());
        // The candidate is out of date if either part has been joined with something else.
        if parts[start].joined != id {
            continue;
        }
        let middle = parts[start].end;
        let end = parts[middle].end;
        parts[middle].joined = NOT_JOINABLE;
        parts[start].id = id;
        parts[start].end = end;
        if end < piece.len() {
            parts[end].previous = start;
        }
        find_candidate(vocabulary, piece, &mut parts, start, &mut queue);
        if start > 0 {
            let previous = parts[start].previous;
            find_candidate(vocabulary, piece, &mut parts, previous, &mut queue);
        }
    }

    let mut start = 0;
    while start < piece.len() {
        ids.push(parts[start].id);
        start = parts[start].end;
    }
}

/// Works out what the part at `start` and the next one are together, and queues it.
fn find_candidate(
    vocabulary: &Vocabulary,
    piece: &[u8],
    parts: &mut [Part],
    start: usize,
    queue: &mut BinaryHeap<Reverse<Candidate>>,
) {
    let next = parts[start].end;
    let joined = match parts.get(next) {
        Some(part) => vocabulary
            .id(&piece[start..part.end])
            .unwrap_or(NOT_JOINABLE),
        None => NOT_JOINABLE,
    };
    parts[start].joined = joined;
    if joined != NOT_JOINABLE {
        queue.push(Reverse(Candidate::new(joined, start)));
    }
}
