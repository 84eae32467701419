//! Tokens that are found as whole texts, before anything is cut into pieces.
//!
//! *Special* tokens are marks for the model that no ordinary text can produce. Vocabularies of other
//! projects have a second kind, texts such as `<tool_call>` that anybody may write: those are found
//! in every text, and printed.

use aho_corasick::{AhoCorasick, AhoCorasickKind, FindIter, MatchKind};

use crate::quote::{cut, quoted};
use crate::vocabulary::MAX_VOCAB_SIZE;
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

/// A token that is found as a whole text.
#[derive(Debug, Clone)]
struct WholeToken {
    text: String,
    id: u32,
    /// Whether only trusted text may hold it.
    special: bool,
}

/// Texts and ids, kept in the order of the ids.
#[derive(Debug, Clone)]
pub(crate) struct SpecialTokens {
    tokens: Vec<WholeToken>,
    in_trusted_text: Finder,
    in_any_text: Finder,
}

impl SpecialTokens {
    /// Checks the tokens against each other and against the ids that ordinary tokens have taken, of
    /// which there are `n_ordinary`. `added` are those that are found in any text; they may be
    /// ordinary tokens as well.
    pub(crate) fn new(
        special: Vec<(String, u32)>,
        added: Vec<(String, u32)>,
        n_ordinary: usize,
        is_ordinary: impl Fn(u32) -> bool,
    ) -> Result<Self> {
        let whole = |special| move |(text, id)| WholeToken { text, id, special };
        let special = special.into_iter().map(whole(true));
        let mut tokens: Vec<WholeToken> =
            special.chain(added.into_iter().map(whole(false))).collect();
        for token in &tokens {
            check_token(token)?;
            if token.special && is_ordinary(token.id) {
                let id = token.id;
                let problem = format!(
                    "id {id} belongs to an ordinary token; the first free id is {n_ordinary}"
                );
                return Err(wrong(&token.text, problem));
            }
        }
        tokens.sort_by(|a, b| a.text.cmp(&b.text));
        if let Some(pair) = tokens.windows(2).find(|pair| pair[0].text == pair[1].text) {
            let problem = format!("it is there twice, as id {} and {}", pair[0].id, pair[1].id);
            return Err(wrong(&pair[0].text, problem));
        }
        tokens.sort_by_key(|token| token.id);
        if let Some(pair) = tokens.windows(2).find(|pair| pair[0].id == pair[1].id) {
            let owner = quoted(&pair[0].text);
            let problem = format!("id {} already belongs to {owner}", pair[0].id);
            return Err(wrong(&pair[1].text, problem));
        }
        Ok(SpecialTokens {
            in_trusted_text: Finder::new(tokens.iter())?,
            in_any_text: Finder::new(tokens.iter().filter(|token| !token.special))?,
            tokens,
        })
    }

    /// The tokens that are special, or those that are found in any text.
    pub(crate) fn iter(&self, special: bool) -> impl Iterator<Item = (&str, u32)> {
        let tokens = self.tokens.iter().filter(move |t| t.special == special);
        tokens.map(|token| (token.text.as_str(), token.id))
    }

    pub(crate) fn special_id(&self, text: &str) -> Option<u32> {
        self.iter(true)
            .find(|token| token.0 == text)
            .map(|token| token.1)
    }

    pub(crate) fn is_special(&self, id: u32) -> bool {
        self.of_id(id).is_some_and(|token| token.special)
    }

    pub(crate) fn text(&self, id: u32) -> Option<&str> {
        self.of_id(id).map(|token| token.text.as_str())
    }

    fn of_id(&self, id: u32) -> Option<&WholeToken> {
        let at = self
            .tokens
            .binary_search_by_key(&id, |token| token.id)
            .ok()?;
        self.tokens.get(at)
    }

    /// One more than the largest id; 0 if there are no such tokens.
    pub(crate) fn end(&self) -> usize {
        self.tokens.last().map_or(0, |token| token.id as usize + 1)
    }

    /// Cuts `text` at all tokens: ordinary text, and the token after it if there is one.
    pub(crate) fn split_trusted<'a>(&'a self, text: &'a str) -> Split<'a> {
        self.in_trusted_text.split(text)
    }

    /// Cuts `text` at the tokens that anybody may write.
    pub(crate) fn split<'a>(&'a self, text: &'a str) -> Split<'a> {
        self.in_any_text.split(text)
    }
}

fn check_token(token: &WholeToken) -> Result<()> {
    let WholeToken { text, id, .. } = token;
    if text.is_empty() {
        let problem = "its text is empty; it would be found everywhere";
        return Err(wrong(text, problem.to_owned()));
    }
    if *id as usize >= MAX_VOCAB_SIZE {
        let problem = format!("id {id} is too large; ids must be below {MAX_VOCAB_SIZE}");
        return Err(wrong(text, problem));
    }
    Ok(())
}

fn wrong(text: &str, problem: String) -> Error {
    Error::SpecialToken {
        text: cut(text),
        problem,
    }
}

/// Searches for many texts at once. Of those that begin at the same place it finds the longest.
#[derive(Debug, Clone, Default)]
struct Finder {
    automaton: Option<AhoCorasick>,
    ids: Vec<u32>,
}

impl Finder {
    fn new<'a>(tokens: impl Iterator<Item = &'a WholeToken> + Clone) -> Result<Self> {
        let ids: Vec<u32> = tokens.clone().map(|token| token.id).collect();
        if ids.is_empty() {
            return Ok(Finder::default());
        }
        // The kind whose memory is a small multiple of the texts, however long they are.
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(tokens.map(|token| &token.text));
        let automaton = automaton.map_err(|error| Error::Metadata {
            problem: format!("its special tokens cannot be searched for: {error}"),
        })?;
        Ok(Finder {
            automaton: Some(automaton),
            ids,
        })
    }

    fn split<'a>(&'a self, text: &'a str) -> Split<'a> {
        Split {
            text,
            start: 0,
            found: self.automaton.as_ref().map(|a| a.find_iter(text)),
            ids: &self.ids,
            done: false,
        }
    }
}

/// Iterator of [`SpecialTokens::split`].
pub(crate) struct Split<'a> {
    text: &'a str,
    start: usize,
    found: Option<FindIter<'a, 'a>>,
    ids: &'a [u32],
    done: bool,
}

impl<'a> Iterator for Split<'a> {
    type Item = (&'a str, Option<u32>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let Some(token) = self.found.as_mut().and_then(Iterator::next) else {
            self.done = true;
            return Some((&self.text[self.start..], None));
        };
        let ordinary = &self.text[self.start..token.start()];
        self.start = token.end();
        Some((ordinary, Some(self.ids[token.pattern().as_usize()])))
    }
}
