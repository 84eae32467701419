//! Threads that are ready before they are needed.
//!
//! Decoding one token is some sixty small products, tens of microseconds each. Starting threads for
//! each, or waking sleeping ones, is a system call and a turn of the scheduler. So the pool's
//! threads spin for a moment after a region, expecting the next, and sleep when none comes: a
//! region costs less than a microsecond while tokens are made (`gollm bench` measures it), and
//! nothing between requests.

mod pool;
#[cfg(test)]
mod pool_tests;
mod primitives;
mod shared;
mod team;

pub(crate) use pool::Pool;
pub(crate) use shared::Shared;

/// The processor cores this process may use, hyper-threads of one core counted once.
///
/// Kernels that fill the vector units or the memory bus gain nothing from a second thread on the
/// same core.
#[must_use]
pub fn physical_cores() -> usize {
    // `available_parallelism` knows about CPU sets and control groups, `num_cpus` about cores.
    let allowed = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    num_cpus::get_physical().clamp(1, allowed)
}
