//! The command line: the list of commands, and what holds for all of them.

use std::time::Instant;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand};

use crate::args::switch;
use crate::cli_error::{CliError, Status};
use crate::commands::{
    bench, chat, completions, convert, devices, generate, inspect, man, params, perplexity, pull,
    quantize, random_model, tokenize, train_tokenizer, verify,
};
use crate::output::Notes;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const AFTER_HELP: &str = "\
Results go to stdout, everything else to stderr. Every option can also be set by an environment \
variable, GOLLM_ and the option's name; the command line wins.

Exit codes: 0 done, 1 failed while running, 2 wrong command line, 3 a missing or bad file, 4 not \
enough memory or disk, 130 interrupted.";

/// A language model, from tensor to text
#[derive(Debug, Parser)]
#[command(name = "gollm", version, after_help = AFTER_HELP, styles = STYLES)]
#[command(arg_required_else_help = true, max_term_width = 100)]
pub(crate) struct Cli {
    /// Print results and errors only: no model line, no statistics
    #[arg(short, long, global = true, env = "GOLLM_QUIET", value_parser = switch)]
    quiet: bool,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Generate(generate::Args),
    Chat(Box<chat::Args>),
    Tokenize(tokenize::Args),
    TrainTokenizer(train_tokenizer::Args),
    Inspect(inspect::Args),
    Verify(verify::Args),
    Params(params::Args),
    Perplexity(perplexity::Args),
    Quantize(quantize::Args),
    Convert(convert::Args),
    Pull(pull::Args),
    RandomModel(random_model::Args),
    Bench(Box<bench::Args>),
    Devices(devices::Args),
    Completions(completions::Args),
    Man(man::Args),
}

impl Cli {
    /// Runs the command. `started` is when the program did.
    pub(crate) fn run(&self, started: Instant) -> Result<Status, CliError> {
        let notes = Notes { quiet: self.quiet };
        match &self.command {
            Command::Generate(args) => return generate::run(args, notes, started),
            Command::Chat(args) => return chat::run(args, notes),
            Command::Perplexity(args) => return perplexity::run(args, notes),
            Command::Quantize(args) => return quantize::run(args, notes),
            Command::Pull(args) => return pull::run(args, notes),
            Command::Convert(args) => convert::run(args, notes)?,
            Command::Tokenize(args) => tokenize::run(args, notes)?,
            Command::TrainTokenizer(args) => train_tokenizer::run(args, notes)?,
            Command::Inspect(args) => inspect::run(args)?,
            Command::Verify(args) => verify::run(args)?,
            Command::Params(args) => params::run(args)?,
            Command::RandomModel(args) => random_model::run(args, notes)?,
            Command::Bench(args) => bench::run(args, notes)?,
            Command::Devices(args) => devices::run(args)?,
            Command::Completions(args) => completions::run(args)?,
            Command::Man(args) => man::run(args, notes)?,
        }
        Ok(Status::Done)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_has_an_environment_variable_of_its_name() {
        for command in Cli::command().get_subcommands() {
            for arg in command.get_arguments() {
                let Some(long) = arg.get_long().filter(|long| *long != "help") else {
                    continue;
                };
                let expected = format!("GOLLM_{}", long.to_uppercase().replace('-', "_"));
                let found = arg.get_env().and_then(|env| env.to_str());
                assert_eq!(
                    found,
                    Some(expected.as_str()),
                    "{} --{long}",
                    command.get_name()
                );
            }
        }
    }
}
