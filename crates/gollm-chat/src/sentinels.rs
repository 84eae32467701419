//! Sentinels: characters that occur nowhere else, put inside the texts of special tokens.
//!
//! Which places get one is decided here; why, in `special_token_guard.rs`.

use std::ops::Range;

use crate::{Error, Message, Result, Role};

/// Noncharacters: Unicode promises that they never mean anything.
/// Source: the Unicode standard, section 23.7.
const SENTINELS: std::ops::RangeInclusive<char> = '\u{FDD0}'..='\u{FDEF}';

pub(crate) fn is_sentinel(character: char) -> bool {
    SENTINELS.contains(&character)
}

/// What a model writes around what it thinks. A template may look for these in an answer, so there
/// they stay whole.
pub(crate) const THINKING: [&str; 2] = ["<think>", "</think>"];

/// The special tokens that are guarded, and the characters that break their texts.
#[derive(Debug)]
pub(crate) struct Sentinels<'a> {
    /// Those of at least two characters.
    special: Vec<&'a str>,
    sentinel: char,
    /// A special token of one character cannot be broken: another noncharacter stands for it.
    alone: Vec<(char, char)>,
}

impl<'a> Sentinels<'a> {
    /// Finds characters that occur neither in the messages nor in the template nor in a special
    /// token.
    pub(crate) fn new(special: &[&'a str], messages: &[Message], template: &str) -> Result<Self> {
        let texts = || {
            let contents = messages.iter().map(|message| message.content.as_str());
            contents.chain([template]).chain(special.iter().copied())
        };
        let mut free = SENTINELS.filter(|sentinel| !texts().any(|text| text.contains(*sentinel)));
        let sentinel = free.next().ok_or(Error::NoSentinel)?;
        let mut alone = Vec::new();
        for token in special {
            let mut characters = token.chars();
            if let (Some(character), None) = (characters.next(), characters.next()) {
                alone.push((character, free.next().ok_or(Error::NoSentinel)?));
            }
        }
        Ok(Self {
            special: special
                .iter()
                .copied()
                .filter(|text| text.chars().count() > 1)
                .collect(),
            sentinel,
            alone,
        })
    }

    /// The messages with every text of a special token broken.
    pub(crate) fn messages(&self, messages: &[Message]) -> Vec<Message> {
        with_contents(messages, |message| {
            self.broken_at(&message.content, self.places(message))
        })
    }

    /// The messages with a sentinel between all letters, for templates that change letters.
    pub(crate) fn messages_broken_everywhere(&self, messages: &[Message]) -> Vec<Message> {
        with_contents(messages, |message| {
            let text = message.content.as_str();
            let start = text.len() - text.trim_start().len();
            let kept = kept_ranges(message);
            let is_between = |at: &usize| {
                *at > start
                    && *at < text.trim_end().len()
                    && !kept
                        .iter()
                        .any(|range| range.start < *at && *at < range.end)
            };
            let boundaries = text.char_indices().map(|(at, _)| at).filter(is_between);
            self.broken_at(
                text,
                self.places(message).into_iter().chain(boundaries).collect(),
            )
        })
    }

    /// The same conversation with nothing in it: every message is one sentinel, around the texts of
    /// [`THINKING`] in an answer, which templates look for.
    pub(crate) fn placeholders(&self, messages: &[Message]) -> Vec<Message> {
        with_contents(messages, |message| {
            let text = message.content.as_str();
            let plain = |stretch: &str| match stretch.trim() {
                "" => String::new(),
                _ => self.sentinel.to_string(),
            };
            let (mut content, mut from) = (String::new(), 0);
            for range in kept_ranges(message) {
                content += &plain(&text[from..range.start]);
                content += &text[range.clone()];
                from = range.end;
            }
            content + &plain(&text[from..])
        })
    }

    /// The character that was written, or none for a sentinel.
    pub(crate) fn plain(&self, character: char) -> Option<char> {
        match self.alone.iter().find(|pair| pair.1 == character) {
            Some((original, _)) => Some(*original),
            None => (character != self.sentinel).then_some(character),
        }
    }

    /// Tokens that anybody may write, and that the template does not use, are none of ours.
    pub(crate) fn is_guarded(&self, token: &str) -> bool {
        let is_alone = |pair: &(char, char)| token.chars().eq([pair.0]);
        self.special.contains(&token) || self.alone.iter().any(is_alone)
    }

    /// A token's text that becomes text.
    pub(crate) fn broken_token(&self, token: &str) -> String {
        let mut characters = token.chars();
        let Some(first) = characters.next() else {
            return String::new();
        };
        match self.alone.iter().find(|pair| token.chars().eq([pair.0])) {
            Some((_, stand_in)) => stand_in.to_string(),
            None => [first, self.sentinel]
                .into_iter()
                .chain(characters)
                .collect(),
        }
    }

    /// Where sentinels go in one message's text.
    fn places(&self, message: &Message) -> Vec<usize> {
        let text = message.content.as_str();
        let special = || {
            let is_answer = message.role == Role::Assistant;
            let kept = move |text: &&str| is_answer && THINKING.contains(text);
            self.special.iter().copied().filter(move |text| !kept(text))
        };
        // Behind the first character of each occurrence.
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
        places
    }

    /// A text with sentinels at these places.
    fn broken_at(&self, text: &str, mut places: Vec<usize>) -> String {
        places.sort_unstable();
        places.dedup();
        let n_bytes = text.len() + places.len() * self.sentinel.len_utf8();
        let mut result = String::with_capacity(n_bytes);
        let mut from = 0;
        for place in places {
            result.push_str(&text[from..place]);
            result.push(self.sentinel);
            from = place;
        }
        result.push_str(&text[from..]);
        for (character, stand_in) in &self.alone {
            result = result.replace(*character, stand_in.encode_utf8(&mut [0; 4]));
        }
        result
    }
}

fn with_contents(messages: &[Message], content: impl Fn(&Message) -> String) -> Vec<Message> {
    let changed = |message: &Message| Message {
        content: content(message),
        ..message.clone()
    };
    messages.iter().map(changed).collect()
}

/// Where an answer has the texts of [`THINKING`], in order.
fn kept_ranges(message: &Message) -> Vec<Range<usize>> {
    if message.role != Role::Assistant {
        return Vec::new();
    }
    let of = |token: &'static str| {
        let found = message.content.match_indices(token);
        found.map(move |(at, _)| at..at + token.len())
    };
    let mut ranges: Vec<Range<usize>> = THINKING.into_iter().flat_map(of).collect();
    ranges.sort_unstable_by_key(|range| range.start);
    ranges
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
