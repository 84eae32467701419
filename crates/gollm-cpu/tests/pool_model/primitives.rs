//! What the pool is made of here: loom's locks, atomics and threads, in place of the standard
//! library's in `src/threads/primitives.rs`.

pub(super) use loom::sync::{
    Arc, Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicPtr, AtomicUsize, fence},
};
pub(super) use loom::thread::JoinHandle;

/// Starts a thread.
pub(super) fn spawn(
    _name: String,
    f: impl FnOnce() + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    Ok(loom::thread::spawn(f))
}

/// How long to spin: not at all, since each look is one more interleaving.
pub(super) struct Patience {
    endless: bool,
}

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
