//! SentencePiece's kind of byte-pair encoding: merging begins with characters instead of bytes.
//!
//! Llama 1 and 2, Mistral and TinyLlama have such vocabularies. Text is not cut into pieces first: each
//! space becomes `▁` (U+2581), an ordinary character that tokens may hold, and another `▁` is put before
//! the text, so that a word is the same token at the beginning and in the middle. A character that the
//! vocabulary lacks becomes the tokens of its UTF-8 bytes, `<0xE2>` and so on, and where there are no
//! such tokens the unknown one. Which neighbours are joined first, scores say or a list of merges does.
//!
//! | file | what it knows |
//! |---|---|
//! | `mod.rs` | the parts, and encoding |
//! | `checks.rs` | whether the parts fit together, and the tables made from them |
//! | `borders.rs` | where no token can reach across |
//! | `order.rs` | scores as merges and merges as scores |
//! | `json.rs` | the form in a `.gollm` file |
//! | `scored_form.rs` | the form in a GGUF file |
//!
//! Source: Kudo & Richardson 2018, <https://arxiv.org/abs/1808.06226>, and its code,
//! <https://github.com/google/sentencepiece>.

mod borders;
mod checks;
pub(crate) mod json;
mod order;
mod scored_form;

use serde::{Deserialize, Serialize};

use crate::fast::byte_hash::ByteHashMap;
use crate::fast::piece_cache::PieceCache;
use crate::pair_merges::{MergeRoom, PairMerges};
use borders::Borders;
pub(crate) use order::Order;
pub use scored_form::ScoredForm;

/// What stands for a space.
pub(crate) const SPACE: char = '▁';

/// Where a `▁` is put before text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FirstSpace {
    /// Nowhere.
    Never,
    /// Before each stretch of text between tokens that were found whole.
    EachPart,
    /// The same, unless the stretch begins with a space.
    EachPartIfMissing,
    /// Before the text as a whole, unless it begins with a space or a token that was found whole.
    FirstPartIfMissing,
}

/// What a file says; [`SentencePiece::new`] checks it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parts {
    /// The text of each ordinary token and each byte token, at its id; empty where there is none.
    pub(crate) tokens: Vec<String>,
    /// The ids of the 256 byte tokens, or none at all.
    pub(crate) bytes: Vec<u32>,
    /// What a character becomes that has neither a token nor bytes.
    pub(crate) unknown: Option<u32>,
    /// Whether several unknown characters in a row become one unknown token.
    pub(crate) fuses_unknown: bool,
    pub(crate) order: Order,
    pub(crate) first_space: FirstSpace,
    /// Whether a space that begins a text is taken away when ids become text.
    pub(crate) strips_first_space: bool,
    /// Whether no token reaches across a space, however it is spelled.
    pub(crate) splits_at_spaces: bool,
    /// Whether a stretch of text that is a token is taken whole, though no merges may lead to it.
    pub(crate) whole_pieces: bool,
}

/// A vocabulary of texts.
#[derive(Clone)]
pub(crate) struct SentencePiece {
    pub(crate) parts: Parts,
    merges: PairMerges,
    /// Ordinary tokens; not those of bytes.
    ids: ByteHashMap<Vec<u8>, u32>,
    /// What each id is when it becomes text.
    decoded: Vec<Vec<u8>>,
    borders: Borders,
}

impl SentencePiece {
    /// The bytes of a token as part of a text.
    pub(crate) fn bytes(&self, id: u32) -> Option<&[u8]> {
        let bytes = self.decoded.get(id as usize)?;
        Some(bytes.as_slice()).filter(|bytes| !bytes.is_empty())
    }

    /// Whether `bytes` are what a token written as `text` becomes.
    pub(crate) fn is_text_of(bytes: &[u8], text: &str) -> bool {
        bytes == text.replace(SPACE, " ").as_bytes()
    }

    pub(crate) fn len(&self) -> usize {
        self.decoded.len()
    }

    pub(crate) fn strips_first_space(&self) -> bool {
        self.parts.strips_first_space
    }

    /// The text of each id as files have it: `<0x0A>` for a byte, empty for no token.
    pub(crate) fn texts(&self) -> Vec<String> {
        let mut texts = self.parts.tokens.clone();
        for (byte, id) in self.parts.bytes.iter().enumerate() {
            if let Some(text) = texts.get_mut(*id as usize) {
                *text = format!("<0x{byte:02X}>");
            }
        }
        texts
    }

    /// Left, right and joined ids, the pair that is joined first at the front.
    pub(crate) fn pairs(&self) -> &[(u32, u32, u32)] {
        self.merges.pairs()
    }

    /// Appends the ids of `text`; `first` says whether it begins the whole text.
    pub(crate) fn encode_into(&self, text: &str, first: bool, ids: &mut Vec<u32>) {
        if text.is_empty() {
            return;
        }
        let text = self.with_visible_spaces(text, first);
        let start = ids.len();
        if self.parts.splits_at_spaces {
            let mut from = 0;
            for (at, _) in text.match_indices(SPACE).filter(|(at, _)| *at > 0) {
                self.encode_stretch(&text[from..at], ids);
                from = at;
            }
            self.encode_stretch(&text[from..], ids);
        } else {
            self.encode_stretch(&text, ids);
        }
        if self.parts.fuses_unknown {
            self.fuse_unknown(start, ids);
        }
    }

    /// The text with `▁` for each space, and before it if the vocabulary wants one there.
    fn with_visible_spaces(&self, text: &str, first: bool) -> String {
        let has_space = text.starts_with([' ', SPACE]);
        let adds = match self.parts.first_space {
            FirstSpace::Never => false,
            FirstSpace::EachPart => true,
            FirstSpace::EachPartIfMissing => !has_space,
            FirstSpace::FirstPartIfMissing => first && !has_space,
        };
        let mut visible = String::with_capacity(text.len() + text.len() / 2);
        if adds {
            visible.push(SPACE);
        }
        for (at, word) in text.split(' ').enumerate() {
            if at > 0 {
                visible.push(SPACE);
            }
            visible.push_str(word);
        }
        visible
    }

    /// Encodes a stretch of text within which tokens may reach anywhere.
    fn encode_stretch(&self, text: &str, ids: &mut Vec<u32>) {
        if self.parts.whole_pieces
            && let Some(id) = self.ids.get(text.as_bytes())
        {
            ids.push(*id);
            return;
        }
        let mut cache = PieceCache::for_text(text.len());
        let mut room = MergeRoom::default();
        let mut rest = text;
        while !rest.is_empty() {
            let length = self.borders.first(rest);
            let (piece, after) = rest.split_at(length);
            cache.extend(ids, rest.as_bytes(), length, |ids| {
                let symbols = piece.chars().flat_map(|character| self.symbols(character));
                self.merges.merge(symbols, &mut room, ids);
            });
            rest = after;
        }
    }

    /// The id of a character, or of its bytes, or the unknown one.
    fn symbols(&self, character: char) -> impl Iterator<Item = u32> + use<> {
        let (mut buffer, mut ids) = ([0; 4], [0; 4]);
        let bytes = character.encode_utf8(&mut buffer).as_bytes();
        let n_ids = if let Some(id) = self.ids.get(bytes) {
            ids[0] = *id;
            1
        } else if !self.parts.bytes.is_empty() {
            // All 256 bytes have a token, or none has.
            for (id, byte) in ids.iter_mut().zip(bytes) {
                *id = self.parts.bytes[usize::from(*byte)];
            }
            bytes.len()
        } else {
            ids[0] = self.parts.unknown.unwrap_or_default();
            usize::from(self.parts.unknown.is_some())
        };
        ids.into_iter().take(n_ids)
    }

    /// Leaves one of several unknown tokens in a row.
    fn fuse_unknown(&self, start: usize, ids: &mut Vec<u32>) {
        let Some(unknown) = self.parts.unknown.filter(|_| self.parts.bytes.is_empty()) else {
            return;
        };
        let mut kept = start;
        for at in start..ids.len() {
            let repeated = kept > start && ids[kept - 1] == unknown && ids[at] == unknown;
            if !repeated {
                ids[kept] = ids[at];
                kept += 1;
            }
        }
        ids.truncate(kept);
    }
}
