//! `gollm verify`: reads every byte of a model file and says whether it is as it was written.

use std::path::PathBuf;

use gollm_tokenizer::Tokenizer;
use gollm_weights::Report;
use serde_json::json;

use crate::args::switch;
use crate::failure::Failure;
use crate::numbers::{bytes, counted, grouped};
use crate::open_model::{ModelArgs, OpenModel};
use crate::output;

/// Check every byte of a model file
///
/// Checks the structure, every checksum, all padding, that the tensors are those of the config, that
/// all numbers are finite, and that the tokenizer can be read and has the config's vocabulary. Files of
/// other projects have no checksums: there a changed number stays unnoticed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Model file, the same as --model
    file: Option<PathBuf>,

    /// Print one JSON object
    #[arg(long, env = "GOLLM_JSON", value_parser = switch)]
    json: bool,

    #[command(flatten)]
    model: ModelArgs,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let model = args.model.open_instead(args.file.as_deref())?;
    let report = model.file.verify().map_err(|error| model.failure(error))?;
    check_finite(&model, &report)?;
    let tokenizer = check_tokenizer(&model)?;
    if args.json {
        return output::print_json(&json!({
            "file": model.name,
            "ok": true,
            "checksums": model.file.is_gollm(),
            "format": model.file.format(),
            "format_version": report.version.to_string(),
            "file_bytes": report.file_bytes,
            "n_tensors": report.tensors.len(),
            "n_parameters": report.n_parameters,
            "tokenizer_ids": tokenizer.map(|tokenizer| tokenizer.vocab_size()),
        }));
    }
    output::print(format!(
        "{}: ok. {}, {}, {}, {} parameters; {}\n",
        model.name,
        match model.file.is_gollm() {
            true => format!("Format {}", report.version),
            false => format!("{} (no checksums in such a file)", model.file.format()),
        },
        bytes(report.file_bytes as u128),
        counted(report.tensors.len(), "tensor"),
        grouped(report.n_parameters),
        match tokenizer {
            Some(tokenizer) => format!(
                "a tokenizer of {} ids",
                grouped(tokenizer.vocab_size() as u128)
            ),
            None => "no tokenizer".to_owned(),
        },
    ))
}

/// A file may hold NaN exactly as it was written; the model is worth nothing all the same.
fn check_finite(model: &OpenModel, report: &Report) -> Result<(), Failure> {
    let broken = report
        .tensors
        .iter()
        .find(|tensor| tensor.n_nan + tensor.n_infinite > 0);
    let Some(tensor) = broken else {
        return Ok(());
    };
    Err(Failure::bad_file(format!(
        "{}: tensor `{}` holds {} NaN and {} infinite numbers ({} in all tensors): the file is as it \
         was written, but the training had gone wrong; export an earlier checkpoint",
        model.name,
        tensor.name,
        grouped(tensor.n_nan),
        grouped(tensor.n_infinite),
        grouped(report.n_non_finite()),
    )))
}

fn check_tokenizer(model: &OpenModel) -> Result<Option<Tokenizer>, Failure> {
    let tokenizer = model.tokenizer()?;
    let expected = model.file.config().vocab_size;
    match tokenizer.as_ref().map(Tokenizer::vocab_size) {
        Some(found) if found != expected => Err(Failure::bad_file(format!(
            "{}: the config says vocab_size {expected} but the tokenizer has {found} ids; export the \
             model together with its own tokenizer",
            model.name
        ))),
        _ => Ok(tokenizer),
    }
}
