//! What is fuzzed: each reader, what must hold, and how much memory it may take.

mod config;
mod folder;
mod gguf;
mod gollm_file;
mod model;
mod packed;
mod template;
mod tokenizer;
mod tokenizer_bin;
mod tokenizer_json;
mod tokenizer_t;

use crate::mutate::{self, Mutate};

/// One reader and what is promised of it.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name: that of its corpus and of its file in `targets/`.
    pub name: &'static str,
    /// Hands any bytes to the reader and asserts what must hold.
    pub run: fn(&[u8]),
    /// Makes an input out of another.
    pub mutate: Mutate,
    /// Memory that may be held at the same time: this many bytes for each byte of the input …
    pub factor: usize,
    /// … and this many for any input.
    pub base: usize,
}

/// Every target, by name.
pub const TARGETS: [Target; 10] = [
    Target {
        name: "config",
        run: config::run,
        mutate: mutate::text,
        factor: 64,
        base: 1 << 20,
    },
    Target {
        name: "folder",
        run: folder::run,
        mutate: mutate::json,
        factor: 128,
        base: 2 << 20,
    },
    Target {
        name: "gguf",
        run: gguf::run,
        mutate: mutate::gguf,
        factor: 64,
        base: 2 << 20,
    },
    Target {
        name: "gollm_file",
        run: gollm_file::run,
        mutate: mutate::gollm_file,
        factor: 64,
        base: 2 << 20,
    },
    Target {
        name: "packed",
        run: packed::run,
        mutate: mutate::text,
        factor: 64,
        base: 2 << 20,
    },
    Target {
        name: "template",
        run: template::run,
        mutate: mutate::text,
        factor: 64,
        // What a template makes is bounded for any length of it.
        base: 64 << 20,
    },
    Target {
        name: "tokenizer",
        run: tokenizer::run,
        mutate: mutate::json,
        factor: 64,
        base: 2 << 20,
    },
    Target {
        name: "tokenizer_bin",
        run: tokenizer_bin::run,
        mutate: mutate::text,
        factor: 64,
        base: 2 << 20,
    },
    Target {
        name: "tokenizer_json",
        run: tokenizer_json::run,
        mutate: mutate::json,
        factor: 128,
        base: 2 << 20,
    },
    Target {
        name: "tokenizer_t",
        run: tokenizer_t::run,
        mutate: mutate::text,
        factor: 64,
        base: 2 << 20,
    },
];

/// The target of this name.
#[must_use]
pub fn find(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}

impl Target {
    /// How many bytes an input of `n_bytes` may make the reader hold at the same time.
    #[must_use]
    pub fn limit(&self, n_bytes: usize) -> usize {
        self.factor
            .saturating_mul(n_bytes)
            .saturating_add(self.base)
    }

    /// Runs something valid, so that tables made once for the whole program are there.
    pub fn warm_up(&self) {
        tokenizer::warm_up();
    }
}

/// One input in 16, always the same ones: for what is too slow for each.
pub(crate) fn chosen(bytes: &[u8]) -> bool {
    let sum = bytes
        .iter()
        .fold(0u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(*byte));
    sum.is_multiple_of(16)
}
