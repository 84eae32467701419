//! `fork` copies the memory of a process and one of its threads: a backend must work in the copy.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use gollm_cpu::Cpu;
use gollm_tensor::Device;

/// Far longer than the work takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Large enough to be dealt out to several threads.
const SIZE: usize = 512;

fn product(device: &Device) -> Vec<f32> {
    let values: Vec<f32> = (0..SIZE * SIZE).map(|i| (i % 7) as f32).collect();
    let weight = device.tensor(&[SIZE, SIZE], &values).unwrap();
    let x = device.tensor(&[1, SIZE], &values[..SIZE]).unwrap();
    x.matmul(&weight).unwrap().to_vec().unwrap()
}

/// Whether `work` ends well in a child process. One that does not end is killed.
fn in_child(work: impl FnOnce() -> bool) -> bool {
    // SAFETY: the child uses its memory, starts threads and ends without unwinding into the parent's
    // part of the stack; glibc and Apple's library keep the allocator usable after a fork.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "fork failed");
    if child == 0 {
        let well = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        // SAFETY: ends this process, without the destructors of the test harness.
        unsafe { libc::_exit(i32::from(!well.unwrap_or(false))) };
    }
    let (start, mut status) = (Instant::now(), 0);
    loop {
        // SAFETY: the process is our own child, and `status` is a place for its end.
        let ended = unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) };
        if ended == child {
            return status == 0;
        }
        if start.elapsed() > PATIENCE {
            // SAFETY: as above; it has not been waited for, so the number is still its own.
            unsafe { libc::kill(child, libc::SIGKILL) };
            // SAFETY: as above.
            unsafe { libc::waitpid(child, &raw mut status, 0) };
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_backend_works_on_both_sides_of_a_fork() {
    let device = Device::new(Cpu::new(3).unwrap());
    let expected = product(&device);
    assert!(in_child(|| {
        let same = product(&device) == expected;
        // And in the child of the child.
        same && in_child(|| product(&device) == expected) && product(&device) == expected
    }));
    assert_eq!(product(&device), expected);
}

#[test]
fn a_backend_that_computes_while_its_process_forks_works_in_the_child() {
    let device = Device::new(Cpu::new(2).unwrap());
    let expected = product(&device);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Relaxed) {
                product(&device);
            }
        });
        let well = (0..10).all(|_| {
            // No lock that the other thread held at the fork may be waited for.
            in_child(|| product(&device) == expected)
        });
        stop.store(true, Relaxed);
        assert!(well);
    });
}

#[test]
fn a_backend_is_dropped_in_a_child_without_waiting_for_threads_that_are_not_there() {
    let mut device = Some(Device::new(Cpu::new(3).unwrap()));
    let expected = product(device.as_ref().unwrap());
    assert!(in_child(|| {
        drop(device.take());
        product(&Device::new(Cpu::new(3).unwrap())) == expected
    }));
}
