//! A GGUF file's SentencePiece vocabulary (`tokenizer.ggml.model` = `llama`) as the JSON of a `.gollm`
//! file's tokenizer.
//!
//! What a key means when it is absent is llama.cpp's rule for this kind:
//! <https://github.com/ggml-org/llama.cpp>, `src/llama-vocab.cpp`.

use serde_json::{Map, Value as Json, json};

use super::container::Container;
use super::error::{GgufError, Result};
use super::tokenizer::{ADD_BEGIN, BEGIN, ENDS, TOKENS, TYPES, float, int, string, tokens_of};

const SCORES: &str = "tokenizer.ggml.scores";
const UNKNOWN: &str = "tokenizer.ggml.unknown_token_id";
const ADD_SPACE: &str = "tokenizer.ggml.add_space_prefix";
/// The ids of the first and the last token where the file does not say them.
const USUAL_BEGIN: usize = 1;
const USUAL_END: usize = 2;

/// What the list of tokens says, each kind apart.
#[derive(Default)]
struct Tokens {
    /// The text of ordinary tokens, empty for all others.
    texts: Vec<String>,
    special: Map<String, Json>,
    added: Map<String, Json>,
    /// The id of each byte that has a token.
    bytes: Vec<Option<usize>>,
    unknown: Option<usize>,
}

pub(super) fn tokenizer(file: &Container<'_>, vocab_size: usize) -> Result<Json> {
    let tokens = tokens(file, vocab_size)?;
    let bytes: Vec<usize> = tokens.bytes.iter().flatten().copied().collect();
    let adds_space = file.bool(ADD_SPACE)?.unwrap_or(true);
    let mut ends = Vec::new();
    for key in ENDS {
        ends.extend(file.size(key)?);
    }
    if ends.is_empty() {
        ends.push(USUAL_END);
    }
    ends.sort_unstable();
    ends.dedup();
    let mut json = json!({
        "kind": "sentencepiece",
        "version": 1,
        "special": tokens.special,
        "added": tokens.added,
        "tokens": tokens.texts,
        "bytes": bytes,
        "fuses_unknown": true,
        "scores": scores(file, vocab_size)?,
        "first_space": if adds_space { "each_part" } else { "never" },
        "strips_first_space": adds_space,
        "end": ends,
    });
    if let Some(id) = file.size(UNKNOWN)?.or(tokens.unknown) {
        json["unknown"] = id.into();
    }
    if file.bool(ADD_BEGIN)?.unwrap_or(true) {
        json["begin"] = file.size(BEGIN)?.unwrap_or(USUAL_BEGIN).into();
    }
    Ok(json)
}

fn tokens(file: &Container<'_>, vocab_size: usize) -> Result<Tokens> {
    let (texts, types) = tokens_of(file, vocab_size)?;
    let missing = || GgufError::MissingKey(TYPES.to_owned());
    let types = types.ok_or_else(missing)?;
    let mut tokens = Tokens {
        bytes: vec![None; 256],
        ..Tokens::default()
    };
    for (id, (text, kind)) in texts.iter(TOKENS).zip(types.iter(TYPES)).enumerate() {
        let text = string(TOKENS, text?)?;
        tokens.push(id, text, int(TYPES, kind?)?)?;
    }
    Ok(tokens)
}

impl Tokens {
    /// Source of the numbers: `enum llama_token_type`, llama.cpp's `include/llama.h`.
    fn push(&mut self, id: usize, text: &str, kind: i128) -> Result<()> {
        let mut ordinary = String::new();
        let twice = match kind {
            1 => {
                text.clone_into(&mut ordinary);
                None
            }
            2 => {
                self.unknown = self.unknown.or(Some(id));
                self.special.insert(text.to_owned(), id.into())
            }
            3 | 5 => self.special.insert(text.to_owned(), id.into()),
            4 => self.added.insert(text.to_owned(), id.into()),
            6 => self.byte(id, text)?.map(Json::from),
            _ => {
                let problem = format!("token {id} is of type {kind}, expected 1 to 6");
                return Err(GgufError::key(TYPES, problem));
            }
        };
        self.texts.push(ordinary);
        if let Some(other) = twice {
            let shown = shown(text);
            let problem = format!("tokens {other} and {id} are both `{shown}`");
            return Err(GgufError::key(TOKENS, problem));
        }
        Ok(())
    }

    /// Notes the token of a byte, `<0x0A>`; the id that the byte had before.
    fn byte(&mut self, id: usize, text: &str) -> Result<Option<usize>> {
        let digits = text
            .strip_prefix("<0x")
            .and_then(|text| text.strip_suffix('>'));
        let digits = digits.filter(|digits| digits.len() == 2 && !digits.starts_with('+'));
        let byte = digits.and_then(|digits| usize::from_str_radix(digits, 16).ok());
        let place = byte.and_then(|byte| self.bytes.get_mut(byte));
        let place = place.ok_or_else(|| {
            let shown = shown(text);
            let problem =
                format!("token {id} is of type 6 and `{shown}`, expected `<0x00>` to `<0xFF>`");
            GgufError::key(TOKENS, problem)
        })?;
        Ok(place.replace(id))
    }
}

fn scores(file: &Container<'_>, vocab_size: usize) -> Result<Vec<f64>> {
    let missing = || GgufError::MissingKey(SCORES.to_owned());
    let scores = file.array(SCORES)?.ok_or_else(missing)?;
    if scores.len() != vocab_size {
        let problem = format!("it has {} entries for {vocab_size} tokens", scores.len());
        return Err(GgufError::key(SCORES, problem));
    }
    let mut found = Vec::with_capacity(vocab_size);
    for (id, score) in scores.iter(SCORES).enumerate() {
        let score = float(SCORES, score?)?;
        if !score.is_finite() {
            let problem = format!("the score of token {id} is {score}");
            return Err(GgufError::key(SCORES, problem));
        }
        found.push(score);
    }
    Ok(found)
}

/// The beginning of a text, harmless.
fn shown(text: &str) -> String {
    text.chars().take(40).flat_map(char::escape_debug).collect()
}
