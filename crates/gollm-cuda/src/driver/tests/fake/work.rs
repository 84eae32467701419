//! Writes, launches, products and reads: their order, and their replay.

use gollm_tensor::DType;

use super::super::super::command::{Command, Run};
use super::super::super::options::{DriverOptions, Replay};
use super::super::super::replay::Executor;
use super::super::super::run::Driver;
use super::{graph_launches, open, options};
use crate::kernel::Kernel;
use crate::runtime::{Argument, Launch, Library, LibraryProduct, Runtime};

/// Adds numbers on the device over and over, as decoding does: writes, launches, and one read a step.
struct Adding {
    driver: Driver,
    a: u64,
    b: u64,
    out: u64,
}

const N: u32 = 100;

/// The arguments of `out = a + b`.
fn sum(a: u64, b: u64, out: u64) -> [Argument; 4] {
    let [a, b, out] = [a, b, out].map(Argument::Address);
    [a, b, out, Argument::U32(N)]
}

fn launch(arguments: &[Argument]) -> Launch<'_> {
    Launch {
        kernel: Kernel::Add,
        grid: [1, 1, 1],
        block: 128,
        shared_bytes: 0,
        arguments,
    }
}

impl Adding {
    fn new(options: &DriverOptions) -> Self {
        let driver = open(options).unwrap();
        let take = || driver.allocate(N as usize * 4).unwrap();
        let (a, b, out) = (take(), take(), take());
        Self { driver, a, b, out }
    }

    fn add(&self, a: u64, b: u64, out: u64) {
        let arguments = sum(a, b, out);
        self.driver.launch(&launch(&arguments)).unwrap();
    }

    fn write(&self, to: u64, value: f32) {
        let bytes = vec![value; N as usize];
        self.driver.write(to, bytemuck::cast_slice(&bytes)).unwrap();
    }

    /// `x + 9 y` in nine launches, or as many as are asked for.
    fn step(&self, x: f32, y: f32, n_launches: usize) -> f32 {
        self.write(self.a, x);
        self.write(self.b, y);
        let (mut from, mut to) = (self.a, self.out);
        for _ in 0..n_launches {
            self.add(from, self.b, to);
            (from, to) = (to, from);
        }
        let mut sum = vec![0.0f32; N as usize];
        let bytes = bytemuck::cast_slice_mut(&mut sum);
        self.driver.read(from, bytes).unwrap();
        assert!(sum.iter().all(|number| *number == sum[0]));
        sum[0]
    }
}

#[test]
fn a_step_that_repeats_is_replayed_with_the_bytes_of_each_time() {
    let cache = tempfile::tempdir().unwrap();
    for replay in [Replay::Graph, Replay::Off] {
        let options = DriverOptions {
            replay,
            ..options(&cache)
        };
        let adding = Adding::new(&options);
        let before = graph_launches();
        for i in 0..20u8 {
            let (x, y) = (f32::from(i), f32::from(i % 7));
            assert_eq!(adding.step(x, y, 9), x + 9.0 * y, "step {i}");
            // A step of another kind now and then: longer, shorter, or the beginning of the same.
            if i % 5 == 4 {
                assert_eq!(adding.step(x, y, 11), x + 11.0 * y);
                assert_eq!(adding.step(x, y, 3), x + 3.0 * y);
            }
        }
        if replay == Replay::Graph {
            // All but the first two, and those whose step of another kind was new or too short.
            let replayed = graph_launches() - before;
            assert!(replayed >= 18, "{replayed} graphs");
        }
    }
}

#[test]
fn graphs_and_plain_commands_see_each_others_work() {
    let cache = tempfile::tempdir().unwrap();
    let adding = Adding::new(&options(&cache));
    let mut work = adding.driver.work().unwrap();
    let machine = &mut work.machine;
    let ones = [1.0f32; N as usize];
    let bytes = machine.staging.put(bytemuck::cast_slice(&ones)).unwrap();
    let to = adding.a;
    let double = sum(to, to, to);
    let double = Command::Launch(Run::new(&launch(&double)).unwrap());
    let graph = machine.record(std::slice::from_ref(&double)).unwrap();
    machine.issue(&Command::Write { to, bytes }).unwrap();
    for _ in 0..3 {
        machine.replay(&graph).unwrap();
        machine.replay(&graph).unwrap();
        machine.issue(&double).unwrap();
    }
    let mut sums = [0.0f32; N as usize];
    machine
        .read(to, bytemuck::cast_slice_mut(&mut sums))
        .unwrap();
    assert_eq!(sums, [512.0; N as usize]);
}

#[test]
fn any_thread_may_use_the_gpu() {
    let cache = tempfile::tempdir().unwrap();
    let adding = Adding::new(&options(&cache));
    std::thread::scope(|scope| {
        for i in 0..3u8 {
            let adding = &adding;
            let one = scope.spawn(move || adding.step(f32::from(i), 1.0, 9));
            // One after the other: they share their buffers.
            assert_eq!(one.join().unwrap(), f32::from(i) + 9.0);
        }
    });
}

#[test]
fn writes_of_any_size_arrive_in_order() {
    let cache = tempfile::tempdir().unwrap();
    let adding = Adding::new(&options(&cache));
    let driver = &adding.driver;
    // More than staging holds, in small pieces; then larger than one of its pieces; then nothing.
    let n_bytes = 6 << 20;
    let buffer = driver.allocate(n_bytes).unwrap();
    let bytes: Vec<u8> = (0..n_bytes).map(|i| (i % 251) as u8).collect();
    for (i, piece) in bytes.chunks(100_000).enumerate() {
        driver.write(buffer + i as u64 * 100_000, piece).unwrap();
    }
    let mut back = vec![0; n_bytes];
    driver.read(buffer, &mut back).unwrap();
    assert!(back == bytes);
    driver.zero(buffer, n_bytes).unwrap();
    driver.write(buffer, &bytes[..2 << 20]).unwrap();
    driver.write(buffer, &[]).unwrap();
    driver.read(buffer, &mut back).unwrap();
    assert!(back[..2 << 20] == bytes[..2 << 20]);
    assert!(back[2 << 20..].iter().all(|&byte| byte == 0));
    driver.free(buffer);
    assert_eq!(adding.step(1.0, 2.0, 9), 19.0);
}

#[test]
fn memory_is_freed_after_the_work_that_uses_it() {
    let cache = tempfile::tempdir().unwrap();
    let adding = Adding::new(&options(&cache));
    for _ in 0..4 {
        let last = adding.driver.allocate(N as usize * 4).unwrap();
        adding.write(adding.a, 1.0);
        adding.add(adding.a, adding.a, last);
        adding.add(last, last, adding.out);
        adding.driver.free(last);
        let mut sum = [0.0f32; N as usize];
        let bytes = bytemuck::cast_slice_mut(&mut sum);
        adding.driver.read(adding.out, bytes).unwrap();
        assert_eq!(sum, [4.0; N as usize]);
    }
}

#[test]
fn products_on_cublas_are_in_order_with_kernels_and_can_be_replayed() {
    let cache = tempfile::tempdir().unwrap();
    let adding = Adding::new(&options(&cache));
    let driver = &adding.driver;
    assert_eq!(driver.library(), Library::F16);
    let before = graph_launches();
    for i in 1..6u8 {
        adding.write(adding.b, 2.0);
        adding.write(adding.a, f32::from(i));
        // As matrices of 10 by 10: each number is 10 · i · 2; then as much again, and again.
        let product = LibraryProduct {
            x: adding.a,
            x_type: DType::F32,
            weight: adding.b,
            weight_type: DType::F32,
            out: adding.out,
            n_tokens: 10,
            n_in: 10,
            n_out: 10,
        };
        assert!(driver.product(&product).unwrap());
        for _ in 0..8 {
            adding.add(adding.out, adding.b, adding.out);
        }
        let mut out = [0.0f32; N as usize];
        driver
            .read(adding.out, bytemuck::cast_slice_mut(&mut out))
            .unwrap();
        assert_eq!(out, [f32::from(i) * 20.0 + 16.0; N as usize]);
    }
    assert_eq!(graph_launches() - before, 3);
}

#[test]
fn an_error_says_what_was_asked_for() {
    let cache = tempfile::tempdir().unwrap();
    let adding = Adding::new(&options(&cache));
    let message = adding.driver.allocate(1 << 40).unwrap_err().to_string();
    assert!(message.contains("CUDA_ERROR_OUT_OF_MEMORY (2)") && message.contains("cuda:0"));
    let too_wide = Launch {
        grid: [1, 70_000, 1],
        ..launch(&[])
    };
    let message = adding.driver.launch(&too_wide).unwrap_err().to_string();
    assert!(message.contains("launching add (elementwise.cu) with grid [1, 70000, 1]"));
    let arguments = [Argument::U32(0); 25];
    let message = adding
        .driver
        .launch(&launch(&arguments))
        .unwrap_err()
        .to_string();
    assert!(message.contains("25 arguments"), "{message}");
}
