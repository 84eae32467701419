//! Decoding one id at a time without ever showing half a character.

use crate::{Result, Tokenizer};

/// Turns ids into text as they arrive; made by [`Tokenizer::stream`].
///
/// A token may end in the middle of a character: an emoji is four bytes, often two or three
/// tokens. Such bytes are held back until the rest arrives. Everything returned, concatenated,
/// equals [`Tokenizer::decode`] of the same ids.
///
/// # Examples
///
/// ```
/// use gollm_tokenizer::{Pattern, Tokenizer};
///
/// let bytes = (0..=255).map(|byte| vec![byte]).collect();
/// let tokenizer = Tokenizer::new(bytes, Pattern::Gpt2, Vec::new())?;
/// let mut stream = tokenizer.stream();
/// assert_eq!(stream.push(0xC3)?, ""); // the first of the two bytes of "é"
/// assert_eq!(stream.push(0xA9)?, "é");
/// assert_eq!(stream.finish(), "");
/// # Ok::<(), gollm_tokenizer::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct DecodeStream<'a> {
    tokenizer: &'a Tokenizer,
    /// The beginning of a character, at most three bytes between two calls.
    held_back: Vec<u8>,
    /// Whether the next id is the first of a text.
    begins: bool,
}

impl<'a> DecodeStream<'a> {
    pub(crate) fn new(tokenizer: &'a Tokenizer, begins: bool) -> Self {
        DecodeStream {
            tokenizer,
            held_back: Vec::new(),
            begins,
        }
    }

    /// Takes the next id and returns the text that is certain now, often empty.
    ///
    /// # Errors
    ///
    /// [`crate::Error::UnknownId`] for an id that the vocabulary does not have; the stream
    /// stays as it was.
    pub fn push(&mut self, id: u32) -> Result<String> {
        let token = self.tokenizer.known_bytes(id)?;
        let begins = std::mem::replace(&mut self.begins, false);
        self.held_back.extend_from_slice(match begins {
            true => self.tokenizer.without_first_space(token),
            false => token,
        });
        let mut text = String::new();
        let mut kept = 0;
        for chunk in self.held_back.utf8_chunks() {
            text.push_str(chunk.valid());
            kept += chunk.valid().len();
            if chunk.invalid().is_empty() {
                continue;
            }
            if kept + chunk.invalid().len() == self.held_back.len()
                && is_incomplete(chunk.invalid())
            {
                break;
            }
            text.push(char::REPLACEMENT_CHARACTER);
            kept += chunk.invalid().len();
        }
        self.held_back.drain(..kept);
        Ok(text)
    }

    /// Ends the stream: what was held back is half a character, shown as U+FFFD.
    pub fn finish(self) -> String {
        String::from_utf8_lossy(&self.held_back).into_owned()
    }
}

/// Whether more bytes could still make a character of these.
fn is_incomplete(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}
