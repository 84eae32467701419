//! Where a token stands: its sequence and its position.

/// The place of one row of activations: row `t` of a call is token `position` of `sequence`.
///
/// One list of places says everything about a batch. A prompt is one sequence at positions
/// `0, 1, 2, …`; a decode step of three conversations is three sequences at one position each;
/// and a mixture of both is no special case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// Which slot of the cache the token belongs to.
    pub sequence: usize,
    /// How many tokens stand before it in that sequence.
    pub position: usize,
}

impl Place {
    /// The places of `n_tokens` consecutive tokens of one sequence.
    #[must_use]
    pub fn run(sequence: usize, start: usize, n_tokens: usize) -> Vec<Self> {
        (start..start.saturating_add(n_tokens))
            .map(|position| Self { sequence, position })
            .collect()
    }
}
