//! Fuzzes the target `gguf`: see `crates/gollm-fuzz/src/targets/gguf.rs`.
#![no_main]

gollm_fuzz::fuzz!("gguf");
