//! Stop tokens and stop strings: where an answer ends.

use gollm_tokenizer::Tokenizer;

use crate::ChatTemplate;
use crate::sentinels::THINKING;

/// Tokens that end a turn in the formats that are known, besides those that the vocabulary names.
///
/// Vocabularies name the token that ends a text, and many models end a turn with another one.
const ENDS: [&str; 11] = [
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end_of_text|>",
    "<|endoftext|>",
    "<|end|>",
    "<|end_of_turn|>",
    "<|return|>",
    "<end_of_turn>",
    "<end_of_utterance>",
    "</s>",
];

/// Whether a token of this text ends a turn.
pub(crate) fn is_end(text: &str) -> bool {
    ENDS.contains(&text)
}

/// What ends an answer, and what of an answer is shown though it is a special token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stops {
    /// Tokens that end a turn.
    pub ids: Vec<u32>,
    /// Their texts, where the template writes one that the vocabulary has no token for: a model
    /// whose vocabulary knows nothing of chat then writes it letter by letter.
    pub strings: Vec<String>,
    /// The tokens around what a model thinks.
    pub shown_ids: Vec<u32>,
}

impl Stops {
    /// The ends of an answer under this template.
    #[must_use]
    pub fn new(tokenizer: &Tokenizer, template: &ChatTemplate) -> Self {
        let id = |text: &&str| {
            let mut added = tokenizer.added_tokens();
            let added = added.find(|token| token.0 == *text).map(|token| token.1);
            tokenizer.special_id(text).or(added)
        };
        let is_written = |text: &&&str| id(text).is_none() && template.source().contains(**text);
        Self {
            ids: ENDS.iter().filter_map(id).collect(),
            strings: ENDS
                .iter()
                .filter(is_written)
                .map(ToString::to_string)
                .collect(),
            shown_ids: THINKING.iter().filter_map(id).collect(),
        }
    }
}
