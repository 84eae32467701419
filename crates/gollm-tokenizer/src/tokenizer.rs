//! The tokenizer: a vocabulary, a way to use it, special tokens, and what they do together.

use std::borrow::Cow;

use crate::byte_level::ByteLevel;
use crate::pair_merges::PairMerges;
use crate::quote::cut;
use crate::sentence_piece::SentencePiece;
use crate::special::{SpecialTokens, Split};
use crate::stream::DecodeStream;
use crate::{Error, Pattern, Result, Roles};

/// A tokenizer: text to ids and back.
///
/// Cheap to share (`&Tokenizer` is `Send + Sync`); nothing in it changes after it is made.
#[derive(Clone)]
pub struct Tokenizer {
    method: Method,
    pub(crate) special: SpecialTokens,
    roles: Option<Roles>,
}

/// How text that holds no special token becomes ids.
#[derive(Clone)]
pub(crate) enum Method {
    /// Bytes, merged within pieces: our own vocabularies, GPT-2's, Llama 3's, Qwen's.
    ByteLevel(Box<ByteLevel>),
    /// Characters, merged anywhere: Llama 1's and 2's, Mistral's.
    SentencePiece(Box<SentencePiece>),
}

impl Tokenizer {
    /// Makes a tokenizer from the byte string of each id, `ranks[i]` being that of id `i`, and
    /// from special tokens with ids of their own.
    ///
    /// # Errors
    ///
    /// [`Error::Vocabulary`] if a byte string is empty or there twice, or if one of the 256
    /// single bytes is missing; [`Error::SpecialToken`] if a special token is empty, there
    /// twice, or has an id that is taken; [`Error::VocabSizeTooLarge`] above
    /// [`crate::MAX_VOCAB_SIZE`].
    pub fn new(
        ranks: Vec<Vec<u8>>,
        pattern: Pattern,
        special_tokens: Vec<(String, u32)>,
    ) -> Result<Self> {
        let method = Method::ByteLevel(Box::new(ByteLevel::of_ranks(ranks, pattern)?));
        Self::of_parts(method, special_tokens, Vec::new(), None)
    }

    /// Puts the parts of a tokenizer together. `added` are the tokens that are found in any text.
    pub(crate) fn of_parts(
        method: Method,
        special: Vec<(String, u32)>,
        added: Vec<(String, u32)>,
        roles: Option<Roles>,
    ) -> Result<Self> {
        for (text, id) in &added {
            method.check_added(text, *id)?;
        }
        let is_ordinary = |id| method.bytes(id).is_some();
        let special = SpecialTokens::new(special, added, method.len(), is_ordinary)?;
        let tokenizer = Tokenizer {
            method,
            special,
            roles,
        };
        let roles = tokenizer.roles.iter();
        for id in roles.flat_map(|roles| roles.begin.iter().chain(&roles.end)) {
            tokenizer.known_bytes(*id)?;
        }
        Ok(tokenizer)
    }

    /// Encodes text. Whatever it says, no special token comes out: `<|eot_id|>` typed by a user
    /// is seven or so ordinary tokens, and cannot end anybody's turn.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        self.encode_parts(self.special.split(text))
    }

    /// Encodes text in which the texts of special tokens stand for these tokens.
    ///
    /// Only for trusted text, such as a chat template or a training file of our own. Where two
    /// special tokens begin at the same place, the longer one is taken.
    pub fn encode_with_special(&self, text: &str) -> Vec<u32> {
        self.encode_parts(self.special.split_trusted(text))
    }

    fn encode_parts(&self, parts: Split<'_>) -> Vec<u32> {
        self.encode_changed(parts, Cow::Borrowed)
    }

    /// As [`encode_with_special`](Self::encode_with_special), with every stretch between two tokens changed
    /// by `ordinary` before it is encoded: what comes out of that is text, whatever it says.
    pub fn encode_around_special<'a>(
        &'a self,
        text: &'a str,
        ordinary: impl Fn(&'a str) -> Cow<'a, str>,
    ) -> Vec<u32> {
        self.encode_changed(self.special.split_trusted(text), ordinary)
    }

    fn encode_changed<'a>(
        &self,
        parts: Split<'a>,
        change: impl Fn(&'a str) -> Cow<'a, str>,
    ) -> Vec<u32> {
        let mut ids = Vec::new();
        for (index, (ordinary, token)) in parts.enumerate() {
            let ordinary = change(ordinary);
            match &self.method {
                Method::ByteLevel(method) => method.encode_into(&ordinary, &mut ids),
                Method::SentencePiece(method) => {
                    method.encode_into(&ordinary, index == 0, &mut ids);
                }
            }
            ids.extend(token);
        }
        ids
    }

    /// The bytes that `ids` stand for; a special token stands for its text. The space that
    /// SentencePiece puts before a text is taken away again.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownId`] for an id that the vocabulary does not have.
    pub fn decode_bytes(&self, ids: &[u32]) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        for (index, &id) in ids.iter().enumerate() {
            let token = self.known_bytes(id)?;
            bytes.extend_from_slice(match index {
                0 => self.without_first_space(token),
                _ => token,
            });
        }
        Ok(bytes)
    }

    /// The bytes of a token that begins a text.
    pub(crate) fn without_first_space<'a>(&self, token: &'a [u8]) -> &'a [u8] {
        match &self.method {
            Method::SentencePiece(method) if method.strips_first_space() => {
                token.strip_prefix(b" ").unwrap_or(token)
            }
            _ => token,
        }
    }

    /// The text that `ids` stand for. Bytes that are not UTF-8 become U+FFFD, by the rule of
    /// [`String::from_utf8_lossy`].
    ///
    /// # Errors
    ///
    /// [`Error::UnknownId`] for an id that the vocabulary does not have.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.decode_bytes(ids)?).into_owned())
    }

    /// Decodes one id at a time, as a model produces them, a text that begins with the first id.
    pub fn stream(&self) -> DecodeStream<'_> {
        DecodeStream::new(self, true)
    }

    /// As [`Tokenizer::stream`], for ids that continue a text. Where a text begins, SentencePiece's
    /// first space is no part of it; within a text it is the space between two words. A special
    /// token at the end of `before` counts as a beginning.
    pub fn stream_after(&self, before: &[u32]) -> DecodeStream<'_> {
        let begins = before.last().is_none_or(|id| self.is_special(*id));
        DecodeStream::new(self, begins)
    }

    /// One more than the largest id: how many rows an embedding table for this tokenizer has.
    pub fn vocab_size(&self) -> usize {
        self.method.len().max(self.special.end())
    }

    /// How text is cut into pieces before merging; `None` for SentencePiece, which does not.
    pub fn pattern(&self) -> Option<Pattern> {
        self.byte_level().map(|method| method.pattern)
    }

    /// Which ids begin and end a text, if the vocabulary says so; otherwise their names do.
    pub fn roles(&self) -> Option<&Roles> {
        self.roles.as_ref()
    }

    pub(crate) fn method(&self) -> &Method {
        &self.method
    }

    pub(crate) fn into_method(self) -> Method {
        self.method
    }

    pub(crate) fn byte_level(&self) -> Option<&ByteLevel> {
        match &self.method {
            Method::ByteLevel(method) => Some(method),
            Method::SentencePiece(_) => None,
        }
    }

    /// Which pairs are joined, where ids are not ranks.
    pub(crate) fn merges(&self) -> Option<&PairMerges> {
        self.byte_level()?.merges.as_ref()
    }

    pub(crate) fn known_bytes(&self, id: u32) -> Result<&[u8]> {
        self.token_bytes(id).ok_or_else(|| Error::UnknownId {
            id,
            vocab_size: self.vocab_size(),
        })
    }
}

impl Method {
    /// The bytes of an ordinary token.
    pub(crate) fn bytes(&self, id: u32) -> Option<&[u8]> {
        match self {
            Method::ByteLevel(method) => method.vocabulary.bytes(id),
            Method::SentencePiece(method) => method.bytes(id),
        }
    }

    /// A token that is found whole may be an ordinary one as well, if it becomes the same text.
    fn check_added(&self, text: &str, id: u32) -> Result<()> {
        let same = |bytes: &[u8]| match self {
            Method::ByteLevel(_) => bytes == text.as_bytes(),
            Method::SentencePiece(_) => SentencePiece::is_text_of(bytes, text),
        };
        if self.bytes(id).is_none_or(same) {
            return Ok(());
        }
        Err(Error::SpecialToken {
            text: cut(text),
            problem: format!("id {id} belongs to an ordinary token with another text"),
        })
    }

    /// How many ids the ordinary tokens take, gaps among them included.
    fn len(&self) -> usize {
        match self {
            Method::ByteLevel(method) => method.vocabulary.len(),
            Method::SentencePiece(method) => method.len(),
        }
    }
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Tokenizer")
            .field("pattern", &self.pattern())
            .field("n_ids", &self.method.len())
            .field("special", &self.special)
            .finish()
    }
}
