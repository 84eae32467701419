//! The tokenizer: a vocabulary, a pattern and special tokens, and what they do together.

use std::borrow::Cow;

use crate::char_class::CharClasses;
use crate::merge::merge_piece;
use crate::merge_short::{self, merge_short_piece};
use crate::pair_merges::PairMerges;
use crate::piece_cache::PieceCache;
use crate::pretokenize::Pieces;
use crate::special::SpecialTokens;
use crate::stream::DecodeStream;
use crate::vocabulary::Vocabulary;
use crate::{Error, Pattern, Result};

/// A byte-level BPE tokenizer: text to ids and back.
///
/// Cheap to share (`&Tokenizer` is `Send + Sync`); nothing in it changes after it is made.
#[derive(Clone)]
pub struct Tokenizer {
    pattern: Pattern,
    vocabulary: Vocabulary,
    special: SpecialTokens,
    classes: &'static CharClasses,
    /// Which pairs are joined, where ids are not ranks.
    merges: Option<PairMerges>,
    /// Whether a piece that is a token is taken whole, though no merges may lead to it. Always so for
    /// ranks, where the merges of a token are its own bytes'.
    whole_pieces: bool,
    roles: Option<Roles>,
}

/// Which ids begin and end a text, for vocabularies that say so.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roles {
    /// Put before a text that is to be continued; `None` where nothing is.
    pub begin: Option<u32>,
    /// Any of these ends a text.
    pub end: Vec<u32>,
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
        let vocabulary = Vocabulary::new(ranks)?;
        let special = SpecialTokens::new(special_tokens, &vocabulary)?;
        Ok(Tokenizer {
            pattern,
            vocabulary,
            special,
            classes: CharClasses::shared()?,
            merges: None,
            whole_pieces: true,
            roles: None,
        })
    }

    /// Makes a tokenizer from a list of merges: see `text_form.rs`.
    pub(crate) fn with_merges(
        tokens: Vec<Vec<u8>>,
        pattern: Pattern,
        special_tokens: Vec<(String, u32)>,
        (merges, whole_pieces): (PairMerges, bool),
        roles: Roles,
    ) -> Result<Self> {
        let vocabulary = Vocabulary::with_gaps(tokens)?;
        let tokenizer = Tokenizer {
            pattern,
            special: SpecialTokens::new(special_tokens, &vocabulary)?,
            vocabulary,
            classes: CharClasses::shared()?,
            merges: Some(merges),
            whole_pieces,
            roles: Some(roles),
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
        let mut ids = Vec::new();
        self.encode_into(text, &mut ids);
        ids
    }

    /// Encodes text in which the texts of special tokens stand for these tokens.
    ///
    /// Only for trusted text, such as a chat template or a training file of our own. Where two
    /// special tokens begin at the same place, the longer one is taken.
    pub fn encode_with_special(&self, text: &str) -> Vec<u32> {
        self.encode_around_special(text, Cow::Borrowed)
    }

    /// As [`encode_with_special`](Self::encode_with_special), with every stretch of ordinary text changed
    /// by `ordinary` before it is encoded: what comes out of it is text, whatever it says.
    pub fn encode_around_special<'a>(
        &self,
        text: &'a str,
        ordinary: impl Fn(&'a str) -> Cow<'a, str>,
    ) -> Vec<u32> {
        let mut ids = Vec::new();
        for (stretch, special) in self.special.split(text) {
            self.encode_into(&ordinary(stretch), &mut ids);
            ids.extend(special);
        }
        ids
    }

    fn encode_into(&self, text: &str, ids: &mut Vec<u32>) {
        let mut cache = PieceCache::for_text(text.len());
        let mut rest = text.as_bytes();
        for piece in Pieces::new(self.pattern, text, self.classes) {
            let length = piece.len();
            cache.extend(ids, rest, length, |ids| {
                self.encode_piece(rest, length, ids)
            });
            rest = &rest[length..];
        }
    }

    /// Encodes the piece that is the first `length` of `bytes`.
    fn encode_piece(&self, bytes: &[u8], length: usize, ids: &mut Vec<u32>) {
        // Most pieces of ordinary text are one token; merging would find the same.
        let whole = match self.whole_pieces {
            true => self.vocabulary.id_of_first(bytes, length),
            false => None,
        };
        if let Some(id) = whole {
            ids.push(id);
        } else if let Some(merges) = &self.merges {
            merges.merge_piece(&self.vocabulary, &bytes[..length], ids);
        } else if length <= merge_short::MAX_LENGTH {
            merge_short_piece(&self.vocabulary, &bytes[..length], ids);
        } else {
            merge_piece(&self.vocabulary, &bytes[..length], ids);
        }
    }

    /// The bytes that `ids` stand for; a special token stands for its text.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownId`] for an id that the vocabulary does not have.
    pub fn decode_bytes(&self, ids: &[u32]) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        for &id in ids {
            bytes.extend_from_slice(self.known_bytes(id)?);
        }
        Ok(bytes)
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

    /// Decodes one id at a time, as a model produces them.
    pub fn stream(&self) -> DecodeStream<'_> {
        DecodeStream::new(self)
    }

    /// One more than the largest id: how many rows an embedding table for this tokenizer has.
    pub fn vocab_size(&self) -> usize {
        self.vocabulary.len().max(self.special.end())
    }

    /// How text is cut into pieces before merging.
    pub fn pattern(&self) -> Pattern {
        self.pattern
    }

    /// Which ids begin and end a text, if the vocabulary says so; otherwise their names do.
    pub fn roles(&self) -> Option<&Roles> {
        self.roles.as_ref()
    }

    /// Which pairs are joined, where ids are not ranks.
    pub(crate) fn merges(&self) -> Option<&PairMerges> {
        self.merges.as_ref()
    }

    /// Whether a piece that is a token is taken whole.
    pub(crate) fn whole_pieces(&self) -> bool {
        self.whole_pieces
    }

    /// The id of an ordinary token.
    pub(crate) fn ordinary_id(&self, bytes: &[u8]) -> Option<u32> {
        self.vocabulary.id(bytes)
    }

    /// The byte strings of the ordinary tokens, in the order of their ids; empty in a vocabulary with
    /// merges where an id is no ordinary token.
    pub fn ranks(&self) -> &[Vec<u8>] {
        self.vocabulary.tokens()
    }

    /// The special tokens and their ids, in the order of the ids.
    pub fn special_tokens(&self) -> impl Iterator<Item = (&str, u32)> {
        self.special.iter()
    }

    /// The id of the special token with this text.
    pub fn special_id(&self, text: &str) -> Option<u32> {
        self.special.id(text)
    }

    /// Whether `id` is a special token.
    pub fn is_special(&self, id: u32) -> bool {
        self.special.text(id).is_some()
    }

    /// The bytes that `id` stands for, or `None` if it stands for nothing.
    pub fn token_bytes(&self, id: u32) -> Option<&[u8]> {
        self.vocabulary
            .bytes(id)
            .or_else(|| self.special.text(id).map(str::as_bytes))
    }

    pub(crate) fn known_bytes(&self, id: u32) -> Result<&[u8]> {
        self.token_bytes(id).ok_or_else(|| Error::UnknownId {
            id,
            vocab_size: self.vocab_size(),
        })
    }
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Tokenizer")
            .field("pattern", &self.pattern)
            .field("n_ranks", &self.vocabulary.len())
            .field("special", &self.special)
            .finish()
    }
}
