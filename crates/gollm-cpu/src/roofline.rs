//! What this machine could do: the two limits that every kernel is measured against.
//!
//! A product that uses each weight once cannot be faster than memory brings the weights; one that
//! uses each many times cannot be faster than the multiply-adds. Both limits are measured, on the
//! threads and with the instructions of a [`Cpu`], because no data sheet knows this machine's
//! memory, clock and neighbours. Source: Williams, Waterman & Patterson 2009, "Roofline",
//! <https://doi.org/10.1145/1498765.1498785>.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::Cpu;
use crate::simd::{LANES, Simd, Task};

/// Bytes of the array whose reading is timed: far more than any cache holds.
const ARRAY_BYTES: usize = 512 << 20;
/// How long each limit is measured.
const LONG_ENOUGH: Duration = Duration::from_millis(400);
/// Sums side by side, so that none waits for its predecessor.
const SUMS: usize = 12;

/// The limits of a machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Roofline {
    /// Bytes a second that all threads together read from memory.
    pub bytes_per_second: f64,
    /// f32 operations a second of all threads, a multiply-add as two.
    pub f32_per_second: f64,
    /// Operations a second on 8-bit integers, a multiply-add as two.
    pub i8_per_second: f64,
    /// Seconds to have every thread do nothing once, one region right after the other.
    pub region_seconds: f64,
}

impl Roofline {
    /// Measures for a bit more than a second; nothing else should run.
    #[must_use]
    pub fn measure(cpu: &Cpu) -> Self {
        Self {
            bytes_per_second: read_bandwidth(cpu),
            f32_per_second: peak(cpu, false),
            i8_per_second: peak(cpu, true),
            region_seconds: region(cpu),
        }
    }
}

/// The best of several readings of an array, in bytes a second.
fn read_bandwidth(cpu: &Cpu) -> f64 {
    // Written, because pages that were never written are all one page of zeros.
    let array = vec![1.0f32; ARRAY_BYTES / 4];
    let piece = 1 << 16;
    fastest(|| {
        cpu.executor
            .pool
            .for_each(array.len() / piece, 16, |range| {
                black_box(
                    cpu.isa()
                        .run(Read(&array[range.start * piece..range.end * piece])),
                );
            });
        ARRAY_BYTES as f64
    })
}

/// Operations a second of all threads, in registers alone.
fn peak(cpu: &Cpu, integers: bool) -> f64 {
    const ROUNDS: usize = 20_000;
    fastest(|| {
        cpu.executor.pool.run(&|_| {
            if integers {
                black_box(cpu.isa().run(Dot4s(ROUNDS)));
            } else {
                black_box(cpu.isa().run(Fmas(ROUNDS)));
            }
        });
        let per_vector = if integers { 4 * LANES } else { LANES };
        (2 * ROUNDS * SUMS * per_vector * cpu.n_threads()) as f64
    })
}

/// The seconds that a region costs beside its work.
fn region(cpu: &Cpu) -> f64 {
    const REGIONS: usize = 1_000;
    1.0 / fastest(|| {
        (0..REGIONS).for_each(|_| cpu.executor.pool.run(&|id| _ = black_box(id)));
        REGIONS as f64
    })
}

/// The largest amount of work a second that `run`, which says how much it did, comes to.
fn fastest(mut run: impl FnMut() -> f64) -> f64 {
    let started = Instant::now();
    let mut best = 0.0f64;
    while started.elapsed() < LONG_ENOUGH {
        let before = Instant::now();
        let work = run();
        best = best.max(work / before.elapsed().as_secs_f64());
    }
    best
}

/// Adds up an array, to have read it.
struct Read<'a>(&'a [f32]);

impl Task for Read<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f32 {
        let mut sums = [simd.splat(0.0); 4];
        for chunk in self.0.chunks_exact(4 * LANES) {
            for (i, sum) in sums.iter_mut().enumerate() {
                // SAFETY: four vectors of 16 in a chunk of 64.
                *sum = simd.add(*sum, unsafe { simd.load(chunk.as_ptr().add(i * LANES)) });
            }
        }
        simd.sum(simd.add(simd.add(sums[0], sums[1]), simd.add(sums[2], sums[3])))
    }
}

/// Multiply-adds that depend on nothing in memory.
struct Fmas(usize);

impl Task for Fmas {
    type Output = f32;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f32 {
        let (a, b) = (simd.splat(black_box(0.999)), simd.splat(black_box(0.001)));
        let mut sums = [simd.splat(0.0); SUMS];
        for _ in 0..self.0 {
            for sum in &mut sums {
                *sum = simd.fma(*sum, a, b);
            }
        }
        sums.into_iter().map(|sum| simd.sum(sum)).sum()
    }
}

/// Products of bytes that depend on nothing in memory.
struct Dot4s(usize);

impl Task for Dot4s {
    type Output = f32;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f32 {
        let bytes = black_box([1u8; 64]);
        // SAFETY: an array of 64 bytes.
        let a = unsafe { simd.load_u8(bytes.as_ptr()) };
        let b = black_box(0x0101_0101);
        let mut sums = [simd.splat_i32(0); SUMS];
        for _ in 0..self.0 {
            for sum in &mut sums {
                *sum = simd.dot4(*sum, a, b);
            }
        }
        sums.into_iter().map(|sum| simd.sum(simd.to_f32(sum))).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_positive_and_integers_are_no_slower_than_a_tenth_of_floats() {
        let roofline = Roofline::measure(&Cpu::new(1).unwrap());
        // Any machine that runs this reads 100 MB/s and does 100 MFLOP/s.
        assert!(roofline.bytes_per_second > 1e8, "{roofline:?}");
        assert!(roofline.f32_per_second > 1e8, "{roofline:?}");
        assert!(roofline.region_seconds > 0.0, "{roofline:?}");
        assert!(
            roofline.i8_per_second > roofline.f32_per_second / 10.0,
            "{roofline:?}"
        );
    }
}
