//! Hostile files: every reader of a file, held to what `docs/security.md` promises.
//!
//! A [`Target`] is a function that takes any bytes, hands them to one of our readers and asserts what must
//! hold whatever they are: no panic, and no more memory than a multiple of their length. What a reader
//! accepts must also be usable, to its last byte, and survive being written again.
//!
//! The same functions run twice: with every file of `corpus/` and `regressions/` in `tests/corpus.rs`, which
//! needs nothing but cargo, and under libFuzzer (`make fuzz`), one program for each target in `src/bin`.
//! Plain bytes do not get past a checksum or a list of lengths, so each target brings a mutator of its own
//! (`mutate/`).
//!
//! Read next: `targets.rs`, then `mutate.rs`, then `memory.rs`.

pub mod memory;
pub mod mutate;
pub mod targets;

#[cfg(feature = "libfuzzer")]
mod libfuzzer;

pub use targets::{TARGETS, Target};

#[cfg(feature = "libfuzzer")]
#[doc(hidden)]
pub use libfuzzer::{mutate_input, prepare, run_input};
#[cfg(feature = "libfuzzer")]
#[doc(hidden)]
pub use libfuzzer_sys;

/// The program that fuzzes one target.
#[cfg(feature = "libfuzzer")]
#[macro_export]
macro_rules! fuzz {
    ($name:literal) => {
        #[global_allocator]
        static ALLOCATOR: $crate::memory::Counting = $crate::memory::Counting;

        $crate::libfuzzer_sys::fuzz_target!(init: $crate::prepare($name), |bytes: &[u8]| {
            $crate::run_input(bytes)
        });
        $crate::libfuzzer_sys::fuzz_mutator!(
            |data: &mut [u8], size: usize, max_size: usize, seed: u32| {
                $crate::mutate_input(data, size, max_size, seed)
            }
        );
    };
}
