//! What can go wrong between logits and an id.

/// A specialised `Result` for this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an option was refused or an id could not be chosen.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// One sampling option is outside its range.
    #[error("sampling option `{option}` is {found}, expected {expected}")]
    Option {
        /// The field of [`SamplerOptions`](crate::SamplerOptions).
        option: &'static str,
        /// The value that was given.
        found: f32,
        /// The values that are allowed, in words.
        expected: &'static str,
    },

    /// There is nothing to choose from.
    #[error("the list of logits is empty, expected one logit per vocabulary entry")]
    NoLogits,

    /// The model produced a number that no probability can be made from.
    #[error(
        "logit {index} of {n_logits} is {value}, expected a finite number; \
         the model's weights or arithmetic are broken (try `gollm verify` on the file)"
    )]
    NonFiniteLogit {
        /// Position in the list, which is also the token id.
        index: usize,
        /// How many logits there are.
        n_logits: usize,
        /// NaN, inf or -inf.
        value: f32,
    },

    /// An earlier id that has no logit, so that its penalty would fall nowhere.
    #[error(
        "earlier id {id} (at position {position}) has no logit: there are {n_logits} logits, \
         so ids go up to {}; the tokenizer and the model do not belong together",
        n_logits.saturating_sub(1)
    )]
    UnknownId {
        /// The id.
        id: u32,
        /// Where it stands among the earlier ids.
        position: usize,
        /// How many logits there are.
        n_logits: usize,
    },
}
