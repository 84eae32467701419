//! The binary as a person and a script meet it: every command, every mistake, every exit code.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which should stop where they cannot go on"
)]

#[cfg(target_os = "linux")]
mod address_space;
mod bench;
mod chat;
mod convert;
mod cuda;
mod experts;
mod files;
mod folder;
mod generate;
mod mistakes;
mod parts;
mod pull;
mod quantize;
#[cfg(feature = "hub")]
#[path = "../../../gollm-hub/tests/download/server.rs"]
mod server;
mod shell;
mod streams;
mod support;
mod tokenizer;
mod wgpu;
mod wrong_configs;
mod wrong_values;
