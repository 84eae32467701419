//! `gollm generate`: continues a text.

mod prompt;
pub(super) mod report;
mod sink;

use std::path::PathBuf;
use std::time::Instant;

use gollm_engine::{CancelFlag, FinishReason, GenerateOptions, Generation, generate_ids};

use crate::args::{ContextArgs, SamplingArgs, switch};
use crate::cli_error::{CliError, Status};
use crate::device::{ChosenDevice, DeviceArgs};
use crate::interrupt;
use crate::open_model::{ModelArgs, OpenModel};
use crate::output::{self, Notes};

use prompt::Prompt;
use report::Run;
use sink::Sink;

/// Continue a text
///
/// Prints the continuation alone on stdout, as it comes. Without a prompt the model starts from
/// nothing. On a terminal the prompt is shown before its continuation, by way of stderr.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The text to continue; `-` reads it from stdin [default: stdin, if it is not a terminal]
    prompt: Option<String>,

    /// Read the prompt from a file; `-` reads stdin. One line end after the text is left out
    #[arg(
        short,
        long,
        value_name = "FILE",
        env = "GOLLM_FILE",
        conflicts_with = "prompt"
    )]
    file: Option<PathBuf>,

    /// Token ids to continue instead of text: numbers between spaces or commas
    ///
    /// For models without a tokenizer, which answer with ids as well.
    #[arg(long, value_name = "IDS", env = "GOLLM_PROMPT_IDS", conflicts_with_all = ["prompt", "file"])]
    prompt_ids: Option<String>,

    /// Tokens to generate at most [default: until the text ends or the context is full]
    #[arg(short = 'n', long, visible_aliases = ["predict", "n-predict"], value_name = "N")]
    #[arg(env = "GOLLM_MAX_TOKENS", allow_negative_numbers = true)]
    max_tokens: Option<usize>,

    /// End before this text appears; may be given several times
    #[arg(long, value_name = "TEXT", env = "GOLLM_STOP")]
    stop: Vec<String>,

    /// Go on after the token that ends a text
    #[arg(long, env = "GOLLM_IGNORE_EOS", value_parser = switch)]
    ignore_eos: bool,

    /// Print the prompt on stdout as well, before its continuation
    #[arg(long, env = "GOLLM_ECHO", value_parser = switch, conflicts_with = "prompt_ids")]
    echo: bool,

    /// Print one JSON object when all is done, instead of text as it comes
    #[arg(long, env = "GOLLM_JSON", value_parser = switch)]
    json: bool,

    #[command(flatten)]
    sampling: SamplingArgs,

    #[command(flatten)]
    model: ModelArgs,

    #[command(flatten)]
    context: ContextArgs,

    #[command(flatten)]
    device: DeviceArgs,
}

pub(crate) fn run(args: &Args, notes: Notes, started: Instant) -> Result<Status, CliError> {
    let options = args.options()?;
    let device = args.device.open(notes)?;
    let model = args.model.open()?;
    notes.say(format_args!(
        "model {}; device {}; seed {}",
        model.description(),
        device.description,
        options.sampler.seed
    ));
    let prompt = args.read_prompt()?;
    interrupt::raise_on_ctrl_c(&options.cancel)?;

    let mut sink = Sink::new(args.json);
    if let Prompt::Text(text) = &prompt {
        if args.echo {
            sink.echo(text)?;
        } else if !args.json && output::is_watched() {
            sink.show_prompt(text, notes);
        }
    }
    let (name, has_tokenizer) = (model.name.clone(), model.has_tokenizer());
    let context = (&args.context, notes);
    let continued = continue_prompt(&prompt, &options, model, (&device, context), &mut sink);
    sink.end_line()?;
    let (generation, ready) = continued?;
    let run = Run {
        generation,
        start_up: ready.duration_since(started),
        model: name,
        has_tokenizer,
        device,
        options,
    };
    if args.json {
        output::print_json(&report::to_json(&run, &prompt))?;
    }
    notes.say(report::to_line(&run));
    match run.generation.finish_reason {
        FinishReason::Cancelled => Ok(Status::Interrupted),
        _ => Ok(Status::Done),
    }
}

/// Continues the prompt with whatever the model has: text if it has a tokenizer, otherwise ids.
/// Also says when the model was ready. The file is let go of then: a device that has repacked its
/// weights no longer needs the mapping.
fn continue_prompt(
    prompt: &Prompt,
    options: &GenerateOptions,
    model: OpenModel,
    (device, (context, notes)): (&ChosenDevice, (&ContextArgs, Notes)),
    sink: &mut Sink,
) -> Result<(Generation, Instant), CliError> {
    let continued = match (model.has_tokenizer(), prompt) {
        (true, _) => {
            let mut engine = model.engine(device, context, notes)?;
            drop(model);
            let ready = Instant::now();
            let on_text = |text: &str| sink.push(text);
            let generation = match prompt {
                Prompt::Text(text) => engine.generate(text, options, on_text)?,
                Prompt::Ids(ids) => engine.generate_from_ids(ids.clone(), options, on_text)?,
            };
            (generation, ready)
        }
        (false, Prompt::Ids(ids)) => {
            if !options.stop_strings.is_empty() {
                return Err(CliError::usage(
                    "--stop needs text, and this model has no tokenizer",
                ));
            }
            let mut transformer = model.transformer(device, context, notes)?;
            drop(model);
            let ready = Instant::now();
            let mut separator = "";
            let on_id = |id| sink.push(&format!("{}{id}", std::mem::replace(&mut separator, " ")));
            let generation = generate_ids(&mut transformer, ids.clone(), options.clone(), on_id)?;
            (generation, ready)
        }
        (false, Prompt::Text(_)) => {
            return Err(model.no_tokenizer("give the prompt as ids, such as --prompt-ids 1"));
        }
    };
    sink.take_failure()?;
    Ok(continued)
}

impl Args {
    fn options(&self) -> Result<GenerateOptions, CliError> {
        if self.stop.iter().any(String::is_empty) {
            return Err(CliError::usage(
                "--stop is empty, expected at least one character",
            ));
        }
        Ok(GenerateOptions {
            sampler: self.sampling.options()?,
            max_tokens: self.max_tokens.unwrap_or(usize::MAX),
            stop_strings: self.stop.clone(),
            ignore_end_of_text: self.ignore_eos,
            cancel: CancelFlag::new(),
            ..GenerateOptions::default()
        })
    }

    fn read_prompt(&self) -> Result<Prompt, CliError> {
        prompt::read(
            self.prompt.as_deref(),
            self.file.as_deref(),
            self.prompt_ids.as_deref(),
        )
    }
}
