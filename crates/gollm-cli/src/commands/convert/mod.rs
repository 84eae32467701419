//! `gollm convert`: the same model in another kind of file.

mod vocabulary;

use std::path::PathBuf;

use gollm_weights::{ModelFile, OpenOptions, convert, export_gguf};

use crate::args::switch;
use crate::failure::Failure;
use crate::numbers::bytes;
use crate::open_model::{OpenModel, converted_types};
use crate::output::Notes;
use crate::rewrite::Rewrite;

/// Write a model in another kind of file: .gollm or .gguf
///
/// Reads .gollm and GGUF files; OUT's ending says what is written. No number changes but those of types
/// that are not computed with here, which become f16; `gollm quantize` changes the type.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Model file to read
    #[arg(value_name = "IN")]
    input: PathBuf,

    /// Where to write the new one, ending in .gollm or .gguf
    #[arg(value_name = "OUT")]
    out: PathBuf,

    /// Replace OUT if it is there
    #[arg(long, env = "GOLLM_FORCE", value_parser = switch)]
    force: bool,
}

/// What OUT's ending asks for.
#[derive(Clone, Copy)]
enum Kind {
    Gollm,
    Gguf,
}

pub(crate) fn run(args: &Args, notes: Notes) -> Result<(), Failure> {
    let kind = args.kind()?;
    args.rewrite().check_target(args.force)?;
    let file = ModelFile::open(&args.input, &OpenOptions::default())?;
    let model = OpenModel {
        name: args.input.display().to_string(),
        file,
    };
    if let Some(types) = converted_types(&model.file) {
        notes.say(types);
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
                .map_err(|error: Failure| model.failure(error))?;
            export_gguf(&model.file, vocabulary.as_ref(), &args.out).map_err(failed)?;
        }
    }
    let n_bytes = std::fs::metadata(&args.out).map_or(0, |file| file.len());
    notes.say(format_args!(
        "{} written, {}",
        args.out.display(),
        bytes(n_bytes.into())
    ));
    Ok(())
}

impl Args {
    fn kind(&self) -> Result<Kind, Failure> {
        match self.out.extension().and_then(|ending| ending.to_str()) {
            Some("gollm") => Ok(Kind::Gollm),
            Some("gguf") => Ok(Kind::Gguf),
            _ => Err(Failure::usage(format!(
                "{}: its ending says nothing about what to write, expected .gollm or .gguf",
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
