//! Stopping a generation from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag that another thread, a signal handler or a closed connection can raise.
///
/// Clones are the same flag. It is looked at before every pass through the model: between two
/// chunks of the prompt and between two tokens, never inside one.
#[derive(Debug, Clone, Default)]
pub struct CancelFlag(Arc<AtomicBool>);

impl CancelFlag {
    /// A flag that is not raised.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Raises the flag. It stays raised.
    pub fn cancel(&self) {
        // No other memory is handed over with the flag, so its own order is enough.
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the flag is raised.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
