//! `gollm chat`: a conversation.

mod answer;
mod editor;
mod interactive;
mod session;
mod slash;
mod template;

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use gollm_chat::{Conversation, Saved};

use crate::args::{ContextArgs, SamplingArgs, switch};
use crate::cli_error::{CliError, Status};
use crate::device::DeviceArgs;
use crate::input;
use crate::interrupt::Interrupts;
use crate::open_model::ModelArgs;
use crate::output::Notes;

use session::Session;

/// Talk with a model
///
/// In a terminal, one message after the other; /help lists the commands. Otherwise stdin is one message:
/// the answer goes to stdout, and that is all. How messages are put to the model is said by the chat
/// template in its file.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Answer this message and end
    #[arg(short, long, value_name = "TEXT", env = "GOLLM_PROMPT")]
    prompt: Option<String>,

    /// What holds for the whole conversation, said to the model before the first message
    #[arg(long, value_name = "TEXT", env = "GOLLM_SYSTEM")]
    system: Option<String>,

    /// How messages are put to the model: chatml, gemma, llama2, llama3, mistral, or a file with Jinja
    /// [default: the template in the model file]
    #[arg(long, value_name = "NAME|FILE", env = "GOLLM_TEMPLATE")]
    template: Option<String>,

    /// Go on with a conversation that /save wrote
    #[arg(long, value_name = "FILE", env = "GOLLM_LOAD")]
    load: Option<PathBuf>,

    /// Whether a model that can think before it answers should: true or false [default: the template's]
    #[arg(long, value_name = "BOOL", env = "GOLLM_THINKING", value_parser = switch)]
    thinking: Option<bool>,

    /// Tokens of an answer at most [default: until it ends or the context is full]
    #[arg(short = 'n', long, visible_aliases = ["predict", "n-predict"], value_name = "N")]
    #[arg(env = "GOLLM_MAX_TOKENS", value_parser = at_least_one, allow_negative_numbers = true)]
    max_tokens: Option<usize>,

    /// End an answer before this text appears; may be given several times
    #[arg(long, value_name = "TEXT", env = "GOLLM_STOP")]
    stop: Vec<String>,

    #[command(flatten)]
    sampling: SamplingArgs,

    #[command(flatten)]
    model: ModelArgs,

    #[command(flatten)]
    context: ContextArgs,

    #[command(flatten)]
    device: DeviceArgs,
}

pub(crate) fn run(args: &Args, notes: Notes) -> Result<Status, CliError> {
    if args.stop.iter().any(String::is_empty) {
        return Err(CliError::usage(
            "--stop is empty, expected at least one character",
        ));
    }
    let sampler = args.sampling.options()?;
    // Cheap mistakes first: what is on the command line, then what is in small files.
    let message = args.message()?;
    let loaded = args.load.as_deref().map(Saved::read).transpose()?;
    let model = args.model.open()?;
    let template = template::choose(args.template.as_deref(), &model)?;
    let device = args.device.open(notes)?;
    notes.say(format_args!(
        "model {}; device {}; seed {}",
        model.description(),
        device.description,
        sampler.seed
    ));
    let engine = model.engine(&device, &args.context, notes)?;
    // A device that has repacked its weights no longer needs the mapping.
    drop(model);

    let mut conversation = Conversation::new(template);
    conversation.set_thinking(args.thinking);
    if let Some(saved) = loaded {
        conversation.load(saved);
    }
    if let Some(system) = &args.system {
        conversation.set_system(Some(system.clone()));
    }
    let mut session = Session::new(engine, conversation, notes, Interrupts::listen()?);
    session.options.sampler = sampler;
    session.options.max_tokens = args.max_tokens.unwrap_or(usize::MAX);
    session
        .options
        .stop_strings
        .extend(args.stop.iter().cloned());
    match message {
        Some(message) => session.answer_one(&message),
        None => interactive::run(&mut session),
    }
}

impl Args {
    /// The one message to answer, or `None` where a person will type.
    fn message(&self) -> Result<Option<String>, CliError> {
        let message = match &self.prompt {
            Some(prompt) => prompt.clone(),
            None if io::stdin().is_terminal() => return Ok(None),
            None => input::without_line_end(input::stdin()?),
        };
        match message.trim().is_empty() {
            true => Err(CliError::usage(
                "the message is empty; there is nothing to answer",
            )),
            false => Ok(Some(message)),
        }
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("expected a whole number of at least 1".to_owned()),
        Ok(number) => Ok(number),
    }
}
