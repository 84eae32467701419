//! The texts of an iterable, read a few at a time while Rust works.

use std::collections::VecDeque;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyIterator, PyString};

/// Texts are fetched until they have this many bytes together: seldom enough that changing over to
/// Python costs nothing, often enough that little text is in memory.
const BATCH_BYTES: usize = 1 << 20;

/// A Rust iterator over a Python iterable, for code that runs detached from the interpreter.
///
/// An exception that the iterable raises ends the iteration and is kept for [`Texts::finish`],
/// since the code that iterates can only be told that there is no more.
pub(crate) struct Texts {
    iterator: Py<PyIterator>,
    fetched: VecDeque<PyBackedStr>,
    at_end: bool,
    failure: Option<PyErr>,
}

impl Texts {
    pub(crate) fn new(texts: &Bound<'_, PyAny>) -> PyResult<Self> {
        if texts.is_instance_of::<PyString>() {
            // It would be read as one text per character.
            return Err(PyTypeError::new_err(
                "texts is a str, expected an iterable of str; for a single text give [text]",
            ));
        }
        Ok(Self {
            iterator: texts.try_iter()?.unbind(),
            fetched: VecDeque::new(),
            at_end: false,
            failure: None,
        })
    }

    /// The exception that ended the iteration, if one did.
    pub(crate) fn finish(self) -> PyResult<()> {
        self.failure.map_or(Ok(()), Err)
    }

    fn fetch(&mut self, py: Python<'_>) -> PyResult<()> {
        // A long iteration can be ended with Ctrl-C.
        py.check_signals()?;
        let mut n_bytes = 0;
        for text in self.iterator.bind(py).clone() {
            let text: PyBackedStr = text?.extract()?;
            n_bytes += text.len();
            self.fetched.push_back(text);
            if n_bytes >= BATCH_BYTES {
                return Ok(());
            }
        }
        self.at_end = true;
        Ok(())
    }
}

impl Iterator for Texts {
    type Item = PyBackedStr;

    fn next(&mut self) -> Option<PyBackedStr> {
        if self.fetched.is_empty()
            && !self.at_end
            && let Err(failure) = Python::attach(|py| self.fetch(py))
        {
            self.at_end = true;
            self.fetched.clear();
            self.failure = Some(failure);
        }
        self.fetched.pop_front()
    }
}
