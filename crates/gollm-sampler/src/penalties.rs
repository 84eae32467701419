//! Penalties: make what was just said less likely to be said again.
//!
//! Repetition: Keskar et al. 2019, "CTRL", <https://arxiv.org/abs/1909.05858>,
//! section 4.1. Presence and frequency: OpenAI's API reference,
//! <https://platform.openai.com/docs/api-reference/chat/create>.

use crate::{Candidates, Error, Result, SamplerOptions};

/// The three penalties and how far back they look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Penalties {
    /// Factor on the logit of every repeated id; 1 is off.
    pub repetition: f32,
    /// Subtracted once from the logit of every repeated id; 0 is off.
    pub presence: f32,
    /// Subtracted per occurrence; 0 is off.
    pub frequency: f32,
    /// How many of the last ids count.
    pub last_n: usize,
}

impl Penalties {
    /// True when no logit could change.
    pub(crate) fn are_off(&self) -> bool {
        let neutral = self.repetition == 1.0 && self.presence == 0.0 && self.frequency == 0.0;
        neutral || self.last_n == 0
    }
}

impl From<&SamplerOptions> for Penalties {
    fn from(options: &SamplerOptions) -> Self {
        Self {
            repetition: options.repetition_penalty,
            presence: options.presence_penalty,
            frequency: options.frequency_penalty,
            last_n: options.repeat_last_n,
        }
    }
}

/// Lowers the logits of the ids among the last `last_n` of `previous`.
///
/// With `n` occurrences of an id in that window:
///
/// `logit' = (logit / repetition if logit > 0 else logit * repetition) - presence - n * frequency`
///
/// The two cases make a repetition penalty above 1 always lower the logit;
/// dividing a negative one would raise it. Must be the first step: it expects
/// every id to be a candidate still, in id order.
///
/// `window` is working memory, kept by the caller between tokens.
///
/// # Errors
///
/// [`Error::UnknownId`] when an id in the window has no logit.
pub fn apply_penalties(
    candidates: &mut Candidates,
    previous: &[u32],
    penalties: &Penalties,
    window: &mut Vec<u32>,
) -> Result<()> {
    if penalties.are_off() {
        return Ok(());
    }
    let entries = candidates.entries_mut();
    let first = previous.len().saturating_sub(penalties.last_n);
    for (position, &id) in previous.iter().enumerate().skip(first) {
        if id as usize >= entries.len() {
            let n_logits = entries.len();
            return Err(Error::UnknownId {
                id,
                position,
                n_logits,
            });
        }
    }

    // Sorting brings equal ids together, so that each run is one id's count.
    window.clear();
    window.extend_from_slice(&previous[first..]);
    window.sort_unstable();
    for run in window.chunk_by(|a, b| a == b) {
        let candidate = &mut entries[run[0] as usize];
        candidate.logit = penalize(candidate.logit, run.len(), penalties);
    }
    Ok(())
}

fn penalize(logit: f32, count: usize, penalties: &Penalties) -> f32 {
    let scaled = if logit > 0.0 {
        logit / penalties.repetition
    } else {
        logit * penalties.repetition
    };
    let lowered = scaled - penalties.presence - count as f32 * penalties.frequency;
    // Absurd but finite options must not create an infinity, nor inf - inf.
    if lowered.is_nan() {
        f32::MIN
    } else {
        lowered.clamp(f32::MIN, f32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFF: Penalties = Penalties {
        repetition: 1.0,
        presence: 0.0,
        frequency: 0.0,
        last_n: 64,
    };

    fn penalized(logits: &[f32], previous: &[u32], penalties: Penalties) -> Vec<f32> {
        let mut candidates = Candidates::new(logits).unwrap();
        apply_penalties(&mut candidates, previous, &penalties, &mut Vec::new()).unwrap();
        candidates.entries().iter().map(|c| c.logit).collect()
    }

    #[test]
    fn only_the_last_n_ids_count() {
        let penalties = Penalties {
            presence: 1.0,
            last_n: 2,
            ..OFF
        };
        assert_eq!(
            penalized(&[0.0; 4], &[0, 1, 2], penalties),
            [0.0, -1.0, -1.0, 0.0]
        );
        let none = Penalties {
            presence: 1.0,
            last_n: 0,
            ..OFF
        };
        assert_eq!(penalized(&[0.0; 4], &[0, 1, 2], none), [0.0; 4]);
        let all = Penalties {
            presence: 1.0,
            last_n: usize::MAX,
            ..OFF
        };
        assert_eq!(
            penalized(&[0.0; 4], &[0, 1, 2], all),
            [-1.0, -1.0, -1.0, 0.0]
        );
    }

    #[test]
    fn an_id_without_a_logit_is_an_error_that_says_where_it_stands() {
        let mut candidates = Candidates::new(&[0.0, 0.0]).unwrap();
        let penalties = Penalties {
            presence: 1.0,
            ..OFF
        };
        let result = apply_penalties(&mut candidates, &[1, 2], &penalties, &mut Vec::new());
        let expected = Error::UnknownId {
            id: 2,
            position: 1,
            n_logits: 2,
        };
        assert_eq!(result, Err(expected.clone()));
        assert!(
            expected.to_string().contains("so ids go up to 1"),
            "{expected}"
        );
    }

    #[test]
    fn absurd_penalties_leave_finite_logits() {
        let extreme = Penalties {
            repetition: 1e-38,
            presence: f32::MAX,
            frequency: f32::MIN,
            last_n: 9,
        };
        for logits in [[f32::MAX, 0.0], [f32::MIN, 0.0], [1.0, 0.0]] {
            for logit in penalized(&logits, &[0, 0, 1], extreme) {
                assert!(logit.is_finite(), "{logits:?} became {logit}");
            }
        }
    }
}
