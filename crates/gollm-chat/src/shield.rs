//! Special tokens that nobody can type.
//!
//! A template writes `<|im_end|>` and means the token; a user may write it and must not. After rendering
//! both are the same text, so the difference has to be made before: inside every message the text of a
//! special token is broken by a character that occurs nowhere else, a noncharacter of Unicode. The
//! template's own are whole and become tokens; then the mark is taken out of the text between them,
//! and what the user wrote is encoded as the text that it is.
//!
//! Templates trim messages, cut them at words and put them together. A mark is no white space, so
//! trimming does not reach it; and where a message begins or ends with a part of such a text, a mark
//! keeps what stands beside it from completing it.

use std::borrow::Cow;

use gollm_tokenizer::Tokenizer;

use crate::stops::is_end;
use crate::{Error, Message, Result, Role};

/// Noncharacters: Unicode promises that they never mean anything.
/// Source: the Unicode standard, section 23.7.
const MARKS: std::ops::RangeInclusive<char> = '\u{FDD0}'..='\u{FDEF}';

fn is_mark(character: char) -> bool {
    MARKS.contains(&character)
}

/// What a model writes around what it thinks. A template may look for these in an answer, so there
/// they stay whole.
pub(crate) const THINKING: [&str; 2] = ["<think>", "</think>"];

/// Breaks the texts of special tokens in messages, and encodes what a template makes of them.
#[derive(Debug)]
pub struct Shield<'a> {
    tokenizer: &'a Tokenizer,
    /// Those of at least two characters.
    special: Vec<&'a str>,
    mark: char,
    /// A special token of one character cannot be broken: another noncharacter stands for it.
    alone: Vec<(char, char)>,
}

impl<'a> Shield<'a> {
    /// Finds a mark that occurs neither in the messages nor in the template nor in a special token.
    ///
    /// # Errors
    ///
    /// [`Error::NoMark`] if there is none.
    pub fn new(tokenizer: &'a Tokenizer, messages: &[Message], template: &str) -> Result<Self> {
        // Tokens that anybody may write become marks where the template uses them as such.
        let added = tokenizer.added_tokens().map(|(text, _)| text);
        let is_mark = |text: &&str| !text.trim().is_empty() && template.contains(*text);
        let added = added.filter(|text| is_end(text) || is_mark(text));
        let special = tokenizer.special_tokens().map(|(text, _)| text);
        let special: Vec<&str> = special.chain(added).collect();
        let texts = || {
            let contents = messages.iter().map(|message| message.content.as_str());
            contents.chain([template]).chain(special.iter().copied())
        };
        let mut free = MARKS.filter(|mark| !texts().any(|text| text.contains(*mark)));
        let mark = free.next().ok_or(Error::NoMark)?;
        let mut alone = Vec::new();
        for token in &special {
            let mut characters = token.chars();
            if let (Some(character), None) = (characters.next(), characters.next()) {
                alone.push((character, free.next().ok_or(Error::NoMark)?));
            }
        }
        Ok(Self {
            tokenizer,
            special: special
                .iter()
                .copied()
                .filter(|text| text.chars().count() > 1)
                .collect(),
            mark,
            alone,
        })
    }

    /// The messages with every text of a special token broken.
    #[must_use]
    pub fn messages(&self, messages: &[Message]) -> Vec<Message> {
        let shielded = |message: &Message| Message {
            content: self.text(message.role, &message.content),
            ..message.clone()
        };
        messages.iter().map(shielded).collect()
    }

    /// An error of a template that was given [`messages`](Self::messages), which it may quote.
    #[must_use]
    pub fn unmarked(&self, error: Error) -> Error {
        match error {
            Error::Template { line, problem } => Error::Template {
                line,
                problem: problem.chars().filter_map(|c| self.plain(c)).collect(),
            },
            other => other,
        }
    }

    /// The character that was written, or none for a mark.
    fn plain(&self, character: char) -> Option<char> {
        match self.alone.iter().find(|pair| pair.1 == character) {
            Some((original, _)) => Some(*original),
            None => (character != self.mark).then_some(character),
        }
    }

    /// Encodes what a template made of [`messages`](Self::messages).
    #[must_use]
    pub fn encode(&self, text: &str) -> Vec<u32> {
        self.tokenizer
            .encode_around_special(text, |stretch| match stretch.contains(is_mark) {
                true => Cow::Owned(stretch.chars().filter_map(|c| self.plain(c)).collect()),
                false => Cow::Borrowed(stretch),
            })
    }

    /// One message's text with marks in it.
    fn text(&self, role: Role, text: &str) -> String {
        let special = || {
            let kept = move |text: &&str| role == Role::Assistant && THINKING.contains(text);
            self.special.iter().copied().filter(move |text| !kept(text))
        };
        // Where a mark is put: behind the first character of each occurrence.
        let mut places: Vec<usize> = Vec::new();
        for token in special() {
            let first = token.chars().next().map_or(0, char::len_utf8);
            let mut from = 0;
            while let Some(at) = text[from..].find(token) {
                from += at + first;
                places.push(from);
            }
        }
        // Both edges, as they are and as a template that trims would leave them.
        let start = text.len() - text.trim_start().len();
        for (at, edge) in [(0, text), (start, text.trim())] {
            let is_part = |token: &str| !edge.is_empty() && token.contains(edge);
            if special().any(|token| is_part(token) || begins_with_an_end_of(edge, token)) {
                places.push(at);
            }
            if special().any(|token| ends_with_a_beginning_of(edge, token)) {
                places.push(at + edge.len());
            }
        }
        places.sort_unstable();
        places.dedup();
        let mut result = String::with_capacity(text.len() + places.len() * self.mark.len_utf8());
        let mut from = 0;
        for place in places {
            result.push_str(&text[from..place]);
            result.push(self.mark);
            from = place;
        }
        result.push_str(&text[from..]);
        for (character, stand_in) in &self.alone {
            result = result.replace(*character, stand_in.encode_utf8(&mut [0; 4]));
        }
        result
    }
}

/// Whether something in front of the text could complete the token.
fn begins_with_an_end_of(text: &str, token: &str) -> bool {
    let ends = token.char_indices().skip(1).map(|(at, _)| &token[at..]);
    ends.into_iter().any(|end| text.starts_with(end))
}

/// Whether something behind the text could complete the token.
fn ends_with_a_beginning_of(text: &str, token: &str) -> bool {
    let beginnings = token.char_indices().skip(1).map(|(at, _)| &token[..at]);
    beginnings
        .into_iter()
        .any(|beginning| text.ends_with(beginning))
}
