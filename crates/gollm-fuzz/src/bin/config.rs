//! Fuzzes the target `config`: see `crates/gollm-fuzz/src/targets/config.rs`.
#![no_main]

gollm_fuzz::fuzz!("config");
