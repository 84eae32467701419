//! What the driver and wgpu report, turned into errors.
//!
//! wgpu does not return errors from most calls: they go to a handler, whose default is a panic. Ours keeps
//! the first one, and whoever waits for the device next gets it. After that the device is not to be
//! trusted: every later call returns the same error.

use std::sync::{Arc, Mutex, PoisonError};

use gollm_tensor::{Error, Result};

/// The first thing that went wrong, if anything has.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults(Arc<Mutex<Option<String>>>);

impl Faults {
    /// Listens to a device.
    pub(crate) fn watch(&self, device: &wgpu::Device) {
        let faults = self.clone();
        device.on_uncaptured_error(Arc::new(move |error| faults.note(describe(&error))));
        let faults = self.clone();
        device.set_device_lost_callback(move |reason, message| {
            faults.note(format!("the device was lost ({reason:?}): {message}"));
        });
    }

    /// Keeps a message, unless there is an earlier one, which is nearer to the cause.
    pub(crate) fn note(&self, message: String) {
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(message);
    }

    /// The error, if there is one.
    pub(crate) fn check(&self, device: &str) -> Result<()> {
        let first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*first {
            None => Ok(()),
            Some(message) => Err(Error::Device {
                device: device.to_owned(),
                message: message.clone(),
            }),
        }
    }
}

/// Runs `make` and returns what wgpu says about it, instead of leaving it to the handler.
pub(crate) fn caught<T>(
    device: &wgpu::Device,
    make: impl FnOnce() -> T,
) -> std::result::Result<T, String> {
    // The innermost scope that matches takes an error; scopes are closed in reverse order.
    let memory = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let internal = device.push_error_scope(wgpu::ErrorFilter::Internal);
    let made = make();
    let errors = [internal, validation, memory].map(|scope| pollster::block_on(scope.pop()));
    match errors.into_iter().flatten().next() {
        None => Ok(made),
        Some(error) => Err(describe(&error)),
    }
}

fn describe(error: &wgpu::Error) -> String {
    match error {
        wgpu::Error::OutOfMemory { .. } => "out of memory".to_owned(),
        // wgpu's descriptions run over several lines.
        wgpu::Error::Validation { description, .. } | wgpu::Error::Internal { description, .. } => {
            let lines = description.lines().map(str::trim);
            lines
                .filter(|line| !line.is_empty())
                .collect::<Vec<_>>()
                .join(": ")
        }
    }
}
