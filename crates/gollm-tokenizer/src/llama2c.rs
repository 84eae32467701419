//! llama2.c's `tokenizer.bin`: a SentencePiece vocabulary as scores, lengths and bytes.
//!
//! The file is the length of the longest token (32 bits), then for each id a score (f32), a length (32
//! bits) and that many bytes, all little-endian. How many ids there are is not in it. A token's `▁` is
//! written as a space; ids 0, 1 and 2 are the unknown token and those that begin and end a text, and the
//! next 256 are the bytes.
//!
//! Source: `tokenizer.py` and `run.c` of <https://github.com/karpathy/llama2.c>.

use crate::little_endian::LittleEndian;
use crate::scored_list::{ByteSpelling, ScoredList};
use crate::{Result, Roles, Tokenizer};

const FILE: &str = "llama2.c's tokenizer.bin";

impl Tokenizer {
    /// Reads the bytes of llama2.c's `tokenizer.bin`.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Metadata`] for bytes of another form; [`crate::Error::Vocabulary`] for tokens that
    /// do not make a vocabulary.
    pub fn from_llama2c(bytes: &[u8]) -> Result<Self> {
        let mut reader = LittleEndian::new(FILE, bytes);
        let longest = reader.i32()?;
        let list = ScoredList::read(&mut reader, longest)?;
        let roles = Roles {
            begin: Some(1),
            end: vec![2],
        };
        list.sentence_piece(ByteSpelling::Named, roles)
    }
}
