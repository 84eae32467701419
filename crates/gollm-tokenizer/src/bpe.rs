//! Byte-pair encoding (BPE) as plainly as it goes: train, encode, decode.
//!
//! A vocabulary is a list of byte strings; the *id* of a token is its place in the list, its
//! *rank*. The 256 single bytes come first, so nothing is ever unknown.
//!
//! ```text
//! train:    repeat   (left, right) = the pair of neighbours that occurs most often
//!                    ranks.push(left + right)
//! encode:   repeat   join the two neighbours for which id(left + right) is smallest
//! decode:   ranks[ids[0]] + ranks[ids[1]] + …
//! ```
//!
//! This page is the definition, and too slow for books: every step looks at everything again.
//! [`crate::train`] and [`crate::Tokenizer`] give the same ids sooner, by the code in `fast/`, and
//! `tests/definition.rs` compares the two id for id. A text is cut into pieces before it comes
//! here ([`crate::pretokenize`]): no token crosses the border of a piece.
//!
//! Source: Sennrich, Haddow & Birch 2016, <https://arxiv.org/abs/1508.07909>, algorithm 1; on
//! bytes: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", section 2.2.

use std::collections::BTreeMap;

use crate::{Error, Result};

/// Learns `n_merges` tokens from pieces of text: count all pairs of neighbours, join the most
/// frequent, start again.
///
/// Of equally frequent pairs the one with the smaller left id is joined, then the one with the
/// smaller right id. A pair that occurs once is no pattern, so there may be fewer merges.
///
/// # Examples
///
/// ```
/// use gollm_tokenizer::bpe;
///
/// let ranks = bpe::train(["aaabdaaabac"], 3);
/// assert_eq!(ranks[256..], [b"aa".to_vec(), b"ab".to_vec(), b"aaab".to_vec()]);
/// ```
#[must_use]
pub fn train<'a>(pieces: impl IntoIterator<Item = &'a str>, n_merges: usize) -> Vec<Vec<u8>> {
    let mut ranks: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
    let pieces = pieces.into_iter();
    let mut pieces: Vec<Vec<usize>> = pieces
        .map(|p| p.bytes().map(usize::from).collect())
        .collect();
    for _ in 0..n_merges {
        let Some((left, right)) = most_frequent_pair(&pieces) else {
            break;
        };
        for piece in &mut pieces {
            join(piece, (left, right), ranks.len());
        }
        ranks.push([ranks[left].as_slice(), &ranks[right]].concat());
    }
    ranks
}

fn most_frequent_pair(pieces: &[Vec<usize>]) -> Option<(usize, usize)> {
    let mut counts: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for pair in pieces.iter().flat_map(|piece| piece.windows(2)) {
        *counts.entry((pair[0], pair[1])).or_default() += 1;
    }
    // `max_by_key` takes the last of equals, which in reverse order is the smallest pair.
    let (pair, count) = counts.into_iter().rev().max_by_key(|(_, count)| *count)?;
    (count >= 2).then_some(pair)
}

/// Replaces `pair` by `id` from left to right: `aaa` becomes `aa a`.
fn join(piece: &mut Vec<usize>, pair: (usize, usize), id: usize) {
    let mut at = 0;
    while at + 1 < piece.len() {
        if (piece[at], piece[at + 1]) == pair {
            piece[at] = id;
            piece.remove(at + 1);
        }
        at += 1;
    }
}

/// The ids of one piece of text: look at every pair of neighbours, join the one that makes the
/// token of lowest rank, the leftmost of equals, and start again until none is left.
///
/// No list of merges is needed: tokens are numbered in the order in which training made them, so
/// this repeats the training. A piece that is a token is that token, in any vocabulary.
///
/// # Examples
///
/// ```
/// use gollm_tokenizer::bpe;
///
/// let ranks = bpe::train(["aaabdaaabac"], 3);
/// assert_eq!(bpe::encode("aaabdaaabac", &ranks), [258, 100, 258, 97, 99]);
/// ```
#[must_use]
pub fn encode(piece: &str, ranks: &[Vec<u8>]) -> Vec<u32> {
    let rank = |bytes: &[u8]| {
        (0..)
            .zip(ranks)
            .find(|(_, token)| *token == bytes)
            .map(|(id, _)| id)
    };
    if let Some(id) = rank(piece.as_bytes()) {
        return vec![id];
    }
    let mut parts: Vec<Vec<u8>> = piece.bytes().map(|byte| vec![byte]).collect();
    loop {
        let together = |at: usize| [parts[at - 1].as_slice(), &parts[at]].concat();
        let pairs = (1..parts.len()).filter_map(|at| Some((rank(&together(at))?, at)));
        let Some((_, at)) = pairs.min() else { break };
        let right = parts.remove(at);
        parts[at - 1].extend(right);
    }
    parts.iter().filter_map(|part| rank(part)).collect()
}

/// The bytes that `ids` stand for, one token after another.
///
/// # Errors
///
/// [`Error::UnknownId`] for an id that is no token's.
///
/// # Examples
///
/// ```
/// use gollm_tokenizer::bpe;
///
/// let ranks = bpe::train(["aaabdaaabac"], 3);
/// assert_eq!(bpe::decode(&[258, 100], &ranks)?, b"aaabd");
/// # Ok::<(), gollm_tokenizer::Error>(())
/// ```
pub fn decode(ids: &[u32], ranks: &[Vec<u8>]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for &id in ids {
        let token = ranks.get(id as usize);
        let vocab_size = ranks.len();
        bytes.extend_from_slice(token.ok_or(Error::UnknownId { id, vocab_size })?);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pair_that_occurs_once_is_not_joined() {
        let ranks = train(["abcd", "ab"], 5);
        assert_eq!(ranks[256..], [b"ab".to_vec()]);
    }

    #[test]
    fn of_three_equal_letters_the_left_two_are_joined() {
        let ranks = train(["aa", "aa"], 1);
        assert_eq!(encode("aaa", &ranks), [256, 97]);
        assert_eq!(train(["aaa"], 2).len(), 257);
    }

    #[test]
    fn an_id_without_a_token_is_an_error() {
        let error = decode(&[97, 256], &train([], 0));
        assert!(matches!(
            error,
            Err(Error::UnknownId {
                id: 256,
                vocab_size: 256
            })
        ));
    }

    proptest! {
        #[test]
        fn decoding_gives_back_what_was_encoded(
            training in "[ab é]{0,40}", text in "[ab éß]{0,40}", n_merges in 0usize..20,
        ) {
            let ranks = train([training.as_str()], n_merges);
            let ids = encode(&text, &ranks);
            prop_assert!(ids.len() <= text.len());
            prop_assert_eq!(decode(&ids, &ranks).ok(), Some(text.into_bytes()));
        }
    }
}
