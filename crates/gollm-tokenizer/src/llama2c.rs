//! llama2.c's `tokenizer.bin`: a SentencePiece vocabulary as scores, lengths and bytes.
//!
//! The file is the length of the longest token (32 bits), then for each id a score (f32), a length (32
//! bits) and that many bytes, all little-endian. How many ids there are is not in it. A token's `▁` is
//! written as a space; ids 0, 1 and 2 are the unknown token and those that begin and end a text, and the
//! next 256 are the bytes.
//!
//! Source: `tokenizer.py` and `run.c` of <https://github.com/karpathy/llama2.c>.

use crate::quote::quoted;
use crate::sentence_piece::{FirstSpace, Order, Parts, SPACE, SentencePiece};
use crate::{Error, Result, Roles, Tokenizer};

const SPECIAL: [&str; 3] = ["<unk>", "<s>", "</s>"];
/// The id of byte 0.
const FIRST_BYTE: u32 = SPECIAL.len() as u32;
const N_BEFORE_TEXTS: usize = SPECIAL.len() + 256;

impl Tokenizer {
    /// Reads the bytes of llama2.c's `tokenizer.bin`.
    ///
    /// # Errors
    ///
    /// [`Error::Metadata`] for bytes of another form; [`Error::Vocabulary`] for tokens that do not make a
    /// vocabulary.
    pub fn from_llama2c(bytes: &[u8]) -> Result<Self> {
        let (tokens, scores) = read_entries(bytes)?;
        if tokens.len() < N_BEFORE_TEXTS {
            let n_tokens = tokens.len();
            return Err(wrong(format!(
                "it has {n_tokens} tokens, expected at least {N_BEFORE_TEXTS}: 3 marks and 256 bytes"
            )));
        }
        let mut texts = Vec::with_capacity(tokens.len());
        for (id, token) in tokens.iter().enumerate() {
            texts.push(text_of(id, token)?);
        }
        let method = SentencePiece::new(Parts {
            tokens: texts,
            bytes: (FIRST_BYTE..FIRST_BYTE + 256).collect(),
            unknown: Some(0),
            fuses_unknown: true,
            order: Order::Scores(scores),
            first_space: FirstSpace::EachPart,
            strips_first_space: true,
            splits_at_spaces: false,
            whole_pieces: false,
        })?;
        let special = SPECIAL.map(str::to_owned).into_iter().zip(0..).collect();
        let roles = Roles {
            begin: Some(1),
            end: vec![2],
        };
        Tokenizer::of_sentence_piece(method, special, Vec::new(), roles)
    }
}

fn wrong(problem: String) -> Error {
    Error::Metadata {
        problem: format!("llama2.c's tokenizer.bin: {problem}"),
    }
}

/// The bytes and the score of each id.
fn read_entries(bytes: &[u8]) -> Result<(Vec<&[u8]>, Vec<f32>)> {
    let (mut tokens, mut scores) = (Vec::new(), Vec::new());
    let cut = |rest: &[u8]| {
        let at = bytes.len() - rest.len();
        wrong(format!(
            "it ends at byte {} within what begins at {at}",
            bytes.len()
        ))
    };
    let (longest, mut rest) = bytes.split_first_chunk().ok_or_else(|| cut(bytes))?;
    let longest = i32::from_le_bytes(*longest);
    while !rest.is_empty() {
        let whole = rest;
        let (score, after) = rest.split_first_chunk().ok_or_else(|| cut(whole))?;
        let (length, after) = after.split_first_chunk().ok_or_else(|| cut(whole))?;
        let length = i32::from_le_bytes(*length);
        if length < 0 || length > longest {
            let id = tokens.len();
            return Err(wrong(format!(
                "token {id} has the length {length}, expected 0 to {longest}"
            )));
        }
        // Not negative, so it fits.
        let (token, after) = after
            .split_at_checked(length as usize)
            .ok_or_else(|| cut(whole))?;
        tokens.push(token);
        scores.push(f32::from_le_bytes(*score));
        rest = after;
    }
    Ok((tokens, scores))
}

/// What merging sees of a token; empty for marks and bytes.
fn text_of(id: usize, token: &[u8]) -> Result<String> {
    let shown = || quoted(&String::from_utf8_lossy(token));
    if id < SPECIAL.len() {
        return Ok(String::new());
    }
    if let Some(byte) = id.checked_sub(SPECIAL.len()).filter(|byte| *byte < 256) {
        let expected = format!("<0x{byte:02X}>");
        return match token == expected.as_bytes() {
            true => Ok(String::new()),
            false => Err(wrong(format!(
                "token {id} is {}, expected {expected}",
                shown()
            ))),
        };
    }
    let text = std::str::from_utf8(token);
    let text = text.map_err(|_| wrong(format!("token {id} ({}) is not UTF-8", shown())))?;
    Ok(text.replace(' ', SPACE.encode_utf8(&mut [0; 4])))
}
