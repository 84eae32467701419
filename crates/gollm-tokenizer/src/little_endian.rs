//! Little-endian numbers and bytes from the front of a file of another project, and never past its end.

use std::fmt::Display;

use crate::{Error, Result};

/// A file that is read from the front; every read is checked.
pub(crate) struct LittleEndian<'a> {
    /// What the file is called in messages.
    file: &'static str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> LittleEndian<'a> {
    pub(crate) fn new(file: &'static str, bytes: &'a [u8]) -> Self {
        LittleEndian { file, bytes, at: 0 }
    }

    pub(crate) fn file(&self) -> &'static str {
        self.file
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    pub(crate) fn i32(&mut self) -> Result<i32> {
        self.array().map(i32::from_le_bytes)
    }

    pub(crate) fn f32(&mut self) -> Result<f32> {
        self.array().map(f32::from_le_bytes)
    }

    /// The next `n` bytes.
    pub(crate) fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let taken = self.rest().get(..n).ok_or_else(|| self.cut())?;
        self.at += n;
        Ok(taken)
    }

    fn array(&mut self) -> Result<[u8; 4]> {
        let taken = *self.rest().first_chunk().ok_or_else(|| self.cut())?;
        self.at += taken.len();
        Ok(taken)
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn cut(&self) -> Error {
        let (length, at) = (self.bytes.len(), self.at);
        let problem = format!("it ends at byte {length} within what begins at {at}");
        wrong(self.file, problem)
    }
}

/// What is wrong with the file called `file`.
pub(crate) fn wrong(file: &str, problem: impl Display) -> Error {
    Error::Metadata {
        problem: format!("{file}: {problem}"),
    }
}
