//! A SentencePiece vocabulary as texts with scores, for files of other projects.

use super::order::scores_of_merges;
use super::{FirstSpace, Order};
use crate::Tokenizer;
use crate::tokenizer::Method;

/// The ordinary tokens of a SentencePiece vocabulary, with scores.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredForm {
    /// The token of each id; empty where the id belongs to a special token or to nothing.
    pub tokens: Vec<String>,
    /// One for each id: neighbours that are together the token of the highest are joined first.
    pub scores: Vec<f32>,
    /// The ids of the 256 bytes, whose texts are `<0x00>` and so on; or none.
    pub bytes: Vec<u32>,
    /// What a character becomes that has neither a token nor bytes.
    pub unknown: Option<u32>,
    /// Whether a space is put before a text.
    pub adds_space: bool,
}

impl Tokenizer {
    /// A SentencePiece vocabulary as texts with scores; `None` for one of bytes, which has
    /// [`Tokenizer::text_form`]. Where the vocabulary came with merges, the scores are made of their
    /// order.
    #[must_use]
    pub fn scored_form(&self) -> Option<ScoredForm> {
        let Method::SentencePiece(method) = self.method() else {
            return None;
        };
        let parts = &method.parts;
        let scores = match &parts.order {
            Order::Scores(scores) => scores.clone(),
            Order::Merges(_) => scores_of_merges(parts.tokens.len(), method.pairs()),
        };
        Some(ScoredForm {
            tokens: method.texts(),
            scores,
            bytes: parts.bytes.clone(),
            unknown: parts.unknown,
            adds_space: parts.first_space != FirstSpace::Never,
        })
    }
}
