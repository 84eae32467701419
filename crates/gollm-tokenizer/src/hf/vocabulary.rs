//! The vocabulary and the merges of a `tokenizer.json`.

use serde_json::{Map, Value};

use super::added::Added;
use super::json::{array, flag, get, id, object, shown, wrong};
use crate::byte_alphabet::ByteAlphabet;
use crate::byte_level::ByteLevel;
use crate::pair_merges::PairMerges;
use crate::quote::quoted;
use crate::sentence_piece::{FirstSpace, Order, Parts, SentencePiece};
use crate::{Pattern, Result};

/// How many ids may stand for nothing. Files with gaps leave some hundred; a table is made with a place
/// for each, so a large one in a small file is refused.
const MAX_GAPS: usize = 4096;

/// The model of a `tokenizer.json`: a vocabulary and merges.
pub(super) struct Bpe<'a> {
    model: &'a Value,
    vocab: &'a Map<String, Value>,
}

impl<'a> Bpe<'a> {
    pub(super) fn of(file: &'a Value) -> Result<Self> {
        let model = get(file, "model").ok_or_else(|| wrong("`model` is missing"))?;
        // Files of before 2020 do not say which kind of model it is.
        match get(model, "type").map_or(Some("BPE"), Value::as_str) {
            Some("BPE") => {}
            Some(other) => {
                return Err(wrong(format!(
                    "its model is of type {}, which is not read; BPE is",
                    quoted(other)
                )));
            }
            None => return Err(wrong("`type` of its model is no string")),
        }
        let is_empty = |key| get(model, key).is_none_or(|value| value.as_str() == Some(""));
        for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
            if !is_empty(key) {
                return Err(wrong(format!("`{key}` is set, which is not known here")));
            }
        }
        if get(model, "dropout").is_some_and(|value| value.as_f64() != Some(0.0)) {
            return Err(wrong("`dropout` is set: each encoding would differ"));
        }
        let vocab = object(model, "vocab")?;
        Ok(Bpe { model, vocab })
    }

    /// The id of a token, by its text.
    pub(super) fn id(&self, token: &str) -> Result<Option<u32>> {
        self.vocab
            .get(token)
            .map(|value| id(value, token))
            .transpose()
    }

    /// An added token that is in the vocabulary as well has the same id there.
    pub(super) fn check_ids(&self, added: &Added) -> Result<()> {
        for (text, id) in added.iter() {
            let other = self.id(text)?.filter(|other| *other != id);
            if let Some(other) = other {
                let shown = quoted(text);
                return Err(wrong(format!(
                    "added token {shown} has id {id}, and {other} in the vocabulary"
                )));
            }
        }
        Ok(())
    }

    /// A place for each id, filled by `token` for all tokens that are not special.
    fn table<T: Default + Clone + PartialEq>(
        &self,
        added: &Added,
        token: impl Fn(&str) -> Result<Option<T>>,
    ) -> Result<Vec<T>> {
        let mut largest = 0;
        for (text, value) in self.vocab {
            largest = largest.max(id(value, text)? as usize);
        }
        let most = self.vocab.len() + added.len() + MAX_GAPS;
        if largest >= most {
            let n_tokens = self.vocab.len();
            return Err(wrong(format!(
                "the largest id is {largest}, expected less than {most} for {n_tokens} tokens"
            )));
        }
        let mut table = vec![
            T::default();
            if self.vocab.is_empty() {
                0
            } else {
                largest + 1
            }
        ];
        for (text, value) in self.vocab {
            let id = id(value, text)?;
            if added.is_special(text) {
                continue;
            }
            if let (Some(found), Some(place)) = (token(text)?, table.get_mut(id as usize)) {
                if *place != T::default() {
                    return Err(wrong(format!(
                        "id {id} belongs to {} and another",
                        quoted(text)
                    )));
                }
                *place = found;
            }
        }
        Ok(table)
    }

    /// Left and right of each merge, and both together.
    fn merges(&self) -> Result<Vec<(&'a str, &'a str)>> {
        let merges = array(self.model, "merges")?.iter().enumerate();
        merges.map(|(index, merge)| pair(index, merge)).collect()
    }

    pub(super) fn byte_level(&self, pattern: Pattern, added: &Added) -> Result<ByteLevel> {
        let alphabet = ByteAlphabet::new();
        let token = |text: &str| match alphabet.read(text) {
            // An added token's text is what it says, and not bytes in disguise.
            Ok(bytes) if added.contains(text) => Ok(Some(bytes).filter(|b| b == text.as_bytes())),
            Ok(bytes) => Ok(Some(bytes)),
            Err(_) if added.contains(text) => Ok(None),
            Err(character) => Err(wrong(format!(
                "token {} holds {character:?}, which stands for no byte, and is no added token",
                quoted(text)
            ))),
        };
        let tokens = self.table(added, token)?;
        let mut merges = PairMerges::default();
        for (index, (left, right)) in self.merges()?.into_iter().enumerate() {
            let id = |text: &str| self.merged_id(index, text, added);
            merges.push(id(left)?, id(right)?, id(&format!("{left}{right}"))?);
        }
        let mut method = ByteLevel::with_merges(tokens, pattern, merges)?;
        method.whole_pieces = flag(self.model, "ignore_merges", false)?;
        Ok(method)
    }

    pub(super) fn sentence_piece(
        &self,
        (first_space, splits_at_spaces): (FirstSpace, bool),
        strips_first_space: bool,
        added: &Added,
    ) -> Result<SentencePiece> {
        let tokens = self.table(added, |text| Ok(Some(text.to_owned())))?;
        let mut merges = Vec::new();
        for (index, (left, right)) in self.merges()?.into_iter().enumerate() {
            let id = |text: &str| self.merged_id(index, text, added);
            merges.push((id(left)?, id(right)?));
        }
        let bytes = match flag(self.model, "byte_fallback", false)? {
            true => self.byte_tokens()?,
            false => Vec::new(),
        };
        let unknown = match get(self.model, "unk_token") {
            None => None,
            Some(Value::String(text)) => self.id(text)?,
            Some(other) => return Err(wrong(format!("`unk_token` is {}", shown(other)))),
        };
        SentencePiece::new(Parts {
            tokens,
            bytes,
            unknown,
            fuses_unknown: flag(self.model, "fuse_unk", false)?,
            order: Order::Merges(merges),
            first_space,
            strips_first_space,
            splits_at_spaces,
            whole_pieces: flag(self.model, "ignore_merges", false)?,
        })
    }

    /// The tokens of the 256 bytes, or none if there is not one.
    fn byte_tokens(&self) -> Result<Vec<u32>> {
        let mut ids = Vec::new();
        for byte in 0..=255u8 {
            ids.extend(self.id(&format!("<0x{byte:02X}>"))?);
        }
        Ok(ids)
    }

    fn merged_id(&self, index: usize, text: &str, added: &Added) -> Result<u32> {
        let shown = quoted(text);
        if added.is_special(text) {
            return Err(wrong(format!("merge {index}: {shown} is a special token")));
        }
        let id = self.id(text)?;
        id.ok_or_else(|| wrong(format!("merge {index}: {shown} is no token")))
    }
}

/// A merge is a pair of strings, or in older files one string with a space between the two.
fn pair(index: usize, merge: &Value) -> Result<(&str, &str)> {
    let pair = match merge {
        Value::String(text) => text.split_once(' '),
        Value::Array(pair) => match pair.as_slice() {
            [Value::String(left), Value::String(right)] => Some((left.as_str(), right.as_str())),
            _ => None,
        },
        _ => None,
    };
    let pair = pair.filter(|(left, right)| !left.is_empty() && !right.is_empty());
    pair.ok_or_else(|| {
        let shown = shown(merge);
        wrong(format!("merge {index} is {shown}, expected two tokens"))
    })
}
