//! `gollm pull` in a build without the network: how to get one with it.

use crate::cli_error::{CliError, Status};
use crate::output::Notes;

/// Fetch a model from Hugging Face or from a URL (not in this build)
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(crate) struct Args {
    /// Whatever a build with this command would take
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _rest: Vec<String>,
}

pub(crate) fn run(_: &Args, _: Notes) -> Result<Status, CliError> {
    Err(CliError::runtime(
        "this build has no network and cannot pull; for one that can: cargo build --release -p gollm-cli \
         --features hub. What another tool has put into Hugging Face's cache is found by -m owner/name",
    ))
}
