//! Memory budget for repacked weights, so that a large model does not take all memory.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// Memory budget: how many bytes may still be taken.
///
/// What is free is asked for when the first weight comes, not before: a program that never loads a
/// quantized model need not know.
#[derive(Debug, Default)]
pub(crate) struct MemoryBudget(OnceLock<Arc<AtomicUsize>>);

/// Reserved bytes of a [`MemoryBudget`]; they are given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    n_bytes: usize,
    left: Arc<AtomicUsize>,
}

impl MemoryBudget {
    /// A budget of so many bytes.
    pub(crate) fn of(n_bytes: usize) -> Self {
        Self(OnceLock::from(Arc::new(AtomicUsize::new(n_bytes))))
    }

    /// Takes `n_bytes`, if that many are left.
    pub(crate) fn take(&self, n_bytes: usize) -> Option<Reservation> {
        let left = self
            .0
            .get_or_init(|| Arc::new(AtomicUsize::new(free_memory() / 4 * 3)));
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            left.checked_sub(n_bytes)
        })
        .ok()?;
        Some(Reservation {
            n_bytes,
            left: Arc::clone(left),
        })
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.left.fetch_add(self.n_bytes, Ordering::Relaxed);
    }
}

/// The memory that this process can still have, in bytes: the system's, or its control group's if
/// that is less. Where the system does not say, as much as anyone could want.
#[must_use]
pub fn free_memory() -> usize {
    if !sysinfo::IS_SUPPORTED_SYSTEM {
        return usize::MAX;
    }
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    let group = system.cgroup_limits().map(|limits| limits.free_memory);
    let free = system.available_memory().min(group.unwrap_or(u64::MAX));
    usize::try_from(free).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_missing_until_it_is_given_back() {
        let budget = MemoryBudget::of(100);
        let reservation = budget.take(60).unwrap();
        assert!(budget.take(41).is_none());
        assert!(budget.take(40).is_some(), "the last one was given back");
        drop(reservation);
        assert!(budget.take(100).is_some());
    }

    #[test]
    fn this_machine_has_memory_and_says_how_much() {
        let free = free_memory();
        assert!(free > 1 << 20, "{free}");
        if sysinfo::IS_SUPPORTED_SYSTEM {
            assert!(free < 1 << 50, "{free}");
        }
    }
}
