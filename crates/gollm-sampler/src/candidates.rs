//! The list that the steps work on: ids that may still be chosen.

use std::cmp::Ordering;

use crate::{Error, Result};

/// One id that may be chosen, and its logit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The token id.
    pub id: u32,
    /// Its score before softmax. Only differences between logits matter.
    pub logit: f32,
}

impl Candidate {
    /// Most probable first; equal logits by the lower id, so that nothing is
    /// left to chance or to the sorting algorithm.
    pub(crate) fn rank(&self, other: &Self) -> Ordering {
        // Logits are never NaN here, and `total_cmp` would part -0 from 0.
        let by_logit = other.logit.partial_cmp(&self.logit);
        by_logit
            .unwrap_or(Ordering::Equal)
            .then(self.id.cmp(&other.id))
    }
}

/// Ids with their probabilities, most probable first.
pub type Table = Vec<(u32, f32)>;

/// The ids that may still be chosen. Never empty once filled.
///
/// One `Candidates` is reused for every token: after the first, filling it
/// allocates nothing.
#[derive(Debug, Clone, Default)]
pub struct Candidates {
    entries: Vec<Candidate>,
}

impl Candidates {
    /// Starts from a model's logits: every id is a candidate.
    ///
    /// # Shapes
    ///
    /// - `logits`: `[vocab_size]`, position = token id
    ///
    /// # Errors
    ///
    /// As [`fill`](Self::fill).
    pub fn new(logits: &[f32]) -> Result<Self> {
        let mut candidates = Self::default();
        candidates.fill(logits)?;
        Ok(candidates)
    }

    /// Starts again from other logits, keeping the memory.
    ///
    /// Minus infinity is refused like NaN and infinity: no working model
    /// produces it, and a rule that forbids ids belongs in a step that removes
    /// them from the list, where it can be seen.
    ///
    /// # Errors
    ///
    /// [`Error::NoLogits`] for an empty list, [`Error::NonFiniteLogit`] with the
    /// position of the first NaN or infinity.
    pub fn fill(&mut self, logits: &[f32]) -> Result<()> {
        self.entries.clear();
        if logits.is_empty() {
            return Err(Error::NoLogits);
        }
        if let Some(index) = logits.iter().position(|logit| !logit.is_finite()) {
            return Err(Error::NonFiniteLogit {
                index,
                n_logits: logits.len(),
                value: logits[index],
            });
        }
        let entries = (0u32..).zip(logits);
        self.entries
            .extend(entries.map(|(id, &logit)| Candidate { id, logit }));
        Ok(())
    }

    /// The remaining candidates: in id order until a step sorts them.
    pub fn entries(&self) -> &[Candidate] {
        &self.entries
    }

    /// The entries, for a step to change, sort or shorten.
    pub(crate) fn entries_mut(&mut self) -> &mut Vec<Candidate> {
        &mut self.entries
    }

    /// The most probable candidate; the lowest id among equals. `None` only
    /// before the first fill.
    pub fn best(&self) -> Option<Candidate> {
        self.entries.iter().copied().min_by(Candidate::rank)
    }

    /// Each candidate's weight before normalising: `exp(logit - largest logit)`,
    /// so 1 for the best and at most 1 for the others.
    ///
    /// Subtracting the largest logit keeps `exp` from overflowing and changes no
    /// probability. f64 because a vocabulary of 128,000 small numbers is summed.
    pub(crate) fn weights(&self) -> impl Iterator<Item = f64> {
        let largest = self.best().map_or(0.0, |best| f64::from(best.logit));
        self.entries
            .iter()
            .map(move |candidate| (f64::from(candidate.logit) - largest).exp())
    }

    /// The table of probabilities, most probable first: softmax over the
    /// remaining candidates.
    ///
    /// `p_i = exp(logit_i) / sum over the candidates of exp(logit_j)`
    pub fn probabilities(&self) -> Table {
        let mut sorted = self.clone();
        sorted.entries.sort_unstable_by(Candidate::rank);
        let total: f64 = sorted.weights().sum();
        let weights = sorted.weights();
        let table = sorted.entries.iter().zip(weights);
        table
            .map(|(candidate, weight)| (candidate.id, (weight / total) as f32))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logits_that_are_not_finite_are_refused_with_position_and_value() {
        assert_eq!(Candidates::new(&[]).unwrap_err(), Error::NoLogits);
        for (bad, shown) in [
            (f32::NAN, "NaN"),
            (f32::INFINITY, "inf"),
            (f32::NEG_INFINITY, "-inf"),
        ] {
            let message = Candidates::new(&[0.0, 1.0, bad, bad])
                .unwrap_err()
                .to_string();
            assert!(
                message.starts_with(&format!("logit 2 of 4 is {shown}, ")),
                "{message}"
            );
        }
    }

    #[test]
    fn refilling_forgets_the_former_logits() {
        let mut candidates = Candidates::new(&[1.0, 2.0, 3.0]).unwrap();
        candidates.fill(&[5.0]).unwrap();
        assert_eq!(candidates.entries(), [Candidate { id: 0, logit: 5.0 }]);
    }

    #[test]
    fn equal_logits_are_ranked_by_the_lower_id() {
        let candidates = Candidates::new(&[1.0, 3.0, 3.0]).unwrap();
        assert_eq!(candidates.best().unwrap().id, 1);
        // Negative and positive zero are the same logit.
        let zeros = Candidates::new(&[-0.0, 0.0]).unwrap();
        assert_eq!(zeros.best().unwrap().id, 0);
    }

    #[test]
    fn softmax_survives_the_largest_finite_logits() {
        let table = Candidates::new(&[f32::MAX, f32::MIN, f32::MAX])
            .unwrap()
            .probabilities();
        assert_eq!(table, [(0, 0.5), (2, 0.5), (1, 0.0)]);
    }
}
