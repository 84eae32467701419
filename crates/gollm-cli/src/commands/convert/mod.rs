//! `gollm convert`: the same model in another kind of file.

mod vocabulary;

use std::fs;
use std::path::{Path, PathBuf};

use gollm_weights::{Error, ModelFile, OpenOptions, convert, export_gguf};

use crate::args::switch;
use crate::failure::Failure;
use crate::input;
use crate::numbers::bytes;
use crate::open_model::{OpenModel, converted_types};
use crate::output::Notes;

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
    args.check_target()?;
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
    let failed = |error| args.failure(error);
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
    let n_bytes = fs::metadata(&args.out).map_or(0, |file| file.len());
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

    fn check_target(&self) -> Result<(), Failure> {
        input::check_target(&self.out)?;
        if same_file(&self.input, &self.out) {
            return Err(Failure::usage(format!(
                "IN and OUT are the same file, {}; give another name",
                self.out.display()
            )));
        }
        if !self.force && self.out.symlink_metadata().is_ok() {
            return Err(Failure::usage(format!(
                "{} is there already; --force replaces it",
                self.out.display()
            )));
        }
        Ok(())
    }

    /// Errors that name a file are about the one being written, others about the one being read.
    fn failure(&self, error: Error) -> Failure {
        match (&error, error.without_path()) {
            (_, Error::Io { .. } | Error::NotAFile(_)) => {
                Failure::write(&self.out, error.without_path())
            }
            _ => Failure::from(error).context(self.input.display()),
        }
    }
}

fn same_file(a: &Path, b: &Path) -> bool {
    match (fs::canonicalize(a), fs::canonicalize(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}
