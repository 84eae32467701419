//! The tokenizer as one JSON value, as it travels inside a `.gollm` file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::rank_file::{format_ranks, parse_ranks};
use crate::text_form::{read_merges, read_tokens};
use crate::vocabulary::MAX_VOCAB_SIZE;
use crate::{Error, Pattern, Result, Roles, Tokenizer};

/// The version of the metadata file, and of the JSON form of a vocabulary of ranks.
pub(crate) const VERSION: u64 = 1;
/// The version of the JSON form that holds merges.
const WITH_MERGES: u64 = 2;

#[derive(Serialize, Deserialize)]
struct TokenizerJson {
    kind: String,
    version: u64,
    pattern: Pattern,
    special: BTreeMap<String, u32>,
    ranks: String,
}

/// Version 2: a vocabulary that came with merges, as text.
#[derive(Serialize, Deserialize)]
struct MergesJson {
    pattern: Pattern,
    special: BTreeMap<String, u32>,
    tokens: String,
    merges: String,
    whole_pieces: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    begin: Option<u32>,
    end: Vec<u32>,
}

impl Tokenizer {
    /// The whole tokenizer as one JSON object:
    ///
    /// ```json
    /// {"kind": "bpe", "version": 1, "pattern": "cl100k",
    ///  "special": {"<|eot_id|>": 4095}, "ranks": "AA== 0\nAQ== 1\n…"}
    /// ```
    ///
    /// `ranks` is the text of tiktoken's rank file. A vocabulary of 4,096 takes about 50 kB.
    ///
    /// One that came with a list of merges is version 2, with `tokens` and `merges` in place of `ranks`:
    /// lines in GPT-2's byte alphabet, the line of an id empty where it is no ordinary token. Its
    /// `whole_pieces` says whether a piece that is a token is taken without merging; `begin` and `end`
    /// are the ids that begin and end a text.
    pub fn to_json(&self) -> Value {
        if self.merges().is_some() {
            return self.with_merges_to_json();
        }
        let special: serde_json::Map<String, Value> = self
            .special_tokens()
            .map(|(text, id)| (text.to_owned(), Value::from(id)))
            .collect();
        serde_json::json!({
            "kind": "bpe",
            "version": VERSION,
            "pattern": self.pattern().name(),
            "special": special,
            "ranks": format_ranks(self.ranks()),
        })
    }

    /// Reads what [`Tokenizer::to_json`] wrote.
    ///
    /// # Errors
    ///
    /// [`Error::Metadata`] if the object is not of this form or of a newer version;
    /// [`Error::RankLine`], [`Error::Vocabulary`] and [`Error::SpecialToken`] if its parts do
    /// not make a tokenizer.
    pub fn from_json(value: &Value) -> Result<Self> {
        if value.get("version").and_then(Value::as_u64) == Some(WITH_MERGES) {
            return from_merges_json(value);
        }
        let json = TokenizerJson::deserialize(value).map_err(wrong_form)?;
        check_kind(&json.kind)?;
        check_version(json.version, WITH_MERGES)?;
        let ranks = parse_ranks(&json.ranks)?;
        Tokenizer::new(ranks, json.pattern, json.special.into_iter().collect())
    }

    fn with_merges_to_json(&self) -> Value {
        let form = self.text_form();
        let special = self.special_tokens();
        let roles = self.roles().cloned().unwrap_or_default();
        let mut json = serde_json::json!({
            "kind": "bpe",
            "version": WITH_MERGES,
            "pattern": self.pattern().name(),
            "special": special.collect::<BTreeMap<_, _>>(),
            "tokens": lines(&form.tokens),
            "merges": lines(&form.merges),
            "whole_pieces": self.whole_pieces(),
            "end": roles.end,
        });
        if let Some(id) = roles.begin {
            json["begin"] = id.into();
        }
        json
    }
}

fn from_merges_json(value: &Value) -> Result<Tokenizer> {
    check_kind(value.get("kind").and_then(Value::as_str).unwrap_or(""))?;
    let json = MergesJson::deserialize(value).map_err(wrong_form)?;
    let n_tokens = json.tokens.lines().count();
    if n_tokens > MAX_VOCAB_SIZE {
        return Err(Error::VocabSizeTooLarge {
            vocab_size: n_tokens,
            maximum: MAX_VOCAB_SIZE,
        });
    }
    let merges = read_merges(&json.merges, &json.tokens)?;
    Tokenizer::with_merges(
        read_tokens(&json.tokens)?,
        json.pattern,
        json.special.into_iter().collect(),
        (merges, json.whole_pieces),
        Roles {
            begin: json.begin,
            end: json.end,
        },
    )
}

fn lines(texts: &[String]) -> String {
    texts
        .iter()
        .flat_map(|text| [text.as_str(), "\n"])
        .collect()
}

fn wrong_form(error: serde_json::Error) -> Error {
    Error::Metadata {
        problem: error.to_string(),
    }
}

fn check_kind(found: &str) -> Result<()> {
    if found == "bpe" {
        return Ok(());
    }
    let problem = format!("kind is {found:?}; this version of gollm knows \"bpe\"");
    Err(Error::Metadata { problem })
}

/// Refuses versions that this crate does not know.
pub(crate) fn check_version(found: u64, newest: u64) -> Result<()> {
    if (1..=newest).contains(&found) {
        return Ok(());
    }
    let problem = format!("version {found} is not known; this gollm reads up to {newest}");
    Err(Error::Metadata { problem })
}
