//! `gollm perplexity`: how surprised a model is by a text that it did not write.

use std::path::PathBuf;
use std::time::Instant;

use gollm_engine::{CancelFlag, Error, Perplexity, perplexity};
use serde_json::json;

use crate::args::{ContextArgs, switch};
use crate::cli_error::{CliError, Status};
use crate::device::DeviceArgs;
use crate::input;
use crate::interrupt;
use crate::numbers::{counted, duration};
use crate::open_model::ModelArgs;
use crate::output::{self, Notes};

/// Measure how well a model predicts a text
///
/// The text is cut into windows of the model's context that do not overlap. Lower is better: a
/// perplexity of 10 is the surprise of choosing among 10 equally likely tokens each time. Compare
/// models with different tokenizers by bits per byte, not by perplexity.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Text file; `-` reads stdin
    file: PathBuf,

    /// Print one JSON object
    #[arg(long, env = "GOLLM_JSON", value_parser = switch)]
    json: bool,

    #[command(flatten)]
    model: ModelArgs,

    #[command(flatten)]
    context: ContextArgs,

    #[command(flatten)]
    device: DeviceArgs,
}

pub(crate) fn run(args: &Args, notes: Notes) -> Result<Status, CliError> {
    let device = args.device.open(notes)?;
    let model = args.model.open()?;
    notes.say(format_args!(
        "model {}; device {}",
        model.description(),
        device.description
    ));
    if !model.has_tokenizer() {
        return Err(model.no_tokenizer("perplexity is measured on text"));
    }
    let text = input::text(&args.file)?;
    let mut engine = model.engine(&device, &args.context, notes)?;
    let ids = engine.encode_prompt(&text, true);
    let cancel = CancelFlag::new();
    interrupt::raise_on_ctrl_c(&cancel)?;

    let started = Instant::now();
    let (transformer, _) = engine.parts_mut();
    let measured = match perplexity(transformer, &ids, &cancel) {
        Err(Error::Cancelled) => {
            notes.say("interrupted; a part of a text has no result");
            return Ok(Status::Interrupted);
        }
        measured => measured?,
    };
    let time = started.elapsed();
    report(args, &model.name, measured, text.len())?;
    let rate = measured.n_predicted as f64 / time.as_secs_f64();
    let tokens = counted(measured.n_predicted, "token");
    notes.say(format_args!("{tokens} in {} ({rate:.0}/s)", duration(time)));
    Ok(Status::Done)
}

fn report(args: &Args, model: &str, measured: Perplexity, n_bytes: usize) -> Result<(), CliError> {
    // The sum over tokens in bits, spread over the bytes that they stand for.
    let bits = measured.mean_loss * measured.n_predicted as f64 / std::f64::consts::LN_2;
    let bits_per_byte = bits / n_bytes.max(1) as f64;
    if args.json {
        return output::print_json(&json!({
            "model": model,
            "perplexity": measured.perplexity(),
            "mean_loss": measured.mean_loss,
            "bits_per_byte": bits_per_byte,
            "n_tokens": measured.n_predicted,
            "n_bytes": n_bytes,
        }));
    }
    output::print(format!(
        "perplexity     {:.4}\nmean loss      {:.6} nats a token\nbits per byte  {bits_per_byte:.4}\n",
        measured.perplexity(),
        measured.mean_loss,
    ))
}
