//! Fuzzes the target `gollm_file`: see `crates/gollm-fuzz/src/targets/gollm_file.rs`.
#![no_main]

gollm_fuzz::fuzz!("gollm_file");
