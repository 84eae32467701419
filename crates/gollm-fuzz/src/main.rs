//! Fuzzes one target, the one that `GOLLM_FUZZ_TARGET` names; the arguments are libFuzzer's.

#![no_main]

use std::sync::OnceLock;

use gollm_fuzz::memory::{Counting, limited};
use gollm_fuzz::{TARGETS, Target, targets};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static TARGET: OnceLock<Target> = OnceLock::new();

fuzz_target!(init: choose(), |bytes: &[u8]| {
    if let Some(target) = TARGET.get() {
        limited(target.limit(bytes.len()), || (target.run)(bytes));
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    match TARGET.get() {
        Some(target) => (target.mutate)(data, size, max_size, seed, &mut fuzzer_mutate),
        None => fuzzer_mutate(data, size, max_size),
    }
});

/// Before the first input.
fn choose() {
    let name = std::env::var("GOLLM_FUZZ_TARGET").unwrap_or_default();
    match targets::find(&name) {
        Some(target) => {
            // What a reader makes once for the whole program is no input's doing.
            target.warm_up();
            let _ = TARGET.set(target);
        }
        None => stop(&name),
    }
}

#[expect(clippy::print_stderr, reason = "a message of a program")]
fn stop(name: &str) {
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    eprintln!(
        "error: GOLLM_FUZZ_TARGET is {name:?}, expected one of {}",
        names.join(", ")
    );
    std::process::exit(2);
}
