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
pub(super) struct Patience;

impl Patience {
    pub(super) fn new(_spins: bool) -> Self {
        Self
    }

    pub(super) fn pause(&mut self) -> bool {
        false
    }
}

/// As many as make no difference.
pub(super) fn cores() -> usize {
    1
}

/// There is one process.
pub(super) fn process_id() -> u32 {
    1
}
