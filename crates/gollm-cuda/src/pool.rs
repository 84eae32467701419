//! Device memory that is used again: a decode loop takes its buffers from here and gives them back.
//!
//! Allocating on a GPU waits for its queue, and old GPUs have no pools of their own. Free buffers are
//! kept by size, and the one with the lowest address is handed out: so a decode step that takes and
//! gives back in the same order as the step before gets the same addresses, whatever order the buffers
//! came back in, and a step that was recorded can be replayed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gollm_tensor::Result;

use crate::runtime::Runtime;

/// The free buffers of one device, by size.
#[derive(Clone)]
pub(crate) struct Pool(Arc<Shared>);

/// What the pool and all of its buffers hold.
struct Shared {
    runtime: Arc<dyn Runtime>,
    free: Mutex<BTreeMap<usize, BTreeSet<u64>>>,
}

/// Device memory. Dropping it gives it back to the [`Pool`]; work that was queued on it goes on, since
/// whoever gets it next queues behind.
pub(crate) struct Buffer {
    address: u64,
    n_bytes: usize,
    pool: Pool,
    /// Whether it is worth keeping when it is dropped.
    kept: bool,
}

impl Pool {
    pub(crate) fn new(runtime: Arc<dyn Runtime>) -> Self {
        Self(Arc::new(Shared {
            runtime,
            free: Mutex::default(),
        }))
    }

    /// Memory for results: from the free buffers, if there is one of the size. Its contents are
    /// whatever they were.
    pub(crate) fn take(&self, n_bytes: usize) -> Result<Buffer> {
        let n_bytes = size_class(n_bytes);
        let found = {
            let mut free = self.free();
            free.get_mut(&n_bytes).and_then(BTreeSet::pop_first)
        };
        let address = match found {
            Some(address) => address,
            None => self.allocate(n_bytes)?,
        };
        Ok(self.buffer(address, n_bytes, true))
    }

    /// Memory for weights and caches: exactly as much as they need, and the device's again afterwards.
    pub(crate) fn own(&self, n_bytes: usize) -> Result<Buffer> {
        let n_bytes = n_bytes.max(1);
        Ok(self.buffer(self.allocate(n_bytes)?, n_bytes, false))
    }

    fn buffer(&self, address: u64, n_bytes: usize, kept: bool) -> Buffer {
        Buffer {
            address,
            n_bytes,
            pool: self.clone(),
            kept,
        }
    }

    /// Allocates. A device that is full may be full of free buffers: then they go first.
    fn allocate(&self, n_bytes: usize) -> Result<u64> {
        let runtime = &self.0.runtime;
        if let Ok(address) = runtime.allocate(n_bytes) {
            return Ok(address);
        }
        self.empty();
        runtime.allocate(n_bytes)
    }

    /// Gives all free buffers back to the device.
    fn empty(&self) {
        let free = std::mem::take(&mut *self.free());
        for address in free.into_values().flatten() {
            self.0.runtime.free(address);
        }
    }

    fn free(&self) -> MutexGuard<'_, BTreeMap<usize, BTreeSet<u64>>> {
        self.0.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let free = self.free.get_mut().unwrap_or_else(PoisonError::into_inner);
        for address in std::mem::take(free).into_values().flatten() {
            self.runtime.free(address);
        }
    }
}

impl Buffer {
    /// Where it begins on the device.
    pub(crate) fn address(&self) -> u64 {
        self.address
    }

    /// How many bytes it has: as many as were asked for, or more.
    pub(crate) fn n_bytes(&self) -> usize {
        self.n_bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.kept {
            let mut free = self.pool.free();
            free.entry(self.n_bytes).or_default().insert(self.address);
        } else {
            self.pool.0.runtime.free(self.address);
        }
    }
}

/// The size that is allocated for `n_bytes`: four classes for each power of two, so that at most a fifth
/// is wasted and prompts of different lengths share buffers.
fn size_class(n_bytes: usize) -> usize {
    let quarter = (n_bytes.max(1024).next_power_of_two() / 8).max(256);
    n_bytes.max(1).next_multiple_of(quarter)
}

#[cfg(test)]
mod tests;
