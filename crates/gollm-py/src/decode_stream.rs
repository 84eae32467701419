//! Decoding one id at a time.

use std::sync::{Arc, Mutex, PoisonError};

use gollm_tokenizer::Tokenizer;
use pyo3::prelude::*;

use crate::error::Result;

/// The ids that can still matter: at most three bytes are held back, the beginning of a character,
/// and every id stands for at least one byte.
const MOST_IDS: usize = 3;

/// Turns ids into text as they arrive, never showing half a character.
///
/// Made by `Tokenizer.stream()`. Everything that `push` and `finish` return, put together, equals
/// `Tokenizer.decode` of the same ids.
#[pyclass(module = "gollm", frozen)]
pub(crate) struct DecodeStream {
    tokenizer: Arc<Tokenizer>,
    /// The last ids. The tokenizer's own stream borrows the tokenizer, which a Python object cannot
    /// do, so it is made anew for each call and brought up to date with these. Where the replay
    /// begins inside a character makes no difference to what is held back at its end: that starts
    /// with a byte that no earlier character can contain.
    last: Mutex<Vec<u32>>,
}

impl DecodeStream {
    pub(crate) fn new(tokenizer: Arc<Tokenizer>) -> Self {
        let last = Mutex::new(Vec::with_capacity(MOST_IDS + 1));
        Self { tokenizer, last }
    }
}

#[pymethods]
impl DecodeStream {
    /// Takes the next id and returns the text that is certain now, often empty.
    ///
    /// Raises ValueError for an id that the vocabulary does not have; the stream stays as it was.
    #[pyo3(signature = (id, /))]
    fn push(&self, id: u32) -> Result<String> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stream = self.tokenizer.stream();
        for &earlier in last.iter() {
            stream.push(earlier)?;
        }
        let text = stream.push(id)?;
        last.push(id);
        if last.len() > MOST_IDS {
            last.remove(0);
        }
        Ok(text)
    }

    /// Ends the stream: what was held back is half a character, shown as U+FFFD. The stream can be
    /// used again, for another text.
    fn finish(&self) -> Result<String> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stream = self.tokenizer.stream();
        for earlier in last.drain(..) {
            stream.push(earlier)?;
        }
        Ok(stream.finish())
    }
}
