//! What the pool is made of: the standard library's, or loom's when its interleavings are tried.

#[cfg(feature = "loom")]
pub(super) use loom::sync::{
    Arc, Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicPtr, AtomicUsize, fence},
};
#[cfg(not(feature = "loom"))]
pub(super) use std::sync::{
    Arc, Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicPtr, AtomicUsize, fence},
};

#[cfg(feature = "loom")]
pub(super) use loom::thread::JoinHandle;
#[cfg(not(feature = "loom"))]
pub(super) use std::thread::JoinHandle;

use std::sync::PoisonError;

/// Takes a lock. The data behind the pool's locks is valid at every moment, so a panic that poisoned
/// one changed nothing.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a condition variable, as [`lock`].
pub(super) fn wait<'a, T>(condition: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condition
        .wait(guard)
        .unwrap_or_else(PoisonError::into_inner)
}

/// Starts a thread.
#[cfg(not(feature = "loom"))]
pub(super) fn spawn(
    name: String,
    f: impl FnOnce() + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name).spawn(f)
}

/// Starts a thread.
#[cfg(feature = "loom")]
pub(super) fn spawn(
    _name: String,
    f: impl FnOnce() + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    Ok(loom::thread::spawn(f))
}

/// How long to spin before doing something else.
#[cfg(not(feature = "loom"))]
pub(super) struct Patience {
    pauses: u32,
    until: Option<std::time::Instant>,
    /// Whether to give the core away once spinning has taken long, and spin on.
    endless: bool,
}

#[cfg(not(feature = "loom"))]
impl Patience {
    /// Long enough for what happens between two tokens (choosing the next one), short enough that an
    /// idle program takes no time: 0.2 milliseconds.
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

/// How long to spin: under loom not at all, since each look is one more interleaving.
#[cfg(feature = "loom")]
pub(super) struct Patience {
    endless: bool,
}

#[cfg(feature = "loom")]
impl Patience {
    pub(super) fn short() -> Self {
        Self { endless: false }
    }

    pub(super) fn endless() -> Self {
        Self { endless: true }
    }

    pub(super) fn pause(&mut self) -> bool {
        if self.endless {
            loom::thread::yield_now();
        }
        self.endless
    }
}
