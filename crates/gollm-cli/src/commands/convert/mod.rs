//! `gollm convert`: the same model in another kind of file.

mod folder;
mod vocabulary;

use std::path::PathBuf;

use gollm_engine::open;
use gollm_weights::{OpenOptions, convert, export_folder, export_gguf};

use crate::args::switch;
use crate::cli_error::CliError;
use crate::model_path::model_path;
use crate::numbers::bytes;
use crate::open_model::{OpenModel, differences};
use crate::output::Notes;
use crate::rewrite::Rewrite;

/// Write a model in another kind of file: .gollm, .gguf or a Hugging Face folder
///
/// Reads everything that `--model` reads; OUT's ending says what is written. No number changes but those
/// of types that are not computed with here, which become q8_0, and those of types that safetensors does
/// not have (q8_0 and q4_0), which become f16; `gollm quantize` changes the type.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Model file or Hugging Face folder to read
    #[arg(value_name = "IN")]
    input: PathBuf,

    /// Where to write the new one: a path that ends in .gollm or .gguf, or in `/` for a folder
    #[arg(value_name = "OUT")]
    out: PathBuf,

    /// Replace OUT if it is there; of folders, only one that holds nothing but a model
    #[arg(long, env = "GOLLM_FORCE", value_parser = switch)]
    force: bool,

    /// The largest file of weights in a folder, such as 500MB; a larger model becomes several
    #[arg(
        long,
        value_name = "SIZE",
        env = "GOLLM_MAX_SHARD_SIZE",
        default_value = "5GB"
    )]
    #[arg(value_parser = crate::args::n_bytes)]
    max_shard_size: u64,
}

/// What OUT's ending asks for.
#[derive(Clone, Copy)]
enum Kind {
    Gollm,
    Gguf,
    Folder,
}

pub(crate) fn run(args: &Args, notes: Notes) -> Result<(), CliError> {
    let kind = args.kind()?;
    match kind {
        Kind::Folder => folder::check_target(args)?,
        Kind::Gollm | Kind::Gguf => args.rewrite().check_target(args.force)?,
    }
    let file = open(model_path(&args.input)?, &OpenOptions::default())?;
    let model = OpenModel {
        name: args.input.display().to_string(),
        file,
    };
    if let Some(differences) = differences(&model.file) {
        notes.say(differences);
    }
    // A tokenizer that cannot be used is found here and not by whoever is given the file.
    let tokenizer = model.tokenizer()?;
    let failed = |error| args.rewrite().failure(error);
    match kind {
        Kind::Gollm => convert(&model.file, &args.out).map_err(failed)?,
        Kind::Gguf => {
            let n_ids = model.file.config().vocab_size;
            let vocabulary = tokenizer
                .map(|tokenizer| vocabulary::of(&tokenizer, n_ids))
                .transpose()
                .map_err(|error: CliError| model.failure(error))?;
            export_gguf(&model.file, vocabulary.as_ref(), &args.out).map_err(failed)?;
        }
        Kind::Folder => {
            let options = folder::options(args, &model, tokenizer.as_ref(), notes)?;
            export_folder(&model.file, &args.out, &options).map_err(failed)?;
        }
    }
    let n_bytes = match kind {
        Kind::Folder => folder::n_bytes(&args.out),
        Kind::Gollm | Kind::Gguf => std::fs::metadata(&args.out).map_or(0, |file| file.len()),
    };
    notes.say(format_args!(
        "{} written, {}",
        args.out.display(),
        bytes(n_bytes.into())
    ));
    Ok(())
}

impl Args {
    fn kind(&self) -> Result<Kind, CliError> {
        if folder::is_meant(&self.out) {
            return Ok(Kind::Folder);
        }
        match self.out.extension().and_then(|ending| ending.to_str()) {
            Some("gollm") => Ok(Kind::Gollm),
            Some("gguf") => Ok(Kind::Gguf),
            _ => Err(CliError::usage(format!(
                "{}: its ending says nothing about what to write, expected .gollm, .gguf, or `/` for a \
                 folder",
                self.out.display()
            ))),
        }
    }

    fn rewrite(&self) -> Rewrite<'_> {
        Rewrite {
            from: &self.input,
            to: &self.out,
        }
    }
}
