//! Memory that is used again: a decode loop takes its buffers from here and gives them back.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

/// How many free buffers are kept. A forward pass holds fewer than this at a time.
const MOST_KEPT: usize = 24;

/// The free buffers of one backend.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buffers(Arc<Mutex<Vec<Vec<f32>>>>);

impl Buffers {
    /// A buffer of `n` numbers, whose values are whatever they were: the caller writes each of
    /// them.
    pub(crate) fn take(&self, n: usize) -> Buffer {
        let mut values = self.reuse(n).unwrap_or_default();
        // Never shortened: growing again would write zeros that nobody reads.
        if values.len() < n {
            values.resize(n, 0.0);
        }
        Buffer {
            values,
            n,
            home: self.clone(),
        }
    }

    /// A free buffer for `n` numbers.
    fn reuse(&self, n: usize) -> Option<Vec<f32>> {
        let mut free = try_lock(&self.0)?;
        // The smallest that is large enough, but not one so large that a lookup of one row would
        // keep a whole prompt's buffer.
        let best = (0..free.len())
            .filter(|&i| free[i].capacity() >= n && free[i].capacity() / 4 <= n)
            .min_by_key(|&i| free[i].capacity());
        best.map(|i| free.swap_remove(i))
    }
}

/// Takes the lock of reusable memory, unless another thread has it: then allocating is faster than
/// waiting. And in a child process nobody waits for a thread that did not come along when its
/// parent forked.
pub(crate) fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Numbers that return to their [`Buffers`] when they are dropped.
#[derive(Debug)]
pub(crate) struct Buffer {
    values: Vec<f32>,
    n: usize,
    home: Buffers,
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let Some(mut free) = try_lock(&self.home.0) else {
            return;
        };
        if free.len() == MOST_KEPT {
            free.remove(0);
        }
        free.push(std::mem::take(&mut self.values));
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.values[..self.n]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values[..self.n]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_that_was_dropped_is_handed_out_again() {
        let buffers = Buffers::default();
        let first = buffers.take(100);
        let address = first.as_ptr();
        drop(first);
        assert_eq!(buffers.take(80).as_ptr(), address);
    }

    #[test]
    fn a_small_request_does_not_take_a_large_buffer() {
        let buffers = Buffers::default();
        drop(buffers.take(1_000));
        assert!(buffers.take(10).values.capacity() < 1_000);
    }

    #[test]
    fn only_so_many_are_kept() {
        let buffers = Buffers::default();
        let many: Vec<Buffer> = (1..100).map(|n| buffers.take(n * 1_000)).collect();
        drop(many);
        assert_eq!(buffers.0.lock().unwrap().len(), MOST_KEPT);
    }
}
