//! `gollm man`: the manual, as roff.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap_mangen::Man;

use crate::cli::Cli;
use crate::cli_error::CliError;
use crate::output::{self, Notes};

/// Print the manual page, or write the pages of all commands
///
/// To read it: gollm man | man -l -
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The command whose page to print [default: the overview]
    #[arg(conflicts_with = "out")]
    command: Option<String>,

    /// Write every page into this directory, which is made if it is not there
    #[arg(long, value_name = "DIR", env = "GOLLM_OUT")]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, notes: Notes) -> Result<(), CliError> {
    if let Some(directory) = &args.out {
        let n_pages = write_all(directory).map_err(|error| CliError::write(directory, error))?;
        notes.say(format_args!("{n_pages} pages in {}", directory.display()));
        return Ok(());
    }
    let name = args.command.as_deref();
    let wanted = name.map_or_else(|| "gollm.1".to_owned(), |name| format!("gollm-{name}.1"));
    let page = pages()
        .into_iter()
        .find(|page| page.get_filename() == wanted);
    let page = page.ok_or_else(|| {
        CliError::usage(format!(
            "there is no command `{}`; `gollm --help` lists them",
            name.unwrap_or_default()
        ))
    })?;
    output::print(render(&page).map_err(|error| CliError::runtime(error.to_string()))?)
}

/// The overview and each command.
fn pages() -> Vec<Man> {
    let mut overview = Cli::command().disable_help_subcommand(true);
    // Only now do global options become options of each command, and commands get their full names.
    overview.build();
    let shown = overview
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    let commands: Vec<Man> = shown.cloned().map(Man::new).collect();
    std::iter::once(Man::new(overview))
        .chain(commands)
        .collect()
}

fn render(page: &Man) -> io::Result<Vec<u8>> {
    let mut roff = Vec::new();
    page.render(&mut roff)?;
    Ok(roff)
}

fn write_all(directory: &Path) -> io::Result<usize> {
    fs::create_dir_all(directory)?;
    let pages = pages();
    let n_pages = pages.len();
    for page in pages {
        fs::write(directory.join(page.get_filename()), render(&page)?)?;
    }
    Ok(n_pages)
}
