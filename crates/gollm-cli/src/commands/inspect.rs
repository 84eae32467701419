//! `gollm inspect`: what is in a model file.

use std::fmt::Write;
use std::path::PathBuf;

use gollm_model::{Config, ParameterCounts};
use gollm_tokenizer::{Pattern, Tokenizer};
use gollm_weights::{ModelFile, TensorDescriptor};
use serde_json::{Value, json};

use crate::args::switch;
use crate::cli_error::CliError;
use crate::escape;
use crate::numbers::{bytes, grouped};
use crate::open_model::{ModelArgs, OpenModel, windowed_context};
use crate::output;

/// Show a model file: config, counts, tokenizer, provenance, tensors
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

pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    let model = args.model.open_instead(args.file.as_deref())?;
    let tokenizer = model.tokenizer()?;
    let counts = ParameterCounts::new(model.file.config())?;
    if args.json {
        return output::print_json(&to_json(&model, tokenizer.as_ref(), &counts)?);
    }
    output::print_report(&to_text(&model, tokenizer.as_ref(), &counts)?)
}

fn to_text(
    model: &OpenModel,
    tokenizer: Option<&Tokenizer>,
    counts: &ParameterCounts,
) -> Result<String, CliError> {
    let file = &model.file;
    let mut text = format!(
        "{}\n{}, {} bytes ({})\n",
        escape::line(&model.name),
        escape::line(&file.format()),
        grouped(file.file_bytes() as u128),
        bytes(file.file_bytes() as u128)
    );
    section(&mut text, "config", &config_json(file.config())?);
    if let Some(window) = windowed_context(file) {
        let _ = writeln!(text, "  {window}");
    }
    let _ = writeln!(
        text,
        "\nparameters\n  {:<16} {}\n  {:<16} {}",
        "total",
        grouped(counts.total()),
        "no embeddings",
        grouped(counts.without_embeddings())
    );
    let _ = writeln!(text, "\ntokenizer\n  {}", tokenizer_line(tokenizer));
    if let Some(template) = file.chat_template() {
        let _ = writeln!(text, "\nchat template\n  {}", escape::line(template));
    }
    section(
        &mut text,
        "provenance",
        &Value::Object(file.provenance().clone()),
    );
    tensors_to_text(&mut text, file);
    Ok(text)
}

fn tensors_to_text(text: &mut String, file: &ModelFile) {
    let tensors = file.descriptors();
    let _ = writeln!(text, "\ntensors ({})", tensors.len());
    let names = tensors.iter().map(|tensor| escape::line(&tensor.name));
    let names: Vec<String> = names.collect();
    let width = names.iter().map(|name| name.chars().count()).max();
    let width = width.unwrap_or(0);
    for (name, tensor) in names.iter().zip(tensors) {
        let stored = file.converted_from(&tensor.name);
        let _ = writeln!(
            text,
            "  {name:<width$}  {:<4}  {:<16} {:>14} bytes{}",
            tensor.dtype,
            shape(tensor),
            grouped(tensor.n_bytes as u128),
            stored.map_or_else(String::new, |stored| format!(
                ", {} in the file",
                escape::line(stored)
            ))
        );
    }
}

/// A heading and one line for each key, deeper levels as JSON.
fn section(text: &mut String, heading: &str, object: &Value) {
    let _ = writeln!(text, "\n{heading}");
    let entries = object
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_null());
    for (key, value) in entries {
        let value = match value {
            Value::String(value) => value.clone(),
            value => value.to_string(),
        };
        let _ = writeln!(text, "  {:<16} {}", escape::line(key), escape::line(&value));
    }
}

fn tokenizer_line(tokenizer: Option<&Tokenizer>) -> String {
    let Some(tokenizer) = tokenizer else {
        return "none".to_owned();
    };
    let specials = tokenizer.special_tokens();
    let specials: Vec<String> = specials
        .map(|(text, id)| format!("{} = {id}", escape::line(text)))
        .collect();
    let kind = match tokenizer.pattern() {
        Some(pattern) => format!("pattern {pattern}"),
        None => "SentencePiece".to_owned(),
    };
    format!(
        "byte-pair encoding, {} ids, {kind}\n  special: {}",
        grouped(tokenizer.vocab_size() as u128),
        specials.join(", ")
    )
}

fn shape(tensor: &TensorDescriptor) -> String {
    let dims: Vec<String> = tensor.shape.iter().map(ToString::to_string).collect();
    format!("[{}]", dims.join(", "))
}

fn to_json(
    model: &OpenModel,
    tokenizer: Option<&Tokenizer>,
    counts: &ParameterCounts,
) -> Result<Value, CliError> {
    let file = &model.file;
    let tensors = file.descriptors().iter().map(|tensor| {
        json!({
            "name": tensor.name,
            "dtype": tensor.dtype.name(),
            "stored_as": file.converted_from(&tensor.name).unwrap_or(tensor.dtype.name()),
            "shape": tensor.shape,
            "offset": tensor.offset,
            "n_bytes": tensor.n_bytes,
        })
    });
    Ok(json!({
        "file": model.name,
        "format": file.format(),
        "format_version": file.version().to_string(),
        "file_bytes": file.file_bytes(),
        "config": config_json(file.config())?,
        "context_beyond_window": file.context_beyond_window(),
        "parameters": {
            "total": counts.total(),
            "without_embeddings": counts.without_embeddings(),
        },
        "tokenizer": tokenizer.map(tokenizer_json),
        "chat_template": file.chat_template(),
        "provenance": file.provenance(),
        "tensors": tensors.collect::<Vec<_>>(),
    }))
}

fn tokenizer_json(tokenizer: &Tokenizer) -> Value {
    let specials = tokenizer.special_tokens();
    let specials = specials.map(|(text, id)| (text.to_owned(), id.into()));
    json!({
        "kind": if tokenizer.pattern().is_some() { "bpe" } else { "sentencepiece" },
        "vocab_size": tokenizer.vocab_size(),
        "pattern": tokenizer.pattern().map(Pattern::name),
        "special": Value::Object(specials.collect()),
    })
}

/// By way of the config's own text, which shows an f32 with as few digits as it needs.
pub(crate) fn config_json(config: &Config) -> Result<Value, CliError> {
    let text = config.to_json()?;
    serde_json::from_str(&text).map_err(|error| CliError::runtime(error.to_string()))
}
