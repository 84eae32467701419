//! The shim's memory: allocations that begin as NaN and end in bytes that nobody may write.

use std::alloc::{Layout, alloc, dealloc};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes behind each allocation that nobody may write.
const CANARY: [u8; 64] = [0xA5; 64];

/// All allocations: their sizes by address.
#[derive(Default)]
pub(super) struct Memory(Mutex<BTreeMap<u64, usize>>);

impl Memory {
    /// Allocates; none if there is no memory.
    pub(super) fn allocate(&self, n_bytes: usize) -> Option<u64> {
        // SAFETY: the layout is not empty, since it has room for the canary.
        let start = unsafe { alloc(layout(n_bytes)?) };
        if start.is_null() {
            return None;
        }
        // SAFETY: the allocation has `n_bytes` and then the canary's bytes.
        unsafe {
            start.write_bytes(0xFF, n_bytes); // NaN, for f32 and f16 alike
            let behind = start.add(n_bytes);
            behind.copy_from_nonoverlapping(CANARY.as_ptr(), CANARY.len());
        }
        self.sizes().insert(start as u64, n_bytes);
        Some(start as u64)
    }

    pub(super) fn free(&self, address: u64) {
        let size = self.sizes().remove(&address);
        if let Some(layout) = size.and_then(layout) {
            // SAFETY: `allocate` allocated it with this layout, and it has just left the list.
            unsafe { dealloc(address as *mut u8, layout) };
        }
    }

    /// Copies bytes in; false where the range is not allocated.
    pub(super) fn write(&self, to: u64, bytes: &[u8]) -> bool {
        let inside = self.holds(to, bytes.len());
        if inside {
            // SAFETY: the range was just checked, and a slice of the caller cannot overlap it.
            unsafe { (to as *mut u8).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        }
        inside
    }

    /// Copies bytes out; false where the range is not allocated.
    pub(super) fn read(&self, from: u64, bytes: &mut [u8]) -> bool {
        let inside = self.holds(from, bytes.len());
        if inside {
            // SAFETY: the range was just checked, and a slice of the caller cannot overlap it.
            unsafe { (from as *const u8).copy_to_nonoverlapping(bytes.as_mut_ptr(), bytes.len()) };
        }
        inside
    }

    /// The size of an allocation that was written behind its end, if there is one.
    pub(super) fn overrun(&self) -> Option<usize> {
        let written = |(address, n_bytes): (&u64, &usize)| {
            // SAFETY: `allocate` made this allocation with a canary behind its bytes.
            let behind = unsafe {
                let behind = (*address as *const u8).add(*n_bytes);
                std::slice::from_raw_parts(behind, CANARY.len())
            };
            (behind != CANARY).then_some(*n_bytes)
        };
        self.sizes().iter().find_map(written)
    }

    /// Whether `n_bytes` at `address` lie in one allocation.
    fn holds(&self, address: u64, n_bytes: usize) -> bool {
        let sizes = self.sizes();
        let inside = |(start, size): (&u64, &usize)| {
            let skipped = (address - start) as usize;
            skipped.checked_add(n_bytes).is_some_and(|end| end <= *size)
        };
        n_bytes == 0 || sizes.range(..=address).next_back().is_some_and(inside)
    }

    fn sizes(&self) -> MutexGuard<'_, BTreeMap<u64, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let left: Vec<u64> = self.sizes().keys().copied().collect();
        left.into_iter().for_each(|address| self.free(address));
    }
}

/// The memory of `n_bytes` and their canary.
fn layout(n_bytes: usize) -> Option<Layout> {
    Layout::from_size_align(n_bytes.checked_add(CANARY.len())?, 256).ok()
}
