//! An allocator that counts, and a limit that ends the program.
//!
//! libFuzzer's own limits look at the whole process, and its limit on single allocations needs a
//! sanitizer. This one is for what an input makes its reader hold at the same time, so it can be as
//! tight as the promise.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static TOTAL: AtomicUsize = AtomicUsize::new(0);
static LIMIT: AtomicUsize = AtomicUsize::new(usize::MAX);

/// The system's allocator, counting. Counts nothing unless it is the program's
/// `#[global_allocator]`.
#[derive(Debug)]
pub struct Counting;

// SAFETY: every call is passed on to the system's allocator unchanged; the counters only watch.
#[expect(unsafe_code, reason = "an allocator cannot be written without it")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise is the one that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as above. Passed on by itself, so that zeros which nobody touches stay free of
        // cost.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the pointer came from `System` by way of `alloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn count(n_bytes: usize) {
    let now = NOW.fetch_add(n_bytes, Ordering::Relaxed) + n_bytes;
    PEAK.fetch_max(now, Ordering::Relaxed);
    TOTAL.fetch_add(n_bytes, Ordering::Relaxed);
    if now > LIMIT.load(Ordering::Relaxed) {
        // The message may allocate.
        LIMIT.store(usize::MAX, Ordering::Relaxed);
        report(n_bytes);
        std::process::abort();
    }
}

#[expect(clippy::print_stderr, reason = "the fuzzer's report is on stderr")]
fn report(n_bytes: usize) {
    eprintln!("out of class: {n_bytes} more bytes are over the limit for an input of this length");
}

/// Runs `f` and ends the program if it holds more than `limit` bytes beyond what was held before.
pub fn limited(limit: usize, f: impl FnOnce()) {
    let before = NOW.load(Ordering::Relaxed);
    LIMIT.store(before.saturating_add(limit), Ordering::Relaxed);
    f();
    LIMIT.store(usize::MAX, Ordering::Relaxed);
}

/// What a function asked for, beyond what was held before it.
#[derive(Debug, Clone, Copy)]
pub struct Spent {
    /// Bytes held at the same time, at the most.
    pub peak: usize,
    /// All bytes ever asked for: where copies are made in a loop this is a measure of work that,
    /// unlike time, is the same on every machine.
    pub total: usize,
}

/// Runs `f` and says what memory it asked for. One may run inside another.
pub fn spent_by<T>(f: impl FnOnce() -> T) -> (T, Spent) {
    let before = NOW.load(Ordering::Relaxed);
    let total = TOTAL.load(Ordering::Relaxed);
    let outer = PEAK.swap(before, Ordering::Relaxed);
    let result = f();
    let spent = Spent {
        peak: PEAK.load(Ordering::Relaxed).saturating_sub(before),
        total: TOTAL.load(Ordering::Relaxed).wrapping_sub(total),
    };
    PEAK.fetch_max(outer, Ordering::Relaxed);
    (result, spent)
}
