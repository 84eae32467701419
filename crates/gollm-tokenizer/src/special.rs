//! Special tokens: ids that no ordinary text can produce.

use crate::vocabulary::{MAX_VOCAB_SIZE, Vocabulary};
use crate::{Error, Result};

/// The special tokens of gollm's own vocabularies, in the order of their ids: the ends of a
/// document, the two ends of a message header, and the end of a turn.
///
/// The names are those of Llama 3's prompt format. What they are for: Grattafiori et al. 2024,
/// "The Llama 3 Herd of Models", <https://arxiv.org/abs/2407.21783>, section 4.1.1.
pub const SPECIAL_TOKENS: [&str; 5] = [
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
];

/// Texts and ids, kept in the order of the ids.
#[derive(Debug, Clone)]
pub(crate) struct SpecialTokens {
    tokens: Vec<(String, u32)>,
}

impl SpecialTokens {
    /// Checks the tokens against each other and against the ids that ordinary tokens have taken.
    pub(crate) fn new(mut tokens: Vec<(String, u32)>, vocabulary: &Vocabulary) -> Result<Self> {
        for (text, id) in &tokens {
            let fail = |problem: String| {
                Err(Error::SpecialToken {
                    text: text.clone(),
                    problem,
                })
            };
            if text.is_empty() {
                return fail("its text is empty; it would be found everywhere".to_owned());
            }
            let index = *id as usize;
            if vocabulary.bytes(*id).is_some() {
                let n_ranks = vocabulary.len();
                return fail(format!(
                    "id {id} belongs to an ordinary token; the first free id is {n_ranks}"
                ));
            }
            if index >= MAX_VOCAB_SIZE {
                return fail(format!(
                    "id {id} is too large; ids must be below {MAX_VOCAB_SIZE}"
                ));
            }
        }
        tokens.sort_by(|a, b| a.0.cmp(&b.0));
        if let Some(pair) = tokens.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            let problem = format!("it is there twice, as id {} and {}", pair[0].1, pair[1].1);
            return Err(Error::SpecialToken {
                text: pair[0].0.clone(),
                problem,
            });
        }
        tokens.sort_by_key(|token| token.1);
        if let Some(pair) = tokens.windows(2).find(|pair| pair[0].1 == pair[1].1) {
            let problem = format!("id {} already belongs to {:?}", pair[0].1, pair[0].0);
            return Err(Error::SpecialToken {
                text: pair[1].0.clone(),
                problem,
            });
        }
        Ok(SpecialTokens { tokens })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, u32)> {
        self.tokens.iter().map(|(text, id)| (text.as_str(), *id))
    }

    pub(crate) fn id(&self, text: &str) -> Option<u32> {
        self.iter()
            .find(|token| token.0 == text)
            .map(|token| token.1)
    }

    pub(crate) fn text(&self, id: u32) -> Option<&str> {
        let at = self
            .tokens
            .binary_search_by_key(&id, |token| token.1)
            .ok()?;
        Some(&self.tokens[at].0)
    }

    /// One more than the largest id; 0 if there are no special tokens.
    pub(crate) fn end(&self) -> usize {
        self.tokens.last().map_or(0, |token| token.1 as usize + 1)
    }

    /// Cuts `text` at its special tokens: ordinary text, and the token after it if there is one.
    pub(crate) fn split<'t>(&self, text: &'t str) -> Split<'_, 't> {
        let next = self.iter().map(|(special, id)| Found {
            special,
            id,
            at: text.find(special),
        });
        Split {
            text,
            start: 0,
            next: next.collect(),
            done: false,
        }
    }
}

/// Where a special token occurs next.
struct Found<'a> {
    special: &'a str,
    id: u32,
    at: Option<usize>,
}

/// Iterator of [`SpecialTokens::split`].
///
/// Each token remembers where it occurs next, so the text is searched once per token, not once
/// per token and occurrence.
pub(crate) struct Split<'s, 't> {
    text: &'t str,
    start: usize,
    next: Vec<Found<'s>>,
    done: bool,
}

impl<'t> Iterator for Split<'_, 't> {
    type Item = (&'t str, Option<u32>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        for found in &mut self.next {
            // Overtaken by the token that was just returned: look again behind it.
            if found.at.is_some_and(|at| at < self.start) {
                found.at = self.text[self.start..]
                    .find(found.special)
                    .map(|at| self.start + at);
            }
        }
        let first = self
            .next
            .iter()
            .filter_map(|found| found.at.map(|at| (at, found)))
            .min_by_key(|(at, found)| (*at, std::cmp::Reverse(found.special.len())));
        let Some((at, found)) = first else {
            self.done = true;
            return Some((&self.text[self.start..], None));
        };
        let ordinary = &self.text[self.start..at];
        self.start = at + found.special.len();
        Some((ordinary, Some(found.id)))
    }
}
