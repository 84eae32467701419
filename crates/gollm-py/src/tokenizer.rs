//! The tokenizer.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use gollm_engine::{begin_of_text_id, end_of_text_ids};
use gollm_tokenizer::{Pattern, Roles, SPECIAL_TOKENS, TrainOptions};
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyBytes, PyDict};
use serde_json::Value;

use crate::decode_stream::DecodeStream;
use crate::encode_batch::encode_batch;
use crate::error::{Failure, Result};
use crate::ids::Ids;
use crate::texts::Texts;

/// The arrays that `encode_batch` returns: ids and offsets.
type BatchArrays<'py> = (Bound<'py, PyArray1<u32>>, Bound<'py, PyArray1<u64>>);

/// A byte-level BPE tokenizer: text to ids and back.
///
/// Made by `Tokenizer.train`, `load`, `from_json` or `from_ranks`; it never changes afterwards, and
/// may be used by several threads at a time. Ids 0 to 255 of a trained one are the single bytes,
/// then come the merges, then the special tokens.
#[pyclass(module = "gollm", frozen)]
pub(crate) struct Tokenizer {
    inner: Arc<gollm_tokenizer::Tokenizer>,
}

impl Tokenizer {
    pub(crate) fn new(inner: gollm_tokenizer::Tokenizer) -> Self {
        Self {
            inner: Arc::new(inner),
        }
    }

    pub(crate) fn shared(inner: Arc<gollm_tokenizer::Tokenizer>) -> Self {
        Self { inner }
    }
}

#[pymethods]
impl Tokenizer {
    /// Trains a tokenizer on an iterable of texts, which is read once and never held as a whole.
    ///
    /// `vocab_size` counts everything: 256 bytes, merges, special tokens. `pattern` is how text is
    /// cut into pieces before merging: "gpt2", "cl100k", "o200k", "llama3", "qwen2" or "smollm".
    /// `special_tokens` are the texts of the last ids, in this order; None stands for the five of
    /// gollm's own models, and an empty list for none. Other Python threads run meanwhile.
    ///
    /// Raises ValueError for a vocab_size that is too small, or too large for the text.
    #[staticmethod]
    #[pyo3(signature = (texts, vocab_size, pattern = "cl100k", special_tokens = None))]
    fn train(
        py: Python<'_>,
        texts: &Bound<'_, PyAny>,
        vocab_size: usize,
        pattern: &str,
        special_tokens: Option<Vec<String>>,
    ) -> Result<Self> {
        let standard = || SPECIAL_TOKENS.iter().map(ToString::to_string).collect();
        let options = TrainOptions {
            vocab_size,
            pattern: parse_pattern(pattern)?,
            special_tokens: special_tokens.unwrap_or_else(standard),
        };
        let mut texts = Texts::new(texts)?;
        let trained = py.detach(|| gollm_tokenizer::train(&mut texts, &options));
        // An exception of the iterable explains whatever the training made of the texts before it.
        texts.finish()?;
        Ok(Self::new(trained?))
    }

    /// Makes a tokenizer from the bytes of each id: a published vocabulary, for example.
    ///
    /// `ranks[i]` are the bytes of id `i`; all 256 single bytes must be among them.
    /// `special_tokens` gives further texts their ids.
    #[staticmethod]
    #[pyo3(signature = (ranks, pattern = "cl100k", special_tokens = None))]
    fn from_ranks(
        ranks: Vec<Bound<'_, PyBytes>>,
        pattern: &str,
        special_tokens: Option<BTreeMap<String, u32>>,
    ) -> Result<Self> {
        let ranks = ranks.iter().map(|bytes| bytes.as_bytes().to_vec());
        let special_tokens = special_tokens.unwrap_or_default().into_iter().collect();
        let pattern = parse_pattern(pattern)?;
        let inner = gollm_tokenizer::Tokenizer::new(ranks.collect(), pattern, special_tokens)?;
        Ok(Self::new(inner))
    }

    /// Encodes one text.
    ///
    /// The text of a special token is ordinary text, so that nothing a user types can end a turn,
    /// unless `allow_special` says that the text can be trusted.
    #[pyo3(signature = (text, allow_special = false))]
    fn encode(&self, py: Python<'_>, text: PyBackedStr, allow_special: bool) -> Vec<u32> {
        py.detach(|| {
            if allow_special {
                self.inner.encode_with_special(&text)
            } else {
                self.inner.encode(&text)
            }
        })
    }

    /// Encodes many texts on several threads, while other Python threads run.
    ///
    /// Returns `(ids, offsets)`: all ids in a row (uint32), and one more offset than there are
    /// texts (uint64); text `i` is `ids[offsets[i]:offsets[i + 1]]`. `threads` is how many to use;
    /// None is as many as the machine runs at a time. The result does not depend on it.
    #[pyo3(signature = (texts, allow_special = false, threads = None))]
    fn encode_batch<'py>(
        &self,
        py: Python<'py>,
        texts: Vec<PyBackedStr>,
        allow_special: bool,
        threads: Option<usize>,
    ) -> Result<BatchArrays<'py>> {
        let threads = threads.map(|threads| {
            let message = "threads is 0, expected at least 1 (None: as many as the machine runs)";
            NonZeroUsize::new(threads).ok_or_else(|| Failure::value(message))
        });
        let threads = threads.transpose()?;
        let batch = py.detach(|| encode_batch(&self.inner, &texts, allow_special, threads))?;
        let ids = PyArray1::from_vec(py, batch.ids);
        Ok((ids, PyArray1::from_vec(py, batch.offsets)))
    }

    /// The text that ids stand for; bytes that are not UTF-8 become U+FFFD, special tokens their
    /// text. Raises ValueError for an id that the vocabulary does not have.
    fn decode(&self, py: Python<'_>, ids: Ids) -> Result<String> {
        Ok(py.detach(|| self.inner.decode(&ids.0))?)
    }

    /// The bytes that ids stand for. Raises ValueError for an id that the vocabulary does not have.
    fn decode_bytes<'py>(&self, py: Python<'py>, ids: Ids) -> Result<Bound<'py, PyBytes>> {
        let bytes = py.detach(|| self.inner.decode_bytes(&ids.0))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// A decoder for ids that come one at a time.
    fn stream(&self) -> DecodeStream {
        DecodeStream::new(Arc::clone(&self.inner))
    }

    /// The bytes of one id. Raises ValueError for an id that the vocabulary does not have.
    #[pyo3(signature = (id, /))]
    fn token_bytes<'py>(&self, py: Python<'py>, id: u32) -> Result<Bound<'py, PyBytes>> {
        let bytes = self.inner.decode_bytes(&[id])?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// The id of the special token with this text, or None.
    #[pyo3(signature = (text, /))]
    fn special_id(&self, text: &str) -> Option<u32> {
        self.inner.special_id(text)
    }

    /// Whether an id is a special token.
    #[pyo3(signature = (id, /))]
    fn is_special(&self, id: u32) -> bool {
        self.inner.is_special(id)
    }

    /// One more than the largest id: how many rows an embedding table for it has.
    #[getter]
    fn vocab_size(&self) -> usize {
        self.inner.vocab_size()
    }

    /// How text is cut into pieces: "gpt2", "cl100k", "o200k", "llama3", "qwen2" or "smollm"; None
    /// for SentencePiece, which does not cut it.
    #[getter]
    fn pattern(&self) -> Option<&'static str> {
        self.inner.pattern().map(Pattern::name)
    }

    /// The special tokens and their ids, in the order of the ids.
    #[getter]
    fn special_tokens<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyDict>> {
        dict(py, self.inner.special_tokens())
    }

    /// The tokens that are found as whole texts in any text and are not special, such as
    /// `<tool_call>`, in the order of the ids.
    #[getter]
    fn added_tokens<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyDict>> {
        dict(py, self.inner.added_tokens())
    }

    /// Writes tiktoken's rank file to `path`, and its description to `path` with ".json" added.
    ///
    /// Each file appears whole or not at all.
    fn save(&self, py: Python<'_>, path: PathBuf) -> Result<()> {
        Ok(py.detach(|| self.inner.save(path))?)
    }

    /// Reads what `save` wrote, or a file with the text of `to_json`, such as a run's
    /// `tokenizer.json`. Raises OSError if a file cannot be read, GollmError if the files
    /// are damaged or do not belong together.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> Result<Self> {
        let inner = py.detach(|| gollm_tokenizer::Tokenizer::load(path))?;
        Ok(Self::new(inner))
    }

    /// The whole tokenizer as one JSON text, as a `.gollm` file holds it.
    fn to_json(&self) -> String {
        self.inner.to_json().to_string()
    }

    /// Reads what `to_json` wrote. Raises GollmError if it is something else.
    #[staticmethod]
    #[pyo3(signature = (text, /))]
    fn from_json(text: &str) -> Result<Self> {
        let inner = gollm_tokenizer::Tokenizer::from_json(&parse_json(text)?)?;
        Ok(Self::new(inner))
    }

    /// Reads the text of Hugging Face's `tokenizer.json`; `config` is the text of the
    /// `tokenizer_config.json` beside it. Raises GollmError if it is something else, or has steps
    /// that are not known here.
    #[staticmethod]
    #[pyo3(signature = (text, config = None))]
    fn from_hf_json(text: &str, config: Option<&str>) -> Result<Self> {
        let config = config.map(parse_json).transpose()?;
        let (tokenizer, config) = (parse_json(text)?, config.as_ref());
        let inner = gollm_tokenizer::Tokenizer::from_hf_json(&tokenizer, config, &[])?;
        Ok(Self::new(inner))
    }

    /// The texts of `tokenizer.json` and `tokenizer_config.json`, for Hugging Face's libraries.
    ///
    /// Raises ValueError for a vocabulary that those files cannot hold.
    #[pyo3(signature = (chat_template = None))]
    fn to_hf_json(&self, chat_template: Option<&str>) -> Result<(String, String)> {
        let roles = Roles {
            begin: begin_of_text_id(&self.inner),
            end: end_of_text_ids(&self.inner),
        };
        let files = self.inner.to_hf_json(&roles, chat_template)?;
        Ok((files.tokenizer.to_string(), files.config.to_string()))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> Result<(Bound<'py, PyAny>, (String,))> {
        let from_json = py.get_type::<Self>().getattr("from_json")?;
        Ok((from_json, (self.to_json(),)))
    }

    fn __repr__(&self) -> String {
        format!(
            "<gollm.Tokenizer: {} ids, {}, {} of them special>",
            self.inner.vocab_size(),
            match self.inner.pattern() {
                Some(pattern) => format!("pattern {:?}", pattern.name()),
                None => "SentencePiece".to_owned(),
            },
            self.inner.special_tokens().count(),
        )
    }
}

fn dict<'a, 'py>(
    py: Python<'py>,
    tokens: impl Iterator<Item = (&'a str, u32)>,
) -> Result<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (text, id) in tokens {
        dict.set_item(text, id)?;
    }
    Ok(dict)
}

fn parse_json(text: &str) -> Result<Value> {
    serde_json::from_str(text)
        .map_err(|error| Failure::gollm(format!("the tokenizer is not well-formed JSON: {error}")))
}

fn parse_pattern(name: &str) -> Result<Pattern> {
    let known = Pattern::ALL.into_iter().find(|known| known.name() == name);
    Ok(known.ok_or_else(|| gollm_tokenizer::Error::UnknownPattern {
        found: name.to_owned(),
    })?)
}
