//! Prompt-injection guard: special tokens that no message can contain.
//!
//! A template writes `<|im_end|>` and means the token; a user may write it and must not. After
//! rendering both are the same text, so the difference has to be made before: inside every message
//! the text of a special token is broken by a *sentinel*, a noncharacter of Unicode that occurs
//! nowhere else. The template's own are whole and become tokens; then the sentinel is taken out of
//! the text between them, and what the user wrote is encoded as the text that it is.
//!
//! Templates trim messages, cut them at words and put them together. A sentinel is no white space,
//! so trimming does not reach it; and where a message begins or ends with a part of such a text, a
//! sentinel keeps what stands beside it from completing it.
//!
//! Templates also change letters: `lower` makes a token of `<|IM_END|>`. So the conversation is
//! rendered once more with nothing in its messages ([`SpecialTokenGuard::placeholders`]). Where the
//! special tokens are not the same, sentinels are put between all letters, and a token that is
//! still in one rendering alone is text ([`SpecialTokenGuard::encode_only`]).

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;

use gollm_tokenizer::Tokenizer;

use crate::sentinels::{Sentinels, is_sentinel};
use crate::stops::is_end;
use crate::{Error, Message, Result};

/// Breaks the texts of special tokens in messages, and encodes what a template makes of them.
#[derive(Debug)]
pub struct SpecialTokenGuard<'a> {
    tokenizer: &'a Tokenizer,
    sentinels: Sentinels<'a>,
}

impl<'a> SpecialTokenGuard<'a> {
    /// Finds a sentinel that occurs neither in the messages nor in the template nor in a special
    /// token.
    ///
    /// # Errors
    ///
    /// [`Error::NoSentinel`] if there is none.
    pub fn new(tokenizer: &'a Tokenizer, messages: &[Message], template: &str) -> Result<Self> {
        // Tokens that anybody may write are special where the template uses them as such.
        let added = tokenizer.added_tokens().map(|(text, _)| text);
        let is_used = |text: &&str| !text.trim().is_empty() && template.contains(*text);
        let added = added.filter(|text| is_end(text) || is_used(text));
        let special = tokenizer.special_tokens().map(|(text, _)| text);
        let special: Vec<&str> = special.chain(added).collect();
        let sentinels = Sentinels::new(&special, messages, template)?;
        Ok(Self {
            tokenizer,
            sentinels,
        })
    }

    /// The messages with every text of a special token broken.
    #[must_use]
    pub fn messages(&self, messages: &[Message]) -> Vec<Message> {
        self.sentinels.messages(messages)
    }

    /// The messages with a sentinel between all letters, for templates that change letters.
    #[must_use]
    pub fn messages_broken_everywhere(&self, messages: &[Message]) -> Vec<Message> {
        self.sentinels.messages_broken_everywhere(messages)
    }

    /// The same conversation with nothing in it, for what the template itself writes.
    #[must_use]
    pub fn placeholders(&self, messages: &[Message]) -> Vec<Message> {
        self.sentinels.placeholders(messages)
    }

    /// An error of a template that was given [`messages`](Self::messages), which it may quote.
    #[must_use]
    pub fn without_sentinels(&self, error: Error) -> Error {
        match error {
            Error::Template { line, problem } => Error::Template {
                line,
                problem: problem
                    .chars()
                    .filter_map(|c| self.sentinels.plain(c))
                    .collect(),
            },
            other => other,
        }
    }

    /// Encodes what a template made of [`messages`](Self::messages).
    #[must_use]
    pub fn encode(&self, text: &str) -> Vec<u32> {
        self.tokenizer.encode_around_special(text, |stretch| {
            if stretch.contains(is_sentinel) {
                Cow::Owned(
                    stretch
                        .chars()
                        .filter_map(|c| self.sentinels.plain(c))
                        .collect(),
                )
            } else {
                Cow::Borrowed(stretch)
            }
        })
    }

    /// As [`encode`](Self::encode), with those special tokens alone that `allowed` has in this
    /// order.
    #[must_use]
    pub fn encode_only(&self, text: &str, allowed: &[&str]) -> Vec<u32> {
        let spans = self.special_spans(text);
        let found: Vec<&str> = spans.iter().map(|span| &text[span.clone()]).collect();
        let mut broken = String::with_capacity(text.len());
        let mut from = 0;
        for (span, is_in_both) in spans.into_iter().zip(in_both(&found, allowed)) {
            broken += &text[from..span.start];
            from = span.end;
            let token = &text[span];
            if is_in_both {
                broken += token;
            } else {
                broken += &self.sentinels.broken_token(token);
            }
        }
        broken += &text[from..];
        self.encode(&broken)
    }

    /// The special tokens of a rendering, in order.
    #[must_use]
    pub fn special_tokens_of<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let spans = self.special_spans(text).into_iter();
        spans.map(|span| &text[span]).collect()
    }

    /// Where the special tokens are: between the stretches that are encoded as text.
    fn special_spans(&self, text: &str) -> Vec<Range<usize>> {
        let stretches: RefCell<Vec<Range<usize>>> = RefCell::default();
        let base = text.as_ptr() as usize;
        let _ids = self.tokenizer.encode_around_special(text, |stretch| {
            let start = (stretch.as_ptr() as usize).saturating_sub(base);
            stretches.borrow_mut().push(start..start + stretch.len());
            Cow::Borrowed("")
        });
        let stretches = stretches.into_inner();
        let starts = stretches.iter().skip(1).map(|stretch| stretch.start);
        let starts = starts.chain([text.len()]);
        let spans = stretches
            .iter()
            .zip(starts)
            .map(|(stretch, next)| stretch.end..next);
        spans
            .filter(|span| !span.is_empty() && text.is_char_boundary(span.end))
            .filter(|span| self.sentinels.is_guarded(&text[span.clone()]))
            .collect()
    }
}

/// Which of `found` are in `allowed` too, in the same order: those that both begin and end with,
/// and between these each that comes next.
fn in_both(found: &[&str], allowed: &[&str]) -> Vec<bool> {
    let same = |pair: &(&&str, &&str)| pair.0 == pair.1;
    let front = found.iter().zip(allowed).take_while(same).count();
    let (found_rest, allowed_rest) = (&found[front..], &allowed[front..]);
    let back = found_rest.iter().rev().zip(allowed_rest.iter().rev());
    let back = back.take_while(same).count();
    let mut between = allowed_rest[..allowed_rest.len() - back].iter();
    let mut result = vec![true; front];
    for token in &found_rest[..found_rest.len() - back] {
        let mut ahead = between.clone();
        let is_in_both = ahead.any(|other| other == token);
        if is_in_both {
            between = ahead;
        }
        result.push(is_in_both);
    }
    result.resize(found.len(), true);
    result
}
