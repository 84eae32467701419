//! Encoding by bytes: pieces of text, each merged from its bytes.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::char_class::CharClasses;
use crate::fast::merge::merge_piece;
use crate::fast::merge_short::{self, merge_short_piece};
use crate::fast::piece_cache::PieceCache;
use crate::pair_merges::{MergeRoom, PairMerges};
use crate::pretokenize::Pieces;
use crate::vocabulary::Vocabulary;
use crate::{Pattern, Result};

/// A vocabulary of byte strings and how text is cut before it is looked up.
#[derive(Clone)]
pub(crate) struct ByteLevel {
    pub(crate) pattern: Pattern,
    pub(crate) vocabulary: Vocabulary,
    classes: &'static CharClasses,
    /// Which pairs are joined, where ids are not ranks.
    pub(crate) merges: Option<PairMerges>,
    /// Whether a piece that is a token is taken whole, though no merges may lead to it. Always so for
    /// ranks, where the merges of a token are its own bytes'.
    pub(crate) whole_pieces: bool,
    /// Whether text is composed first (Unicode's form C): `e` and an accent become `é`.
    pub(crate) composes: bool,
}

impl ByteLevel {
    /// A vocabulary of ranks.
    pub(crate) fn of_ranks(ranks: Vec<Vec<u8>>, pattern: Pattern) -> Result<Self> {
        Ok(ByteLevel {
            pattern,
            vocabulary: Vocabulary::new(ranks)?,
            classes: CharClasses::shared()?,
            merges: None,
            whole_pieces: true,
            composes: false,
        })
    }

    /// A vocabulary that came with merges: see `text_form.rs`.
    pub(crate) fn with_merges(
        tokens: Vec<Vec<u8>>,
        pattern: Pattern,
        merges: PairMerges,
    ) -> Result<Self> {
        Ok(ByteLevel {
            pattern,
            vocabulary: Vocabulary::with_gaps(tokens)?,
            classes: CharClasses::shared()?,
            merges: Some(merges),
            whole_pieces: false,
            composes: false,
        })
    }

    pub(crate) fn encode_into(&self, text: &str, ids: &mut Vec<u32>) {
        let text = match self.composes && is_nfc_quick(text.chars()) != IsNormalized::Yes {
            true => Cow::Owned(text.nfc().collect()),
            false => Cow::Borrowed(text),
        };
        let mut cache = PieceCache::for_text(text.len());
        let mut room = MergeRoom::default();
        let mut rest = text.as_bytes();
        for piece in Pieces::new(self.pattern, &text, self.classes) {
            let length = piece.len();
            cache.extend(ids, rest, length, |ids| {
                self.encode_piece(rest, length, &mut room, ids);
            });
            rest = &rest[length..];
        }
    }

    /// Encodes the piece that is the first `length` of `bytes`.
    fn encode_piece(&self, bytes: &[u8], length: usize, room: &mut MergeRoom, ids: &mut Vec<u32>) {
        // Most pieces of ordinary text are one token; merging would find the same.
        let whole = match self.whole_pieces {
            true => self.vocabulary.id_of_first(bytes, length),
            false => None,
        };
        if let Some(id) = whole {
            ids.push(id);
        } else if let Some(merges) = &self.merges {
            let symbols = bytes[..length].iter();
            let symbols = symbols.map(|byte| self.vocabulary.byte_id(*byte));
            merges.merge(symbols, room, ids);
        } else if length <= merge_short::MAX_LENGTH {
            merge_short_piece(&self.vocabulary, &bytes[..length], ids);
        } else {
            merge_piece(&self.vocabulary, &bytes[..length], ids);
        }
    }
}
