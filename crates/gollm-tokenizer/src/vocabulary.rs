//! The two-way table between byte strings and ids, without special tokens.

use crate::fast::byte_hash::ByteHashMap;
use crate::fast::short_tokens::{self, ShortTokens};
use crate::{Error, Result};

/// The largest number of ids that this crate accepts.
///
/// No published vocabulary comes near it; a file that asks for more is damaged or hostile.
pub const MAX_VOCAB_SIZE: usize = 1 << 24;

/// Byte strings and their ids (ranks). Every single byte is among them, so that any text, and
/// any bytes, can be encoded.
#[derive(Debug, Clone)]
pub(crate) struct Vocabulary {
    tokens: Vec<Vec<u8>>,
    short: ShortTokens,
    /// Those that are too long for `short`.
    long: ByteHashMap<Vec<u8>, u32>,
    byte_ids: [u32; 256],
    longest: usize,
}

impl Vocabulary {
    /// Builds the table; `ranks[i]` is the byte string of id `i`.
    pub(crate) fn new(ranks: Vec<Vec<u8>>) -> Result<Self> {
        if let Some(id) = ranks.iter().position(Vec::is_empty) {
            let problem = format!("id {id} stands for no bytes at all");
            return Err(Error::Vocabulary { problem });
        }
        Self::with_gaps(ranks)
    }

    /// As [`Vocabulary::new`], where an empty byte string means that the id is no ordinary token.
    pub(crate) fn with_gaps(ranks: Vec<Vec<u8>>) -> Result<Self> {
        if ranks.len() > MAX_VOCAB_SIZE {
            return Err(Error::VocabSizeTooLarge {
                vocab_size: ranks.len(),
                maximum: MAX_VOCAB_SIZE,
            });
        }
        let mut vocabulary = Vocabulary {
            short: ShortTokens::with_capacity(ranks.len()),
            long: ByteHashMap::default(),
            byte_ids: [0; 256],
            longest: ranks.iter().map(Vec::len).max().unwrap_or(0),
            tokens: Vec::new(),
        };
        let tokens = (0u32..).zip(&ranks).filter(|(_, bytes)| !bytes.is_empty());
        for (id, bytes) in tokens {
            vocabulary.add(bytes, id)?;
        }
        for byte in 0u8..=255 {
            let Some(id) = vocabulary.id(&[byte]) else {
                let problem = format!(
                    "the single byte 0x{byte:02x} has no id; all 256 are needed, or some text \
                     could not be encoded"
                );
                return Err(Error::Vocabulary { problem });
            };
            vocabulary.byte_ids[usize::from(byte)] = id;
        }
        vocabulary.tokens = ranks;
        Ok(vocabulary)
    }

    fn add(&mut self, bytes: &[u8], id: u32) -> Result<()> {
        if let Some(first) = self.id(bytes) {
            let shown = bytes.escape_ascii();
            let problem = format!("ids {first} and {id} both stand for the bytes \"{shown}\"");
            return Err(Error::Vocabulary { problem });
        }
        if bytes.len() <= short_tokens::MAX_LENGTH {
            self.short.insert(bytes, id);
        } else {
            self.long.insert(bytes.to_vec(), id);
        }
        Ok(())
    }

    /// How many ids there are.
    pub(crate) fn len(&self) -> usize {
        self.tokens.len()
    }

    /// The byte strings in the order of their ids.
    pub(crate) fn tokens(&self) -> &[Vec<u8>] {
        &self.tokens
    }

    /// The id of a byte string.
    pub(crate) fn id(&self, bytes: &[u8]) -> Option<u32> {
        self.id_of_first(bytes, bytes.len())
    }

    /// The id of the first `length` of `bytes`. Quicker than to look for these bytes alone, if
    /// more follow them: see [`crate::fast::short_tokens`].
    #[inline]
    pub(crate) fn id_of_first(&self, bytes: &[u8], length: usize) -> Option<u32> {
        if length <= short_tokens::MAX_LENGTH {
            return self.short.get(bytes, length);
        }
        // A longer string cannot be a token, and hashing it would make long pieces slow.
        if length > self.longest {
            return None;
        }
        self.long.get(&bytes[..length]).copied()
    }

    /// The id of a single byte.
    pub(crate) fn byte_id(&self, byte: u8) -> u32 {
        self.byte_ids[usize::from(byte)]
    }

    /// The byte string of an id.
    pub(crate) fn bytes(&self, id: u32) -> Option<&[u8]> {
        self.tokens
            .get(usize::try_from(id).ok()?)
            .map(Vec::as_slice)
            .filter(|bytes| !bytes.is_empty())
    }
}
