//! Top-k: keep the k most probable ids.
//!
//! Fan et al. 2018, <https://arxiv.org/abs/1805.04833>, section 5.1; the book's
//! section 5.3.2.

use crate::{Candidate, Candidates};

/// Keeps the `k` candidates with the largest logits, sorted from the most
/// probable. 0 keeps all, and leaves their order alone.
///
/// Exactly `k` remain (or all, if there are fewer): of equal logits at the edge
/// the lower ids stay.
pub fn keep_top_k(candidates: &mut Candidates, k: usize) {
    if k == 0 {
        return;
    }
    let entries = candidates.entries_mut();
    if k < entries.len() {
        // Partition first: sorting a whole vocabulary costs ten times more than
        // finding its best forty.
        entries.select_nth_unstable_by(k - 1, Candidate::rank);
        entries.truncate(k);
    }
    entries.sort_unstable_by(Candidate::rank);
}
