//! Pinned memory of the host that small writes and all reads go through.
//!
//! A write is copied here at once, so the caller may use its bytes again; the GPU fetches them when the
//! work before is done. The places are handed out one after the other from the beginning of each step, so
//! that a step that repeats finds its bytes where the graph looks for them.

use std::ops::Range;
use std::sync::Arc;

use gollm_tensor::Result;

use super::context::Context;
use super::owned::Pinned;

/// The memory for writes of one step.
pub(super) const N_BYTES: usize = 4 << 20;
/// A larger write goes to the device by itself.
pub(super) const LARGEST_WRITE: usize = 1 << 20;
/// Places start at a multiple of this, so that no two share a line of the cache.
const ALIGNMENT: usize = 64;

/// The memory, and how much of it this step has taken.
#[derive(Debug)]
pub(super) struct Staging {
    memory: Pinned,
    used: usize,
}

impl Staging {
    pub(super) fn new(context: &Arc<Context>) -> Result<Self> {
        Ok(Self {
            memory: Pinned::new(context, N_BYTES)?,
            used: 0,
        })
    }

    /// Takes a copy of `bytes`; none where there is no room left in this step.
    pub(super) fn put(&mut self, bytes: &[u8]) -> Option<Range<usize>> {
        let range = self.used..self.used.checked_add(bytes.len())?;
        if range.end > self.memory.len() {
            return None;
        }
        // SAFETY: the range lies in the memory, and no queued copy reads it: places are handed out once
        // between two calls of `restart`, before which all work is done.
        unsafe {
            let to = self.memory.address().add(range.start);
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
        }
        self.used = range.end.next_multiple_of(ALIGNMENT);
        Some(range)
    }

    /// Where a range that was handed out begins.
    pub(super) fn address(&self, range: &Range<usize>) -> *const u8 {
        // SAFETY: `put` handed the range out, so it lies in the memory.
        unsafe { self.memory.address().add(range.start) }
    }

    /// Hands out places from the beginning again. All work that reads them must be done.
    pub(super) fn restart(&mut self) {
        self.used = 0;
    }
}
