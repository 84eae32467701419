//! `gollm pull`: brings a model to this machine.

mod progress;
mod report;

use std::time::Duration;

use gollm_hub::{
    CacheDirs, Digest, Error, FileName, Interrupter, Puller, Settings, Target, Wanted, target,
};

use crate::args::switch;
use crate::cli_error::{CliError, Status};
use crate::output::Notes;

use progress::Progress;

/// Fetch a model from Hugging Face, or a file from a URL
///
/// From a repository this takes what makes a model: config.json, *.safetensors and the tokenizer, or one
/// GGUF file, or all parts of one that is cut. Files go into the cache that Hugging Face's own tools use
/// (HF_HOME, HF_HUB_CACHE), so that each finds what the other has fetched; `gollm generate -m owner/name` opens them there. A file
/// from another URL goes to GOLLM_CACHE. Where it lies is printed on stdout.
///
/// An interrupted pull goes on where it ended when the command is run again. HF_TOKEN, or a login of
/// Hugging Face's tools, opens private and gated repositories; HF_ENDPOINT names another server;
/// HTTPS_PROXY and SSL_CERT_FILE are respected; with HF_HUB_OFFLINE=1 nothing is fetched.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// owner/name, owner/name@REVISION, owner/name:TYPE, or an address
    source: String,

    /// Files of the repository to fetch, instead of those that make a model
    #[arg(value_name = "FILE")]
    files: Vec<String>,

    /// Which of several GGUF files: the type in its name, the same as owner/name:TYPE
    #[arg(
        long,
        value_name = "TYPE",
        env = "GOLLM_QUANT",
        conflicts_with = "files"
    )]
    quant: Option<String>,

    /// The SHA-256 that the file from an address must have
    #[arg(long, value_name = "HEX", env = "GOLLM_SHA256")]
    sha256: Option<String>,

    /// Compare files that are here with their hashes as well
    #[arg(long, env = "GOLLM_RECHECK", value_parser = switch)]
    recheck: bool,

    /// Fetch the file of an address again, even if it is here
    #[arg(long, env = "GOLLM_FORCE", value_parser = switch)]
    force: bool,

    /// Take http from hosts other than this machine: anyone on the way can change the file
    #[arg(long, env = "GOLLM_INSECURE_HTTP", value_parser = switch)]
    insecure_http: bool,

    /// Seconds without a sign of life after which a connection is given up and made anew
    #[arg(
        long,
        value_name = "SECONDS",
        env = "GOLLM_STALL_TIMEOUT",
        default_value_t = 30
    )]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=3600))]
    stall_timeout: u64,

    /// Seconds to wait for a connection
    #[arg(
        long,
        value_name = "SECONDS",
        env = "GOLLM_CONNECT_TIMEOUT",
        default_value_t = 10
    )]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=3600))]
    connect_timeout: u64,

    /// How often in a row something may fail before it is given up
    #[arg(long, value_name = "N", env = "GOLLM_RETRIES", default_value_t = 5)]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=100))]
    retries: u32,

    /// Print one JSON object: the path, the commit, each file with its hash
    #[arg(long, env = "GOLLM_JSON", value_parser = switch)]
    json: bool,
}

pub(crate) fn run(args: &Args, notes: Notes) -> Result<Status, CliError> {
    let dirs = CacheDirs::from_environment()?;
    let mut settings = Settings::from_environment(&dirs)?;
    settings.insecure_http = args.insecure_http;
    settings.limits.stall = Duration::from_secs(args.stall_timeout);
    settings.limits.connect = Duration::from_secs(args.connect_timeout);
    settings.limits.retries = args.retries;
    let target = target(&args.source, &settings.endpoint)?;
    let puller = Puller::new(dirs, settings)?;
    let interrupter = puller.interrupter();
    interrupt_on_ctrl_c(interrupter)?;
    let progress = Progress::new(notes);
    let pulled = match target {
        Target::Repository(wanted) => {
            let wanted = args.of_repository(wanted)?;
            let pulled = puller.pull(&wanted, &progress);
            pulled.map(|pulled| report::of_repository(&wanted, &pulled))
        }
        Target::Url(address) => {
            let expected = args.of_url()?;
            let pulled = puller.pull_url(&address, expected.as_ref(), args.force, &progress);
            pulled.map(|pulled| report::of_url(&address, &pulled, expected.is_some()))
        }
    };
    progress.end();
    match pulled {
        Ok(report) => report.print(args.json, notes)?,
        Err(error @ Error::Interrupted) => {
            notes.say(error);
            return Ok(Status::Interrupted);
        }
        Err(error) => return Err(error.into()),
    }
    Ok(Status::Done)
}

/// The first Ctrl-C closes the connections, the second ends the program.
fn interrupt_on_ctrl_c(interrupter: Interrupter) -> Result<(), CliError> {
    let mut was_asked = false;
    let handler = move || {
        if std::mem::replace(&mut was_asked, true) {
            std::process::exit(130);
        }
        interrupter.interrupt();
    };
    ctrlc::set_handler(handler)
        .map_err(|error| CliError::runtime(format!("cannot listen for Ctrl-C: {error}")))
}

impl Args {
    fn of_repository(&self, mut wanted: Wanted) -> Result<Wanted, CliError> {
        if self.sha256.is_some() {
            return Err(CliError::usage(
                "--sha256 is for an address; the files of a repository have hashes of its own, which are \
                 always checked",
            ));
        }
        let files = self.files.iter().map(|file| file.parse::<FileName>());
        let files: Vec<FileName> = files.collect::<Result<_, _>>().map_err(Error::from)?;
        wanted.files.extend(files);
        if let Some(quant) = &self.quant {
            wanted.reference.choice = Some(quant.parse().map_err(Error::from)?);
        }
        if wanted.reference.choice.is_some() && !wanted.files.is_empty() {
            return Err(CliError::usage(
                "both a type and files are given; leave one of them out",
            ));
        }
        wanted.recheck = self.recheck;
        Ok(wanted)
    }

    fn of_url(&self) -> Result<Option<Digest>, CliError> {
        if !self.files.is_empty() || self.quant.is_some() {
            return Err(CliError::usage(
                "FILE and --quant choose from a repository; an address is that of one file",
            ));
        }
        let Some(hex) = &self.sha256 else {
            return Ok(None);
        };
        let digest = Digest::from_hex(hex).filter(|digest| matches!(digest, Digest::Sha256(_)));
        let digest =
            digest.ok_or_else(|| CliError::usage("--sha256 expects 64 hexadecimal digits"))?;
        Ok(Some(digest))
    }
}
