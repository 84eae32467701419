//! A vocabulary as programs in C like it: for each id a score, a length and that many bytes.
//!
//! llama2.c and distributed-llama have the same list behind different heads. A SentencePiece vocabulary in
//! it is always arranged as Llama's: ids 0, 1 and 2 are the unknown token and those that begin and end a
//! text, and the next 256 are the bytes.

use crate::little_endian::{LittleEndian, wrong};
use crate::quote::quoted;
use crate::sentence_piece::{FirstSpace, Order, Parts, SPACE, SentencePiece};
use crate::{Result, Roles, Tokenizer};

const SPECIAL: [&str; 3] = ["<unk>", "<s>", "</s>"];
/// The id of byte 0.
const FIRST_BYTE: u32 = SPECIAL.len() as u32;
const N_BEFORE_TEXTS: usize = SPECIAL.len() + 256;

/// The bytes and the score of each id.
pub(crate) struct ScoredList<'a> {
    /// What the file is called in messages.
    file: &'static str,
    pub(crate) tokens: Vec<&'a [u8]>,
    pub(crate) scores: Vec<f32>,
}

/// How the tokens of single bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ByteSpelling {
    /// `<0x41>`.
    Named,
    /// The byte itself.
    Raw,
}

impl<'a> ScoredList<'a> {
    /// Reads all that is left of a file; no token may have more than `longest` bytes.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Metadata`] for a length that is negative or above `longest`, and for a file that
    /// ends within an entry.
    pub(crate) fn read(reader: &mut LittleEndian<'a>, longest: i32) -> Result<Self> {
        let file = reader.file();
        let (mut tokens, mut scores) = (Vec::new(), Vec::new());
        while !reader.is_at_end() {
            let (score, length) = (reader.f32()?, reader.i32()?);
            let n_bytes = usize::try_from(length).ok().filter(|_| length <= longest);
            let n_bytes = n_bytes.ok_or_else(|| {
                let id = tokens.len();
                let problem =
                    format!("token {id} has the length {length}, expected 0 to {longest}");
                wrong(file, problem)
            })?;
            tokens.push(reader.take(n_bytes)?);
            scores.push(score);
        }
        Ok(ScoredList {
            file,
            tokens,
            scores,
        })
    }

    /// How the bytes of a SentencePiece vocabulary are written, if this is one.
    pub(crate) fn byte_spelling(&self) -> Option<ByteSpelling> {
        let bytes = self.tokens.get(SPECIAL.len()..N_BEFORE_TEXTS)?;
        if bytes.first() == Some(&b"<0x00>".as_slice()) {
            return Some(ByteSpelling::Named);
        }
        let mut pairs = (0..=255u8).zip(bytes);
        let is_raw = pairs.all(|(byte, token)| *token == [byte]);
        is_raw.then_some(ByteSpelling::Raw)
    }

    /// A tokenizer of SentencePiece's kind.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Metadata`] for too few tokens, bytes that are not where they belong, and text that
    /// is not UTF-8; [`crate::Error::Vocabulary`] for tokens that do not make a vocabulary.
    pub(crate) fn sentence_piece(self, spelling: ByteSpelling, roles: Roles) -> Result<Tokenizer> {
        let n_tokens = self.tokens.len();
        if n_tokens < N_BEFORE_TEXTS {
            let problem = format!(
                "it has {n_tokens} tokens, expected at least {N_BEFORE_TEXTS}: 3 marks and 256 bytes"
            );
            return Err(wrong(self.file, problem));
        }
        let texts = self.tokens.iter().enumerate();
        let texts = texts.map(|(id, token)| self.text_of(id, token, spelling));
        let method = SentencePiece::new(Parts {
            tokens: texts.collect::<Result<_>>()?,
            bytes: (FIRST_BYTE..FIRST_BYTE + 256).collect(),
            unknown: Some(0),
            fuses_unknown: true,
            order: Order::Scores(self.scores),
            first_space: FirstSpace::EachPart,
            strips_first_space: true,
            splits_at_spaces: false,
            whole_pieces: false,
        })?;
        let special = SPECIAL.map(str::to_owned).into_iter().zip(0..).collect();
        Tokenizer::of_sentence_piece(method, special, Vec::new(), roles)
    }

    /// What merging sees of a token; empty for marks and bytes.
    fn text_of(&self, id: usize, token: &[u8], spelling: ByteSpelling) -> Result<String> {
        let shown = || quoted(&String::from_utf8_lossy(token));
        if id < SPECIAL.len() {
            return Ok(String::new());
        }
        if id < N_BEFORE_TEXTS {
            let byte = id - SPECIAL.len();
            let expected = format!("<0x{byte:02X}>");
            let fits = spelling == ByteSpelling::Raw || token == expected.as_bytes();
            return match fits {
                true => Ok(String::new()),
                false => {
                    let problem = format!("token {id} is {}, expected {expected}", shown());
                    Err(wrong(self.file, problem))
                }
            };
        }
        let text = std::str::from_utf8(token);
        let text = text.map_err(|_| {
            let problem = format!("token {id} ({}) is not UTF-8", shown());
            wrong(self.file, problem)
        })?;
        Ok(text.replace(' ', SPACE.encode_utf8(&mut [0; 4])))
    }
}
