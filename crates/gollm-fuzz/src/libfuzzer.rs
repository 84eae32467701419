//! Between libFuzzer's hooks and a [`Target`].

use std::sync::OnceLock;

use crate::memory;
use crate::targets::{self, Target};

static TARGET: OnceLock<Target> = OnceLock::new();

/// Chooses the target, before the first input.
pub fn prepare(name: &str) {
    if let Some(target) = targets::find(name) {
        // What a reader makes once for the whole program is no input's doing.
        target.warm_up();
        let _ = TARGET.set(target);
    }
}

/// Runs the target on one input, with a limit on what it may allocate.
pub fn run_input(bytes: &[u8]) {
    if let Some(target) = TARGET.get() {
        memory::limited(target.limit(bytes.len()), || (target.run)(bytes));
    }
}

/// Makes another input of the first `size` bytes of `data` and says how long it is.
pub fn mutate_input(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let plain = &mut libfuzzer_sys::fuzzer_mutate;
    match TARGET.get() {
        Some(target) => (target.mutate)(data, size, max_size, seed, plain),
        None => plain(data, size, max_size),
    }
}
