//! Which neighbours are joined first: scores as merges, and merges as scores.

use crate::fast::byte_hash::ByteHashMap;
use crate::pair_merges::PairMerges;

/// What a file says about the order of merging.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Order {
    /// A score for each id: of all neighbours that are together a token, those whose token has the
    /// highest are joined first, the leftmost of equals.
    Scores(Vec<f32>),
    /// Pairs of ids, the one that is joined first at the front.
    Merges(Vec<(u32, u32)>),
}

/// Every way to cut a token into two tokens, the highest score first.
///
/// Tokens of the same score share a rank, so that of these the leftmost is joined first, as where
/// scores are looked at directly.
pub(crate) fn merges_of_scores(
    tokens: &[String],
    ids: &ByteHashMap<Vec<u8>, u32>,
    scores: &[f32],
) -> PairMerges {
    let mut pairs: Vec<(f32, u32, u32, u32)> = Vec::new();
    for (joined, (token, score)) in (0u32..).zip(tokens.iter().zip(scores)) {
        // A byte token's text is no text that is merged.
        if ids.get(token.as_bytes()) != Some(&joined) {
            continue;
        }
        let cuts = token.char_indices().skip(1).filter_map(|(at, _)| {
            let (left, right) = token.as_bytes().split_at(at);
            Some((*score, joined, *ids.get(left)?, *ids.get(right)?))
        });
        pairs.extend(cuts);
    }
    // Scores are finite, so the order is total. The ids make it the same for every run.
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let mut merges = PairMerges::default();
    let mut rank = 0;
    for (index, (score, joined, left, right)) in pairs.iter().enumerate() {
        if index
            .checked_sub(1)
            .is_some_and(|before| pairs[before].0 != *score)
        {
            rank += 1;
        }
        merges.push_with_rank(rank, *left, *right, *joined);
    }
    merges
}

/// Scores that join in the order of `pairs`: a token's is minus the place of the first pair that makes
/// it. Tokens that no pair makes come after all others, in the order of their ids.
pub(crate) fn scores_of_merges(n_tokens: usize, pairs: &[(u32, u32, u32)]) -> Vec<f32> {
    let mut scores: Vec<f32> = (0..n_tokens)
        .map(|id| -((pairs.len() + id) as f32))
        .collect();
    for (place, (.., joined)) in pairs.iter().enumerate().rev() {
        if let Some(score) = scores.get_mut(*joined as usize) {
            *score = -(place as f32);
        }
    }
    scores
}
