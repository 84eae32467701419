//! The generation loop, with an eye on Ctrl-C.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use gollm_engine::{
    GenerateOptions, Generation, LanguageModel, Sequence, SequenceTokens, TransformerModel, step,
};
use gollm_tokenizer::Tokenizer;
use pyo3::prelude::*;

use crate::error::Result;

/// How often to ask whether Ctrl-C was pressed: often enough for a person, seldom enough that
/// waiting for a thread which holds the interpreter does not slow the work down.
const BETWEEN_SIGNAL_CHECKS: Duration = Duration::from_millis(50);

/// Continues `prompt`. After each pass `on_step` gets the text that became certain with it, often
/// empty, and may end the generation. To be called detached from the interpreter.
///
/// # Errors
///
/// What the engine meets or `on_step` returns.
pub(crate) fn generate(
    model: &mut TransformerModel,
    tokenizer: Option<&Tokenizer>,
    prompt: Vec<u32>,
    options: GenerateOptions,
    mut on_step: impl FnMut(&str) -> Result<ControlFlow<()>>,
) -> Result<Generation> {
    let mut sequence = Sequence::new(model, tokenizer, 0, prompt, options)?;
    while sequence.finish_reason().is_none() {
        step(model, std::slice::from_mut(&mut sequence))?;
        if on_step(sequence.take_text())?.is_break() {
            sequence.break_off();
        }
    }
    Ok(sequence.into_generation())
}

/// The logits after each of `ids`, row after row. The model gets `chunk_size` of them at a time,
/// which must not be 0. To be called detached from the interpreter.
///
/// # Errors
///
/// What the engine meets, and the exception of a signal handler.
pub(crate) fn every_logits(
    model: &mut TransformerModel,
    ids: &[u32],
    chunk_size: usize,
) -> Result<Vec<f32>> {
    let mut signals = Signals::new();
    let mut values = Vec::new();
    model.truncate(0, 0)?;
    for tokens in ids.chunks(chunk_size) {
        signals.check()?;
        let sequence = 0;
        for row in model.forward_every(SequenceTokens { sequence, tokens })? {
            values.extend(row);
        }
    }
    Ok(values)
}

/// Runs Python's signal handlers from time to time.
pub(crate) struct Signals {
    checked: Instant,
}

impl Signals {
    pub(crate) fn new() -> Self {
        Self {
            checked: Instant::now(),
        }
    }

    /// Runs pending signal handlers, if it is time to look again.
    ///
    /// # Errors
    ///
    /// What a handler raised: `KeyboardInterrupt` for Ctrl-C.
    pub(crate) fn check(&mut self) -> PyResult<()> {
        if self.checked.elapsed() < BETWEEN_SIGNAL_CHECKS {
            return Ok(());
        }
        self.checked = Instant::now();
        Python::attach(|py| py.check_signals())
    }
}
