//! `gollm tokenize`: text to tokens and back, to look at.

use std::fmt::Write;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use gollm_tokenizer::Tokenizer;
use serde_json::{Value, json};

use crate::args::{parse_ids, switch};
use crate::cli_error::CliError;
use crate::escape;
use crate::input;
use crate::numbers::counted;
use crate::open_model::ModelArgs;
use crate::output::{self, Notes};

/// Show the tokens of a text, or the text of tokens
///
/// Prints one token a line: its id, a tab, its bytes in quotes. Where colours are on, it prints the
/// text instead, each token in a colour of its own, and the ids below it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The text; `-` reads stdin [default: stdin]
    text: Option<String>,

    /// Read the text from a file; `-` reads stdin
    #[arg(
        short,
        long,
        value_name = "FILE",
        env = "GOLLM_FILE",
        conflicts_with = "text"
    )]
    file: Option<PathBuf>,

    /// Turn ids into text instead: numbers between spaces or commas, `-` reads them from stdin
    #[arg(long, value_name = "IDS", env = "GOLLM_DECODE", conflicts_with_all = ["text", "file", "ids", "special"])]
    decode: Option<String>,

    /// Take special tokens such as <|end_of_text|> in the text for what they say
    #[arg(long, env = "GOLLM_SPECIAL", value_parser = switch)]
    special: bool,

    /// Print the ids only, on one line
    #[arg(long, env = "GOLLM_IDS", value_parser = switch)]
    ids: bool,

    /// Print one JSON object
    #[arg(long, env = "GOLLM_JSON", value_parser = switch, conflicts_with = "ids")]
    json: bool,

    /// Rank file of a tokenizer, as `train-tokenizer` writes it, instead of a model's own
    #[arg(
        long,
        value_name = "FILE",
        env = "GOLLM_TOKENIZER",
        conflicts_with = "model"
    )]
    tokenizer: Option<PathBuf>,

    #[command(flatten)]
    model: ModelArgs,
}

pub(crate) fn run(args: &Args, notes: Notes) -> Result<(), CliError> {
    let tokenizer = match &args.tokenizer {
        Some(path) => Tokenizer::load(path)?,
        None => args
            .model
            .open()?
            .needed_tokenizer("give one with --tokenizer FILE")?,
    };
    if let Some(ids) = &args.decode {
        return decode(args, &tokenizer, ids);
    }
    let text = match (&args.file, args.text.as_deref()) {
        (Some(path), _) => input::text(path)?,
        (None, None | Some("-")) => input::stdin()?,
        (None, Some(text)) => text.to_owned(),
    };
    let ids = if args.special {
        tokenizer.encode_with_special(&text)
    } else {
        tokenizer.encode(&text)
    };
    if args.json {
        output::print_json(&to_json(&tokenizer, &ids))?;
    } else if args.ids {
        output::print(joined(&ids) + "\n")?;
    } else if output::stdout_has_colour() {
        output::print(in_colour(&tokenizer, &ids))?;
    } else {
        output::print(lines(&tokenizer, &ids))?;
    }
    notes.say(summary(ids.len(), text.len()));
    Ok(())
}

/// Prints the bytes that ids stand for: into a file or a pipe exactly, so that a file that was
/// tokenized comes back as it was.
fn decode(args: &Args, tokenizer: &Tokenizer, ids: &str) -> Result<(), CliError> {
    let ids = match ids {
        "-" => parse_ids(&input::stdin()?),
        ids => parse_ids(ids),
    };
    let ids = ids.map_err(|problem| CliError::usage(format!("--decode: {problem}")))?;
    let bytes = tokenizer.decode_bytes(&ids)?;
    if args.json {
        return output::print_json(&to_json(tokenizer, &ids));
    }
    if io::stdout().is_terminal() {
        return output::print(escape::text(&String::from_utf8_lossy(&bytes)) + "\n");
    }
    output::print(bytes)
}

fn lines(tokenizer: &Tokenizer, ids: &[u32]) -> String {
    let mut text = String::new();
    for &id in ids {
        let piece = escape::token(tokenizer.token_bytes(id).unwrap_or_default());
        let _ = writeln!(text, "{id}\t\"{piece}\"");
    }
    text
}

/// The text with each token on a background of its own, then the ids in the same colours.
fn in_colour(tokenizer: &Tokenizer, ids: &[u32]) -> String {
    const BACKGROUNDS: [AnsiColor; 5] = [
        AnsiColor::Cyan,
        AnsiColor::Yellow,
        AnsiColor::Green,
        AnsiColor::Magenta,
        AnsiColor::Blue,
    ];
    let styles = BACKGROUNDS.map(|colour| {
        Style::new()
            .fg_color(Some(AnsiColor::Black.into()))
            .bg_color(Some(colour.into()))
    });
    let (mut pieces, mut numbers) = (String::new(), String::new());
    for (&id, style) in ids.iter().zip(styles.iter().cycle()) {
        let bytes = tokenizer.token_bytes(id).unwrap_or_default();
        let _ = write!(pieces, "{style}{}{style:#}", escape::token(bytes));
        // After the visible `\n`, so that the lines of the text stay lines.
        if bytes.contains(&b'\n') {
            pieces.push('\n');
        }
        let _ = write!(numbers, "{style}{id}{style:#} ");
    }
    if !pieces.is_empty() && !pieces.ends_with('\n') {
        pieces.push('\n');
    }
    format!("{pieces}{}\n", numbers.trim_end())
}

fn to_json(tokenizer: &Tokenizer, ids: &[u32]) -> Value {
    let tokens = ids.iter().map(|&id| {
        let bytes = tokenizer.token_bytes(id).unwrap_or_default();
        json!({
            "id": id,
            "text": String::from_utf8_lossy(bytes),
            "bytes": bytes,
            "special": tokenizer.is_special(id),
        })
    });
    let n_bytes: usize = ids
        .iter()
        .filter_map(|&id| tokenizer.token_bytes(id))
        .map(<[u8]>::len)
        .sum();
    json!({
        "ids": ids,
        "tokens": tokens.collect::<Vec<_>>(),
        "n_tokens": ids.len(),
        "n_bytes": n_bytes,
    })
}

fn joined(ids: &[u32]) -> String {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    ids.join(" ")
}

fn summary(n_tokens: usize, n_bytes: usize) -> String {
    let counts = format!(
        "{}, {}",
        counted(n_tokens, "token"),
        counted(n_bytes, "byte")
    );
    if n_tokens == 0 {
        return counts;
    }
    let rate = n_bytes as f64 / n_tokens as f64;
    format!("{counts}, {rate:.2} bytes a token")
}
