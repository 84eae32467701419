//! Generated text, piece by piece, as a Python iterator.

use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use gollm_engine::{CancelFlag, GenerateOptions, Generation};
use pyo3::prelude::*;

use crate::error::{Failure, Result};
use crate::generate::generate;
use crate::loaded_model::LoadedModel;

/// How long to wait for text before looking whether Ctrl-C was pressed.
const BETWEEN_SIGNAL_CHECKS: Duration = Duration::from_millis(50);

/// What the generating thread sends.
enum Message {
    Text(String),
    End(Result<Generation>),
}

/// An iterator over the pieces of a text that a model is writing.
///
/// Made by `Model.stream()`. A thread writes ahead of the reader; each piece is whole characters
/// and never empty. `finish_reason` and `ids` tell about the text once it has ended. Dropping or
/// closing the iterator stops the thread. Until the text has ended, other calls of the same model
/// wait.
#[pyclass(module = "gollm", frozen)]
pub(crate) struct TextStream {
    state: Mutex<State>,
    cancel: CancelFlag,
}

struct State {
    /// `None` once the text has ended.
    messages: Option<Receiver<Message>>,
    generation: Option<Generation>,
}

impl TextStream {
    /// Starts a thread that continues `prompt`.
    ///
    /// # Errors
    ///
    /// If no thread can be started. What goes wrong later is raised where the text is read.
    pub(crate) fn start(
        model: Arc<LoadedModel>,
        prompt: Vec<u32>,
        options: GenerateOptions,
    ) -> Result<Self> {
        let cancel = options.cancel.clone();
        let (sender, receiver) = channel();
        // Without a bound: a thread that waited for its reader would keep the model to itself.
        thread::Builder::new()
            .name("gollm-generate".to_owned())
            .spawn(move || write(&model, prompt, options, &sender))
            .map_err(|error| Failure::gollm(format!("cannot start a thread: {error}")))?;
        let state = Mutex::new(State {
            messages: Some(receiver),
            generation: None,
        });
        Ok(Self { state, cancel })
    }

    /// The next piece, or `None` at the end.
    fn next_piece(&self) -> Result<Option<String>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(messages) = &state.messages else {
            return Ok(None);
        };
        let message = loop {
            match messages.recv_timeout(BETWEEN_SIGNAL_CHECKS) {
                Ok(message) => break message,
                Err(RecvTimeoutError::Timeout) => Python::attach(|py| py.check_signals())?,
                Err(RecvTimeoutError::Disconnected) => {
                    break Message::End(Err(Failure::gollm("the generating thread panicked")));
                }
            }
        };
        match message {
            Message::Text(text) => Ok(Some(text)),
            Message::End(ended) => {
                state.messages = None;
                state.generation = Some(ended?);
                Ok(None)
            }
        }
    }

    fn with_generation<T>(&self, get: impl FnOnce(&Generation) -> T) -> Option<T> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.generation.as_ref().map(get)
    }
}

#[pymethods]
impl TextStream {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> Result<Option<String>> {
        py.detach(|| self.next_piece())
    }

    /// Ends the text; pieces that are already there can still be read.
    fn close(&self) {
        self.cancel.cancel();
    }

    /// Why the text ended: "end_of_text", "stop_string", "stop_id", "length", "context" or
    /// "cancelled"; None until all of it has been read.
    #[getter]
    fn finish_reason(&self, py: Python<'_>) -> Option<&'static str> {
        py.detach(|| self.with_generation(|generation| generation.finish_reason.name()))
    }

    /// The ids drawn, without one that ended the text; None until all of it has been read.
    #[getter]
    fn ids(&self, py: Python<'_>) -> Option<Vec<u32>> {
        py.detach(|| self.with_generation(|generation| generation.ids.clone()))
    }
}

impl Drop for TextStream {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// What the thread does.
fn write(model: &LoadedModel, prompt: Vec<u32>, options: GenerateOptions, to: &Sender<Message>) {
    let send = |text: &str| {
        if text.is_empty() {
            return Ok(ControlFlow::Continue(()));
        }
        // A receiver that is gone will never read the rest.
        Ok(match to.send(Message::Text(text.to_owned())) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        })
    };
    let mut locked = model.lock();
    let ended = generate(
        &mut locked,
        model.tokenizer().map(AsRef::as_ref),
        prompt,
        options,
        send,
    );
    // The model is free before the reader can know that the text has ended.
    drop(locked);
    let _ = to.send(Message::End(ended));
}
