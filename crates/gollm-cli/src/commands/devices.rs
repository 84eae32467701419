//! `gollm devices`: what `--device` can name here, and what this build lacks.

use std::fmt::Write as _;

use serde_json::json;

use crate::args::switch;
use crate::cli_error::CliError;
use crate::device::{devices, missing};
use crate::output;

/// List the devices of this build and machine, the fastest first
///
/// Each line is a name that --device takes and what is behind it. After them come the kinds of device
/// that cannot be used here, and why.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print one JSON object: `devices` and `missing`
    #[arg(long, env = "GOLLM_JSON", value_parser = switch)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    let (devices, missing) = (devices(), missing());
    if args.json {
        return output::print_json(&json!({ "devices": devices, "missing": missing }));
    }
    let mut text = String::new();
    for device in &devices {
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{}\t{}", device.name, device.kernels);
    }
    for missing in &missing {
        let _ = writeln!(text, "no {}\t{}", missing.name, missing.reason);
    }
    output::print_report(&text)
}
