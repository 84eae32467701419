//! `gollm completions`: the script that teaches a shell our flags.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::cli_error::CliError;
use crate::output;

/// Print a completion script for a shell
///
/// For bash: gollm completions bash > ~/.local/share/bash-completion/completions/gollm
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "gollm", &mut script);
    output::print(script)
}
