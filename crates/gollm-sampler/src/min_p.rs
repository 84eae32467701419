//! Min-p: drop ids that are much less probable than the best one.
//!
//! Nguyen et al. 2024, <https://arxiv.org/abs/2407.01082>, section 3.

use crate::Candidates;

/// Keeps candidates with `p_i >= min_p * p_best`; 0 keeps all. Their order
/// stays, and the best always remains.
///
/// The ratio of two probabilities is `exp(logit_i - logit_best)`: no softmax is
/// needed, and an earlier cut does not change the outcome.
pub fn keep_min_p(candidates: &mut Candidates, min_p: f32) {
    let Some(best) = candidates.best() else {
        return;
    };
    if min_p <= 0.0 {
        return;
    }
    let best = f64::from(best.logit);
    candidates.entries_mut().retain(|candidate| {
        let ratio = (f64::from(candidate.logit) - best).exp();
        ratio >= f64::from(min_p)
    });
}
