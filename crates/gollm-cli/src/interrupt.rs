//! Ctrl-C: the first one asks, the second one ends.

use std::sync::{Arc, Mutex, PoisonError};

use gollm_engine::CancelFlag;

use crate::cli_error::CliError;

/// Lets the first Ctrl-C raise `flag`. The second ends the program at once, with exit code 130.
///
/// Called only when someone is about to look at the flag: before, the first one ends the program.
pub(crate) fn raise_on_ctrl_c(flag: &CancelFlag) -> Result<(), CliError> {
    Interrupts::listen()?.raise(flag);
    Ok(())
}

/// Ctrl-C for a program that does one thing after the other: it stops what is being done. While
/// nothing is, or if that was asked to stop already, it ends the program.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupts(Arc<Mutex<Option<CancelFlag>>>);

impl Interrupts {
    /// Listens from now on. To be called once in a program.
    pub(crate) fn listen() -> Result<Self, CliError> {
        let interrupts = Self::default();
        let current = interrupts.clone();
        let handler = move || match &*current.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(flag) if !flag.is_cancelled() => flag.cancel(),
            _ => std::process::exit(130),
        };
        ctrlc::set_handler(handler)
            .map_err(|error| CliError::runtime(format!("cannot listen for Ctrl-C: {error}")))?;
        Ok(interrupts)
    }

    /// The next Ctrl-C raises `flag`.
    pub(crate) fn raise(&self, flag: &CancelFlag) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(flag.clone());
    }

    /// The next Ctrl-C ends the program.
    pub(crate) fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
