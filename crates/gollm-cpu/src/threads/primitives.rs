//! What the pool is made of. `tests/pool_model` has loom's in their place.

pub(super) use std::process::id as process_id;
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

/// How long to spin before falling asleep.
pub(super) struct Patience {
    spins: bool,
    pauses: u32,
    until: Option<std::time::Instant>,
}

impl Patience {
    /// Long enough for what happens between two tokens (choosing the next one), short enough that
    /// an idle program takes no time: 0.2 milliseconds.
    const SPIN: std::time::Duration = std::time::Duration::from_micros(200);

    pub(super) fn new(spins: bool) -> Self {
        Self {
            spins,
            pauses: 0,
            until: None,
        }
    }

    /// Waits a moment; false when patience has run out.
    pub(super) fn pause(&mut self) -> bool {
        self.pauses = self.pauses.wrapping_add(1);
        // The clock is asked once in 64 pauses, a few microseconds.
        if self.spins && self.pauses.is_multiple_of(64) {
            let now = std::time::Instant::now();
            self.spins = now < *self.until.get_or_insert(now + Self::SPIN);
        }
        std::hint::spin_loop();
        self.spins
    }
}

/// The logical cores that this process may use.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
