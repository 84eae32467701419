//! The sampler: logits to the next id.

use std::sync::{Mutex, PoisonError};

use gollm_sampler::SamplerOptions;
use numpy::{AllowTypeChange, PyArray1, PyArrayLike1};
use pyo3::prelude::*;

use crate::error::Result;
use crate::ids::Ids;

/// The logits of one position: a float32 array, or what NumPy can make one of.
type Logits<'py> = PyArrayLike1<'py, f32, AllowTypeChange>;

/// The arrays that `distribution` returns: ids and probabilities.
type TableArrays<'py> = (Bound<'py, PyArray1<u32>>, Bound<'py, PyArray1<f32>>);

/// Chooses the next id from a model's logits, with a random sequence of its own.
///
/// The steps are applied in this order: penalties for ids of the recent past, top-k, top-p, min-p,
/// temperature, draw. Each has a value that switches it off: temperature 0 is greedy, top_k 0,
/// top_p 1, min_p 0, repetition_penalty 1, the other penalties 0. The same seed and the same logits
/// give the same ids. Raises ValueError for an option out of its range.
#[pyclass(module = "gollm", frozen)]
pub(crate) struct Sampler {
    inner: Mutex<gollm_sampler::Sampler>,
}

#[pymethods]
impl Sampler {
    #[new]
    #[pyo3(signature = (
        temperature = 0.8, top_k = 40, top_p = 0.95, min_p = 0.05, repetition_penalty = 1.0,
        repeat_last_n = 64, presence_penalty = 0.0, frequency_penalty = 0.0, seed = 0,
    ))]
    #[expect(
        clippy::too_many_arguments,
        reason = "they are keyword arguments, the options of gollm_sampler"
    )]
    fn new(
        temperature: f32,
        top_k: usize,
        top_p: f32,
        min_p: f32,
        repetition_penalty: f32,
        repeat_last_n: usize,
        presence_penalty: f32,
        frequency_penalty: f32,
        seed: u64,
    ) -> Result<Self> {
        let options = SamplerOptions {
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
        let inner = Mutex::new(gollm_sampler::Sampler::new(options)?);
        Ok(Self { inner })
    }

    /// Chooses an id. `previous` are the ids so far, oldest first, for the penalties.
    ///
    /// Raises ValueError for logits that are empty, NaN or infinite, or a previous id that has
    /// none.
    #[pyo3(signature = (logits, previous = None))]
    fn sample(&self, logits: Logits<'_>, previous: Option<Ids>) -> Result<u32> {
        let (logits, previous) = (to_vec(&logits), to_ids(previous));
        let mut sampler = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(sampler.sample(&logits, &previous)?)
    }

    /// What `sample` would draw from: ids (uint32) and their probabilities (float32), the most
    /// probable first. Draws nothing.
    #[pyo3(signature = (logits, previous = None))]
    fn distribution<'py>(
        &self,
        py: Python<'py>,
        logits: Logits<'py>,
        previous: Option<Ids>,
    ) -> Result<TableArrays<'py>> {
        let (logits, previous) = (to_vec(&logits), to_ids(previous));
        let mut sampler = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let table = sampler.distribution(&logits, &previous)?;
        let (ids, probabilities) = table.into_iter().unzip();
        let ids = PyArray1::from_vec(py, ids);
        Ok((ids, PyArray1::from_vec(py, probabilities)))
    }

    fn __repr__(&self) -> String {
        let sampler = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let o = sampler.options();
        format!(
            "gollm.Sampler(temperature={}, top_k={}, top_p={}, min_p={}, repetition_penalty={}, \
             repeat_last_n={}, presence_penalty={}, frequency_penalty={}, seed={})",
            o.temperature,
            o.top_k,
            o.top_p,
            o.min_p,
            o.repetition_penalty,
            o.repeat_last_n,
            o.presence_penalty,
            o.frequency_penalty,
            o.seed
        )
    }
}

fn to_vec(logits: &Logits<'_>) -> Vec<f32> {
    logits.as_array().iter().copied().collect()
}

fn to_ids(previous: Option<Ids>) -> Vec<u32> {
    previous.map(|ids| ids.0).unwrap_or_default()
}
