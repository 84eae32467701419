//! The `gollm` binary: the commands, and the only place that chooses a device.
//!
//! What it knows: flags, files, terminals, exit codes. What it does *not* know: how anything is
//! computed; every command is a few calls into the crates below.
//!
//! The design decision is the split between the two outputs, for one reason: a program that writes
//! text is worth most in a pipe. Results alone go to stdout; what a person wants to know besides
//! (which model, which seed, how fast, what went wrong) goes to stderr.
//!
//! Read next: `cli.rs` (the list of commands), `commands/generate/mod.rs`, `cli_error.rs` (exit
//! codes).

mod args;

mod cli;
mod cli_error;
mod commands;
mod device;
mod escape;

mod input;
mod interrupt;
mod model_path;
mod numbers;
mod open_model;
mod output;
mod rewrite;
mod untrained_vocabulary;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

fn main() -> ExitCode {
    let started = Instant::now();
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        // Help and version come this way too, and are no errors.
        Err(message) => return cli_error::from_clap(&message),
    };
    match cli.run(started) {
        Ok(status) => status.into(),
        Err(failure) => failure.report(),
    }
}
