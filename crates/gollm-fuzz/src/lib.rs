//! Hostile files: every reader of a file, held to what `docs/security.md` promises.
//!
//! A [`Target`] is a function that takes any bytes, hands them to one of our readers and asserts what must
//! hold whatever they are: no panic, and no more memory than a multiple of their length. What a reader
//! accepts must also be usable, to its last byte, and survive being written again.
//!
//! The same functions run twice: with every file of `corpus/` and `regressions/` in `tests/corpus.rs`, which
//! needs nothing but cargo, and under libFuzzer (`main.rs`, `make fuzz`).
//! Plain bytes do not get past a checksum or a list of lengths, so each target brings a mutator of its own
//! (`mutate/`).
//!
//! Read next: `targets.rs`, then `mutate.rs`, then `memory.rs`.

pub mod memory;
pub mod mutate;
pub mod targets;

pub use targets::{TARGETS, Target};
