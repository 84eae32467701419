//! Top-p, or nucleus sampling: keep the few ids that hold most of the probability.
//!
//! Holtzman et al. 2019, <https://arxiv.org/abs/1904.09751>, section 3.1.

use crate::{Candidate, Candidates};

/// Keeps the smallest set of most probable candidates whose probabilities sum
/// to at least `p`, sorted from the most probable. 1 keeps all.
///
/// Unlike top-k the set adapts: one id where the model is sure, many where it
/// is not. Probabilities are those among the remaining candidates, so after a
/// top-k they are shares of what the top-k kept. At least one id remains.
pub fn keep_top_p(candidates: &mut Candidates, p: f32) {
    if p >= 1.0 {
        return;
    }
    candidates.entries_mut().sort_unstable_by(Candidate::rank);
    let total: f64 = candidates.weights().sum();
    let wanted = f64::from(p) * total;

    let mut sum = 0.0;
    let mut n_kept = 0;
    for weight in candidates.weights() {
        sum += weight;
        n_kept += 1;
        if sum >= wanted {
            break;
        }
    }
    candidates.entries_mut().truncate(n_kept);
}
