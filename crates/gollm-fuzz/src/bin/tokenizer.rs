//! Fuzzes the target `tokenizer`: see `crates/gollm-fuzz/src/targets/tokenizer.rs`.
#![no_main]

gollm_fuzz::fuzz!("tokenizer");
