//! `gollm devices`: what `--device` can name in this build.

use serde_json::json;

use crate::args::switch;
use crate::device::AVAILABLE;
use crate::failure::Failure;
use crate::output;

/// List the devices of this build, the fastest first
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print one JSON array
    #[arg(long, env = "GOLLM_JSON", value_parser = switch)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if args.json {
        let devices = AVAILABLE
            .map(|(name, kernels)| json!({ "name": name.to_string(), "kernels": kernels }));
        return output::print_json(&devices);
    }
    let lines = AVAILABLE.map(|(name, kernels)| format!("{name}\t{kernels}\n"));
    output::print(lines.concat())
}
