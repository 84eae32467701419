//! `gollm verify`: reads every byte of a model file and says whether it is as it was written.

use std::path::PathBuf;

use gollm_tokenizer::Tokenizer;
use gollm_weights::{Report, TensorReport};
use serde_json::{Value, json};

use crate::args::switch;
use crate::cli_error::CliError;
use crate::escape;
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

    /// Print the BLAKE3 hash of each tensor as well, in the form of `b3sum`
    ///
    /// A tensor has one hash in whatever kind of file it lies, as long as it is not rounded on the way: what is
    /// hashed are its bytes as they are used here.
    #[arg(long, env = "GOLLM_HASHES", value_parser = switch, conflicts_with = "json")]
    hashes: bool,

    /// Print one JSON object, with the type, the hash and the counts of each tensor
    #[arg(long, env = "GOLLM_JSON", value_parser = switch)]
    json: bool,

    #[command(flatten)]
    model: ModelArgs,
}

pub(crate) fn run(args: &Args) -> Result<(), CliError> {
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
            "tensors": report.tensors.iter().map(tensor_json).collect::<Vec<_>>(),
        }));
    }
    if args.hashes {
        let line =
            |tensor: &TensorReport| format!("{}  {}\n", hash(tensor), escape::line(&tensor.name));
        output::print_report(&report.tensors.iter().map(line).collect::<String>())?;
    }
    output::print_report(&format!(
        "{}: ok. {}, {}, {}, {} parameters; {}\n",
        escape::line(&model.name),
        if model.file.is_gollm() {
            format!("Format {}", report.version)
        } else {
            format!(
                "{} (no checksums in such a file)",
                escape::line(&model.file.format())
            )
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

fn tensor_json(tensor: &TensorReport) -> Value {
    json!({
        "name": tensor.name,
        "dtype": tensor.dtype.name(),
        "n_elements": tensor.n_elements,
        "n_nan": tensor.n_nan,
        "n_infinite": tensor.n_infinite,
        "blake3": hash(tensor),
    })
}

fn hash(tensor: &TensorReport) -> String {
    let bytes = tensor.blake3.iter();
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

/// A file may hold NaN exactly as it was written; the model is worth nothing all the same.
fn check_finite(model: &OpenModel, report: &Report) -> Result<(), CliError> {
    let broken = report
        .tensors
        .iter()
        .find(|tensor| tensor.n_nan + tensor.n_infinite > 0);
    let Some(tensor) = broken else {
        return Ok(());
    };
    let cause = if model.file.is_gollm() {
        "the file is as it was written, but the training had gone wrong; export an earlier checkpoint"
    } else {
        "the training had gone wrong, or the file is damaged, which it has no checksums to tell; get \
         it again, or an earlier checkpoint"
    };
    Err(CliError::bad_file(format!(
        "{}: tensor `{}` holds {} NaN and {} infinite numbers ({} in all tensors): {cause}",
        model.name,
        tensor.name,
        grouped(tensor.n_nan),
        grouped(tensor.n_infinite),
        grouped(report.n_non_finite()),
    )))
}

fn check_tokenizer(model: &OpenModel) -> Result<Option<Tokenizer>, CliError> {
    let tokenizer = model.tokenizer()?;
    let expected = model.file.config().vocab_size;
    match tokenizer.as_ref().map(Tokenizer::vocab_size) {
        Some(found) if found != expected => Err(CliError::bad_file(format!(
            "{}: the config says vocab_size {expected} but the tokenizer has {found} ids; export the \
             model together with its own tokenizer",
            model.name
        ))),
        _ => Ok(tokenizer),
    }
}
