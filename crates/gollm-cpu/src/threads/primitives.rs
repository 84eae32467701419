//! What the pool is made of. `tests/pool_model` has loom's in their place.

pub(super) use std::sync::{
    Arc, Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicPtr, AtomicUsize, fence},
};
pub(super) use std::thread::JoinHandle;

/// Starts a thread.
pub(super) fn spawn(
    name: String,
    f: impl FnOnce() + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name).spawn(f)
}

/// How long to spin before doing something else.
pub(super) struct Patience {
    pauses: u32,
    until: Option<std::time::Instant>,
    /// Whether to give the core away once spinning has taken long, and spin on.
    endless: bool,
}

impl Patience {
    /// Long enough for what happens between two tokens (choosing the next one), short enough that
    /// an idle program takes no time: 0.2 milliseconds.
    const SPIN: std::time::Duration = std::time::Duration::from_micros(200);

    /// Ends after [`Patience::SPIN`].
    pub(super) fn short() -> Self {
        Self {
            pauses: 0,
            until: None,
            endless: false,
        }
    }

    /// Never ends: after [`Patience::SPIN`] it lets other threads run between looks.
    pub(super) fn endless() -> Self {
        Self {
            endless: true,
            ..Self::short()
        }
    }

    /// Waits a moment; false when patience has run out.
    pub(super) fn pause(&mut self) -> bool {
        self.pauses = self.pauses.wrapping_add(1);
        // The clock is asked once in 64 pauses, a few microseconds.
        if self.pauses.is_multiple_of(64) {
            let now = std::time::Instant::now();
            let until = *self.until.get_or_insert(now + Self::SPIN);
            if now >= until {
                if self.endless {
                    std::thread::yield_now();
                }
                return self.endless;
            }
        }
        std::hint::spin_loop();
        true
    }
}
