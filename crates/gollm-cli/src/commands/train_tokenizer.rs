//! `gollm train-tokenizer`: learns a vocabulary from text.

use std::borrow::Cow;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use gollm_tokenizer::{Pattern, SPECIAL_TOKENS, Tokenizer, TrainOptions, train};
use serde_json::json;

use crate::args::switch;
use crate::cli_error::CliError;
use crate::input;
use crate::numbers::{counted, duration, grouped};
use crate::output::{self, Notes};

/// Learn a byte-pair vocabulary from text files
///
/// Writes two files: the vocabulary in tiktoken's rank-file form, and beside it, with .json added,
/// the pattern and the special tokens. The same text gives the same files.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Text files; `-` reads stdin [default: stdin]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Where to write the vocabulary
    #[arg(short, long, value_name = "PATH", env = "GOLLM_OUT")]
    out: PathBuf,

    /// How many ids: 256 bytes, the merges, and 5 special tokens
    #[arg(
        long,
        value_name = "N",
        env = "GOLLM_VOCAB_SIZE",
        default_value_t = 4096
    )]
    vocab_size: usize,

    /// How text is cut into pieces that no token crosses
    #[arg(long, env = "GOLLM_PATTERN", default_value = "cl100k")]
    #[arg(value_parser = PossibleValuesParser::new(Pattern::ALL.map(Pattern::name))
        .try_map(|name| name.parse::<Pattern>()))]
    pattern: Pattern,

    /// Print one JSON object
    #[arg(long, env = "GOLLM_JSON", value_parser = switch)]
    json: bool,
}

/// Text to learn from. A file is read each time it is needed, so that no more than one is in memory.
enum Source {
    File(PathBuf),
    Stdin(String),
}

impl Source {
    fn read(&self) -> Result<Cow<'_, str>, CliError> {
        match self {
            Self::File(path) => Ok(Cow::Owned(input::text(path)?)),
            Self::Stdin(text) => Ok(Cow::Borrowed(text)),
        }
    }
}

pub(crate) fn run(args: &Args, notes: Notes) -> Result<(), CliError> {
    input::check_target(&args.out)?;
    let sources = sources(&args.files)?;
    let options = TrainOptions {
        vocab_size: args.vocab_size,
        pattern: args.pattern,
        special_tokens: SPECIAL_TOKENS.map(str::to_owned).to_vec(),
    };
    let started = std::time::Instant::now();
    let tokenizer = learn(&sources, &options)?;
    notes.say(format_args!("learned in {}", duration(started.elapsed())));
    tokenizer.save(&args.out)?;
    report(args, &tokenizer, &sources)
}

fn sources(files: &[PathBuf]) -> Result<Vec<Source>, CliError> {
    if files.is_empty() {
        return Ok(vec![Source::Stdin(input::stdin()?)]);
    }
    let source = |path: &PathBuf| match input::is_stdin(path) {
        true => Ok(Source::Stdin(input::stdin()?)),
        false => Ok(Source::File(path.clone())),
    };
    files.iter().map(source).collect()
}

fn learn(sources: &[Source], options: &TrainOptions) -> Result<Tokenizer, CliError> {
    // The trainer takes texts, not failures to read them: the first failure ends the texts.
    let mut failure = None;
    let texts = sources.iter().map_while(|source| match source.read() {
        Ok(text) => Some(text),
        Err(error) => {
            failure = Some(error);
            None
        }
    });
    let tokenizer = train(texts, options);
    match failure {
        Some(failure) => Err(failure),
        None => Ok(tokenizer?),
    }
}

/// Encodes the training text with the new vocabulary and says how much shorter it became.
fn report(args: &Args, tokenizer: &Tokenizer, sources: &[Source]) -> Result<(), CliError> {
    let (mut n_bytes, mut n_tokens) = (0, 0);
    for source in sources {
        let text = source.read()?;
        n_bytes += text.len();
        n_tokens += tokenizer.encode(&text).len();
    }
    let vocab_size = tokenizer.vocab_size();
    let n_merges = vocab_size.saturating_sub(256 + SPECIAL_TOKENS.len());
    // A vocabulary of single bytes can be learned from no text at all.
    let rate = n_bytes as f64 / n_tokens.max(1) as f64;
    if args.json {
        return output::print_json(&json!({
            "path": args.out.to_string_lossy(),
            "vocab_size": vocab_size,
            "n_merges": n_merges,
            "n_special": SPECIAL_TOKENS.len(),
            "pattern": tokenizer.pattern().map(Pattern::name),
            "n_texts": sources.len(),
            "n_bytes": n_bytes,
            "n_tokens": n_tokens,
            "bytes_per_token": rate,
        }));
    }
    output::print_report(&format!(
        "{} ids: 256 bytes, {}, {} special tokens\n{} of {}: {}, {rate:.2} bytes a token\nwritten to {}\n",
        grouped(vocab_size as u128),
        counted(n_merges, "merge"),
        SPECIAL_TOKENS.len(),
        counted(sources.len(), "text"),
        counted(n_bytes, "byte"),
        counted(n_tokens, "token"),
        args.out.display(),
    ))
}
