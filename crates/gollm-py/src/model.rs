//! A model from a `.gollm` file.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use gollm_engine::{CancelFlag, GenerateOptions, Generation};
use gollm_model::WeightSource;
use gollm_sampler::SamplerOptions;
use gollm_tokenizer::SPECIAL_TOKENS;
use gollm_weights::{ModelFile, OpenOptions};
use numpy::{PyArray1, PyArray2, PyArrayDyn, PyArrayMethods};
use pyo3::prelude::*;

use crate::device;
use crate::error::{Failure, Result};
use crate::generate::{Signals, every_logits, generate};
use crate::ids::Ids;
use crate::json;
use crate::loaded_model::LoadedModel;
use crate::text_stream::TextStream;
use crate::tokenizer::Tokenizer;

/// A language model, loaded from a `.gollm` file with `Model.load`.
///
/// Its arithmetic releases the interpreter, so other Python threads run meanwhile; two calls of the
/// same model wait for each other.
#[pyclass(module = "gollm", frozen)]
pub(crate) struct Model {
    loaded: Arc<LoadedModel>,
    file: ModelFile,
    path: PathBuf,
    device: String,
}

impl Model {
    /// The ids of a prompt. Nothing in its text becomes a special token.
    fn encode_prompt(&self, prompt: &str, begin_of_text: bool) -> Result<Vec<u32>> {
        let tokenizer = self.loaded.needed_tokenizer()?;
        let begin = tokenizer.special_id(SPECIAL_TOKENS[0]);
        let mut ids: Vec<u32> = begin.filter(|_| begin_of_text).into_iter().collect();
        ids.extend(tokenizer.encode(prompt));
        Ok(ids)
    }

    /// Generates to the end, detached from the interpreter.
    fn generate_now(
        &self,
        py: Python<'_>,
        prompt: Vec<u32>,
        options: GenerateOptions,
    ) -> Result<Generation> {
        py.detach(|| {
            let mut signals = Signals::new();
            let on_step = |_: &str| {
                signals.check()?;
                Ok(ControlFlow::Continue(()))
            };
            let mut model = self.loaded.lock();
            generate(
                &mut model,
                self.loaded.tokenizer().map(AsRef::as_ref),
                prompt,
                options,
                on_step,
            )
        })
    }
}

#[pymethods]
impl Model {
    /// Opens a model file.
    ///
    /// `device` is where to compute: "auto", "cpu" or "reference". The file is mapped into memory,
    /// unless `mmap` is False: then it is read, for files that others may shorten meanwhile.
    /// `verify` checks every checksum, which reads the whole file; damage to its head is always
    /// noticed.
    ///
    /// Raises OSError if the file cannot be read, GollmError if it is no usable model, ValueError
    /// for a device that this build does not have.
    #[staticmethod]
    #[pyo3(signature = (path, device = "auto", *, mmap = true, verify = false))]
    fn load(py: Python<'_>, path: PathBuf, device: &str, mmap: bool, verify: bool) -> Result<Self> {
        let opened = device::open(device)?;
        let device = opened.backend().name().to_owned();
        py.detach(|| {
            let options = OpenOptions { map: mmap, verify };
            let file = gollm_engine::open(&path, &options)?;
            let loaded = Arc::new(LoadedModel::new(&file, &opened)?);
            Ok(Self {
                loaded,
                file,
                path,
                device,
            })
        })
    }

    /// The shape of the model, with the keys of the YAML files under configs/.
    #[getter]
    fn config<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyAny>> {
        json::to_python(py, &self.file.config().to_json()?)
    }

    /// Everything in the file but its tensors and its tokenizer: config, provenance (how the
    /// weights came to be), chat template, and keys that this version does not know.
    fn metadata<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyAny>> {
        let mut metadata = self.file.metadata().clone();
        metadata.tokenizer = None;
        let text = metadata.to_json().map_err(gollm_weights::Error::Metadata)?;
        json::to_python(py, &String::from_utf8_lossy(&text))
    }

    /// The tokenizer that travels in the file, or None in a file of weights alone.
    #[getter]
    fn tokenizer(&self) -> Option<Tokenizer> {
        self.loaded.tokenizer().cloned().map(Tokenizer::shared)
    }

    /// The template that turns a conversation into one text, or None.
    #[getter]
    fn chat_template(&self) -> Option<&str> {
        self.file.chat_template()
    }

    /// Where the model computes.
    #[getter]
    fn device(&self) -> &str {
        &self.device
    }

    /// The names of all tensors, in file order.
    #[getter]
    fn tensor_names(&self) -> Vec<&str> {
        let tensors = self.file.descriptors().iter();
        tensors.map(|tensor| tensor.name.as_str()).collect()
    }

    /// The values of a tensor, as float32 whatever they are stored as. Raises KeyError for a name
    /// that no tensor has.
    #[pyo3(signature = (name, /))]
    fn tensor<'py>(&self, py: Python<'py>, name: &str) -> Result<Bound<'py, PyArrayDyn<f32>>> {
        let found = py.detach(|| {
            let stored = self.file.tensor(name)?;
            Ok::<_, gollm_model::Error>((stored.to_f32()?, stored.shape))
        });
        let (values, shape) = match found {
            Err(gollm_model::Error::MissingWeight { name }) => {
                return Err(pyo3::exceptions::PyKeyError::new_err(name).into());
            }
            other => other?,
        };
        Ok(PyArray1::from_vec(py, values).reshape(shape)?)
    }

    /// The logits after each id: float32, `[n_tokens, vocab_size]`.
    ///
    /// The ids are fed to the model `chunk_size` at a time, later ones reading what earlier ones
    /// left in the key/value cache; 1 is how generation works. Raises ValueError for ids that the
    /// model does not have, and for more of them than its context holds.
    #[pyo3(signature = (ids, chunk_size = 128))]
    fn logits<'py>(
        &self,
        py: Python<'py>,
        ids: Ids,
        chunk_size: usize,
    ) -> Result<Bound<'py, PyArray2<f32>>> {
        if chunk_size == 0 {
            return Err(Failure::value("chunk_size is 0, expected at least 1"));
        }
        let n_rows = ids.0.len();
        let values = py.detach(|| every_logits(&mut self.loaded.lock(), &ids.0, chunk_size))?;
        let shape = [n_rows, self.file.config().vocab_size];
        Ok(PyArray1::from_vec(py, values).reshape(shape)?)
    }

    /// The mean of `-ln p(id | ids before it)` over all ids but the first, in nats. A text longer
    /// than the context is cut into windows. Its `exp` is the perplexity.
    fn loss(&self, py: Python<'_>, ids: Ids) -> Result<f64> {
        let measured = py.detach(|| {
            let mut model = self.loaded.lock();
            gollm_engine::perplexity(&mut *model, &ids.0, &CancelFlag::new())
        });
        Ok(measured?.mean_loss)
    }

    /// Continues ids, greedily unless `temperature` says otherwise, and returns the new ones.
    ///
    /// Ends after `max_tokens`, at an end-of-text token of the file's tokenizer (unless
    /// `ignore_end_of_text`), at one of `stop_ids`, or when the context is full. The id that ends a
    /// text is not part of the result. The other options are those of `Sampler`.
    #[pyo3(signature = (
        ids, max_tokens, temperature = 0.0, top_k = 40, top_p = 0.95, min_p = 0.05,
        repetition_penalty = 1.0, repeat_last_n = 64, presence_penalty = 0.0,
        frequency_penalty = 0.0, seed = 0, stop_ids = None, ignore_end_of_text = false,
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are keyword arguments")]
    fn generate_ids(
        &self,
        py: Python<'_>,
        ids: Ids,
        max_tokens: usize,
        temperature: f32,
        top_k: usize,
        top_p: f32,
        min_p: f32,
        repetition_penalty: f32,
        repeat_last_n: usize,
        presence_penalty: f32,
        frequency_penalty: f32,
        seed: u64,
        stop_ids: Option<Ids>,
        ignore_end_of_text: bool,
    ) -> Result<Vec<u32>> {
        let sampler = SamplerOptions {
            temperature,
            top_k,
            top_p,
            min_p,
            repetition_penalty,
            repeat_last_n,
            presence_penalty,
            frequency_penalty,
            seed,
        };
        let options = GenerateOptions {
            sampler,
            max_tokens,
            stop_ids: stop_ids.map(|ids| ids.0).unwrap_or_default(),
            ignore_end_of_text,
            ..GenerateOptions::default()
        };
        Ok(self.generate_now(py, ids.0, options)?.ids)
    }

    /// Continues a text and returns the continuation.
    ///
    /// Ends after `max_tokens`, at an end-of-text token, at one of the strings `stop` (which is not
    /// part of the result), or when the context is full. The prompt starts with the tokenizer's
    /// `<|begin_of_text|>`, as texts did in training, unless `begin_of_text` is False. The other
    /// options are those of `Sampler`.
    #[pyo3(signature = (
        prompt, max_tokens = 256, temperature = 0.8, top_k = 40, top_p = 0.95, min_p = 0.05,
        repetition_penalty = 1.0, repeat_last_n = 64, presence_penalty = 0.0,
        frequency_penalty = 0.0, seed = 0, stop = None, begin_of_text = true,
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are keyword arguments")]
    fn generate(
        &self,
        py: Python<'_>,
        prompt: &str,
        max_tokens: usize,
        temperature: f32,
        top_k: usize,
        top_p: f32,
        min_p: f32,
        repetition_penalty: f32,
        repeat_last_n: usize,
        presence_penalty: f32,
        frequency_penalty: f32,
        seed: u64,
        stop: Option<Vec<String>>,
        begin_of_text: bool,
    ) -> Result<String> {
        let sampler = SamplerOptions {
            temperature,
            top_k,
            top_p,
            min_p,
            repetition_penalty,
            repeat_last_n,
            presence_penalty,
            frequency_penalty,
            seed,
        };
        let options = GenerateOptions {
            sampler,
            max_tokens,
            stop_strings: stop.unwrap_or_default(),
            ..GenerateOptions::default()
        };
        let prompt = self.encode_prompt(prompt, begin_of_text)?;
        Ok(self.generate_now(py, prompt, options)?.text)
    }

    /// As `generate`, returning an iterator over the text while it is being written.
    #[pyo3(signature = (
        prompt, max_tokens = 256, temperature = 0.8, top_k = 40, top_p = 0.95, min_p = 0.05,
        repetition_penalty = 1.0, repeat_last_n = 64, presence_penalty = 0.0,
        frequency_penalty = 0.0, seed = 0, stop = None, begin_of_text = true,
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are keyword arguments")]
    fn stream(
        &self,
        prompt: &str,
        max_tokens: usize,
        temperature: f32,
        top_k: usize,
        top_p: f32,
        min_p: f32,
        repetition_penalty: f32,
        repeat_last_n: usize,
        presence_penalty: f32,
        frequency_penalty: f32,
        seed: u64,
        stop: Option<Vec<String>>,
        begin_of_text: bool,
    ) -> Result<TextStream> {
        let sampler = SamplerOptions {
            temperature,
            top_k,
            top_p,
            min_p,
            repetition_penalty,
            repeat_last_n,
            presence_penalty,
            frequency_penalty,
            seed,
        };
        let options = GenerateOptions {
            sampler,
            max_tokens,
            stop_strings: stop.unwrap_or_default(),
            ..GenerateOptions::default()
        };
        let prompt = self.encode_prompt(prompt, begin_of_text)?;
        TextStream::start(Arc::clone(&self.loaded), prompt, options)
    }

    fn __repr__(&self) -> String {
        let config = self.file.config();
        format!(
            "<gollm.Model {:?}: {} layers, emb_dim {}, vocab_size {}, {}, on {}>",
            self.path,
            config.n_layers,
            config.emb_dim,
            config.vocab_size,
            config.dtype,
            self.device
        )
    }
}
