//! Whether the parts of a file fit together, and the tables that are made from them.

use super::borders::Borders;
use super::order::merges_of_scores;
use super::{Order, Parts, SPACE, SentencePiece};
use crate::fast::byte_hash::ByteHashMap;
use crate::pair_merges::PairMerges;
use crate::quote::quoted;
use crate::vocabulary::MAX_VOCAB_SIZE;
use crate::{Error, Result};

/// The longest token, in bytes. Published ones stay below 100; the bound keeps the making of merges from
/// scores, which cuts each token everywhere, from being slow for a file that was made to be slow.
const MAX_TOKEN_BYTES: usize = 1024;

impl SentencePiece {
    /// # Errors
    ///
    /// [`Error::Vocabulary`] for a part that refers to a token that is not there, for a text that is there
    /// twice or too long, for a score that is no number, and where some characters would have neither a
    /// token nor bytes nor an unknown token; [`Error::VocabSizeTooLarge`] above [`MAX_VOCAB_SIZE`].
    pub(crate) fn new(parts: Parts) -> Result<Self> {
        if parts.tokens.len() > MAX_VOCAB_SIZE {
            return Err(Error::VocabSizeTooLarge {
                vocab_size: parts.tokens.len(),
                maximum: MAX_VOCAB_SIZE,
            });
        }
        let is_byte = check_bytes(&parts)?;
        let ids = ids_of_texts(&parts.tokens, &is_byte)?;
        let merges = match &parts.order {
            Order::Scores(scores) => {
                check_scores(scores, parts.tokens.len())?;
                merges_of_scores(&parts.tokens, &ids, scores)
            }
            Order::Merges(pairs) => merges_of_pairs(&parts.tokens, &ids, pairs)?,
        };
        let decoded = decoded(&parts, &is_byte);
        let texts = parts.tokens.iter().zip(&is_byte);
        let texts = texts.filter(|(_, is_byte)| !**is_byte);
        Ok(SentencePiece {
            merges,
            borders: Borders::of(texts.map(|(token, _)| token.as_str())),
            ids,
            decoded,
            parts,
        })
    }
}

fn wrong(problem: String) -> Error {
    Error::Vocabulary { problem }
}

/// Which ids stand for a byte.
fn check_bytes(parts: &Parts) -> Result<Vec<bool>> {
    let mut is_byte = vec![false; parts.tokens.len()];
    let n_bytes = parts.bytes.len();
    if n_bytes == 0 && parts.unknown.is_none() {
        let problem = "it has neither tokens for bytes nor an unknown token, so some text could not \
                       be encoded";
        return Err(wrong(problem.to_owned()));
    }
    if n_bytes != 0 && n_bytes != 256 {
        return Err(wrong(format!(
            "{n_bytes} bytes have a token; expected all 256, or none"
        )));
    }
    for (byte, id) in parts.bytes.iter().enumerate() {
        let place = is_byte.get_mut(*id as usize);
        match place.filter(|place| !**place) {
            Some(place) => *place = true,
            None => {
                return Err(wrong(format!(
                    "byte 0x{byte:02X} has id {id}, which is no id or another byte's"
                )));
            }
        }
    }
    Ok(is_byte)
}

fn ids_of_texts(tokens: &[String], is_byte: &[bool]) -> Result<ByteHashMap<Vec<u8>, u32>> {
    let mut ids = ByteHashMap::default();
    for ((id, token), is_byte) in (0u32..).zip(tokens).zip(is_byte) {
        if token.is_empty() || *is_byte {
            continue;
        }
        if token.len() > MAX_TOKEN_BYTES {
            return Err(wrong(format!(
                "token {id} ({}) has {} bytes, expected at most {MAX_TOKEN_BYTES}",
                quoted(token),
                token.len()
            )));
        }
        if let Some(first) = ids.insert(token.as_bytes().to_vec(), id) {
            let shown = quoted(token);
            return Err(wrong(format!(
                "ids {first} and {id} both stand for {shown}"
            )));
        }
    }
    Ok(ids)
}

fn check_scores(scores: &[f32], n_tokens: usize) -> Result<()> {
    if scores.len() != n_tokens {
        let n_scores = scores.len();
        return Err(wrong(format!("{n_scores} scores for {n_tokens} tokens")));
    }
    match scores.iter().position(|score| !score.is_finite()) {
        Some(id) => Err(wrong(format!("the score of token {id} is {}", scores[id]))),
        None => Ok(()),
    }
}

fn merges_of_pairs(
    tokens: &[String],
    ids: &ByteHashMap<Vec<u8>, u32>,
    pairs: &[(u32, u32)],
) -> Result<PairMerges> {
    let mut merges = PairMerges::default();
    for (index, (left, right)) in pairs.iter().enumerate() {
        let text = |id: u32| {
            let text = tokens.get(id as usize).filter(|text| !text.is_empty());
            text.ok_or_else(|| wrong(format!("merge {index} names id {id}, which is no token")))
        };
        let together = format!("{}{}", text(*left)?, text(*right)?);
        let joined = ids.get(together.as_bytes()).ok_or_else(|| {
            let shown = quoted(&together);
            wrong(format!("merge {index} makes {shown}, which is no token"))
        })?;
        merges.push(*left, *right, *joined);
    }
    Ok(merges)
}

/// What each id is as part of a text.
fn decoded(parts: &Parts, is_byte: &[bool]) -> Vec<Vec<u8>> {
    let texts = parts.tokens.iter().zip(is_byte);
    let texts = texts.map(|(token, is_byte)| match is_byte {
        true => Vec::new(),
        false => token.replace(SPACE, " ").into_bytes(),
    });
    let mut decoded: Vec<Vec<u8>> = texts.collect();
    for (byte, id) in (0u8..=255).zip(&parts.bytes) {
        decoded[*id as usize] = vec![byte];
    }
    decoded
}
