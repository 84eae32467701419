//! Device memory that is used again: a decode loop takes its buffers from here and gives them back.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use gollm_tensor::Result;
use wgpu::BufferUsages;

use crate::gpu::Gpu;

/// How many free buffers are kept. A forward pass holds fewer than this at a time.
const MOST_KEPT: usize = 32;

/// What tensors are kept in.
const USAGE: BufferUsages = BufferUsages::STORAGE
    .union(BufferUsages::COPY_SRC)
    .union(BufferUsages::COPY_DST);

/// The free buffers of one device, and how many were made.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    free: Mutex<Vec<wgpu::Buffer>>,
    made: AtomicUsize,
}

impl Buffers {
    /// A buffer for a result: whatever was in it before is still there.
    ///
    /// It may have been given back while commands that use it wait to be submitted. They come first in
    /// the queue, so they are done when the next ones begin.
    pub(crate) fn take(self: &Arc<Self>, gpu: &Gpu, n_bytes: u64) -> Result<Lease> {
        let size = size_class(n_bytes).min(gpu.max_window).max(n_bytes);
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let same = free.iter().position(|buffer| buffer.size() == size);
        let found = same.map(|i| free.remove(i));
        drop(free);
        let buffer = match found {
            Some(buffer) => buffer,
            None => self.make(gpu, size)?,
        };
        Ok(Lease {
            buffer,
            home: Some(Arc::clone(self)),
        })
    }

    /// A buffer of zeros that is nobody else's afterwards: for weights and caches.
    pub(crate) fn keep(&self, gpu: &Gpu, n_bytes: u64) -> Result<Lease> {
        Ok(Lease {
            buffer: self.make(gpu, n_bytes)?,
            home: None,
        })
    }

    /// How many buffers were made so far.
    pub(crate) fn made(&self) -> usize {
        self.made.load(Ordering::Relaxed)
    }

    fn make(&self, gpu: &Gpu, n_bytes: u64) -> Result<wgpu::Buffer> {
        self.made.fetch_add(1, Ordering::Relaxed);
        gpu.buffer(n_bytes, USAGE)
    }
}

/// A buffer that returns to its [`Buffers`] when it is dropped, if it came from there.
#[derive(Debug)]
pub(crate) struct Lease {
    buffer: wgpu::Buffer,
    home: Option<Arc<Buffers>>,
}

impl Lease {
    pub(crate) fn buffer(&self) -> &wgpu::Buffer {
        &self.buffer
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(home) = &self.home else { return };
        let mut free = home.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() == MOST_KEPT {
            // The one that nobody wanted for the longest time.
            free.remove(0);
        }
        free.push(self.buffer.clone());
    }
}

/// The size of the buffer for `n_bytes`: one of eight between a power of two and the next, so that
/// prompts of similar lengths find each other's buffers.
fn size_class(n_bytes: u64) -> u64 {
    let step = (n_bytes.max(256).next_power_of_two() / 16).max(4);
    n_bytes.max(256).div_ceil(step) * step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_class_is_at_most_an_eighth_larger_and_whole_words() {
        for n_bytes in [1, 4, 255, 256, 257, 1_000, 4_096, 4_097, 1_000_003] {
            let size = size_class(n_bytes);
            assert!(
                size >= n_bytes && size.is_multiple_of(4),
                "{n_bytes}: {size}"
            );
            assert!(size <= n_bytes.max(256) * 9 / 8 + 4, "{n_bytes}: {size}");
            assert_eq!(size_class(size), size, "a class is its own");
        }
    }
}
