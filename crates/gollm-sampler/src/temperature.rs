//! Temperature: how daring the draw is.
//!
//! Ackley, Hinton & Sejnowski 1985, "A Learning Algorithm for Boltzmann
//! Machines", section 2; the book's section 5.3.1.

use crate::Candidates;

/// Divides the logits by `temperature`; at 0 keeps only the best candidate.
///
/// `logit' = (logit - largest logit) / temperature`
///
/// Below 1 the differences grow and the distribution sharpens; above 1 they
/// shrink and it flattens; dividing by 0 is the limit in which the best id takes
/// all. Shifting by the largest first changes no probability and means that a
/// tiny temperature can only overflow downwards, to a probability of 0.
pub fn apply_temperature(candidates: &mut Candidates, temperature: f32) {
    let Some(best) = candidates.best() else {
        return;
    };
    let entries = candidates.entries_mut();
    if temperature == 0.0 {
        entries.clear();
        entries.push(best);
        return;
    }
    for candidate in entries {
        candidate.logit = (candidate.logit - best.logit) / temperature;
    }
}
