//! Byte-pair encoding of a short piece: the definition, on an array that needs no allocation.

use crate::vocabulary::Vocabulary;

/// The longest piece that is joined here. Below it, looking at all parts is quicker than keeping
/// a queue of them; above it the square of the length begins to tell.
pub(crate) const MAX_LENGTH: usize = 32;

/// Marks a part that cannot be joined with the one after it.
const NOT_JOINABLE: u32 = u32::MAX;

/// A stretch of the piece that is one token; it ends where the next part starts.
#[derive(Clone, Copy, Default)]
struct Part {
    start: usize,
    /// The token that this part is.
    id: u32,
    /// The token that this part and the next would be together.
    joined: u32,
}

/// Appends the tokens of `piece`, which has at most [`MAX_LENGTH`] bytes, to `ids`.
///
/// Joins the pair with the lowest rank, the leftmost of equals, until none is left: what
/// [`crate::bpe::encode`] does.
pub(crate) fn merge_short_piece(vocabulary: &Vocabulary, piece: &[u8], ids: &mut Vec<u32>) {
    // What follows the piece does not matter; see `Vocabulary::id_of_first`.
    let mut bytes = [0; MAX_LENGTH + 16];
    bytes[..piece.len()].copy_from_slice(piece);
    let together = |start: usize, end: usize| {
        let id = vocabulary.id_of_first(&bytes[start..], end - start);
        id.unwrap_or(NOT_JOINABLE)
    };
    // One part more than there are bytes: the last one only says where the piece ends.
    let mut parts = [Part::default(); MAX_LENGTH + 1];
    for (start, &byte) in piece.iter().enumerate() {
        parts[start] = Part {
            start,
            id: vocabulary.byte_id(byte),
            joined: match start + 2 {
                end if end <= piece.len() => together(start, end),
                _ => NOT_JOINABLE,
            },
        };
    }
    let mut n_parts = piece.len();
    parts[n_parts].start = piece.len();
    while let Some((at, id)) = lowest(&parts[..n_parts]) {
        parts[at].id = id;
        parts.copy_within(at + 2..=n_parts, at + 1);
        n_parts -= 1;
        for left in at.saturating_sub(1)..=at {
            parts[left].joined = match left + 2 {
                end if end <= n_parts => together(parts[left].start, parts[end].start),
                _ => NOT_JOINABLE,
            };
        }
    }
    ids.extend(parts[..n_parts].iter().map(|part| part.id));
}

/// The part to join with the next one, and the token that they become.
fn lowest(parts: &[Part]) -> Option<(usize, u32)> {
    let (at, part) = parts
        .iter()
        .enumerate()
        .min_by_key(|(_, part)| part.joined)?;
    (part.joined != NOT_JOINABLE).then_some((at, part.joined))
}
