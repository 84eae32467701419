//! The tokenizer as one JSON value, as it travels inside a `.gollm` file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::byte_level::ByteLevel;
use crate::rank_file::{format_ranks, parse_ranks};
use crate::sentence_piece;
use crate::text_form::{read_merges, read_tokens};
use crate::tokenizer::Method;
use crate::vocabulary::MAX_VOCAB_SIZE;
use crate::{Error, Pattern, Result, Roles, Tokenizer};

/// The version of the metadata file, and of the JSON form of a vocabulary of ranks.
pub(crate) const VERSION: u64 = 1;
/// The version of the JSON form that holds merges.
const WITH_MERGES: u64 = 2;
/// As [`WITH_MERGES`], with tokens that are found in any text, or with text that is composed first.
const WITH_ADDED: u64 = 3;

#[derive(Serialize, Deserialize)]
struct TokenizerJson {
    kind: String,
    version: u64,
    pattern: Pattern,
    special: BTreeMap<String, u32>,
    ranks: String,
}

/// Versions 2 and 3: a vocabulary that came with merges, as text.
#[derive(Serialize, Deserialize)]
pub(crate) struct MergesJson {
    pub(crate) pattern: Pattern,
    pub(crate) special: BTreeMap<String, u32>,
    /// Since version 3.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) added: BTreeMap<String, u32>,
    pub(crate) tokens: String,
    pub(crate) merges: String,
    pub(crate) whole_pieces: bool,
    /// Since version 3.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) composes: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) begin: Option<u32>,
    pub(crate) end: Vec<u32>,
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
    /// are the ids that begin and end a text. Version 3 has two keys more, of which one at least is
    /// needed: `added`, tokens that are found in any text, and `composes`, whether text is composed
    /// (Unicode's form C) before anything else.
    ///
    /// A SentencePiece vocabulary has the kind `sentencepiece`: `docs/format.md` lists its keys.
    pub fn to_json(&self) -> Value {
        match self.method() {
            Method::ByteLevel(method) if method.merges.is_none() && self.roles().is_none() => {
                self.ranks_to_json(method)
            }
            Method::ByteLevel(method) => self.merges_to_json(method),
            // Serializing strings and numbers to a value does not fail.
            Method::SentencePiece(method) => {
                sentence_piece::json::to_json(self, method).unwrap_or_default()
            }
        }
    }

    /// Reads what [`Tokenizer::to_json`] wrote.
    ///
    /// # Errors
    ///
    /// [`Error::Metadata`] if the object is not of this form or of a newer version;
    /// [`Error::RankLine`], [`Error::Vocabulary`] and [`Error::SpecialToken`] if its parts do
    /// not make a tokenizer.
    pub fn from_json(value: &Value) -> Result<Self> {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        if text("kind") == Some(sentence_piece::json::KIND) {
            return sentence_piece::json::from_json(value);
        }
        if let Some(version @ WITH_MERGES..=WITH_ADDED) =
            value.get("version").and_then(Value::as_u64)
        {
            check_kind(text("kind").unwrap_or(""))?;
            let json = MergesJson::deserialize(value).map_err(wrong_form)?;
            check_extras(version, &json)?;
            return json.into_tokenizer();
        }
        let json = TokenizerJson::deserialize(value).map_err(wrong_form)?;
        check_kind(&json.kind)?;
        check_version(json.version, WITH_ADDED)?;
        let ranks = parse_ranks(&json.ranks)?;
        Tokenizer::new(ranks, json.pattern, json.special.into_iter().collect())
    }

    fn ranks_to_json(&self, method: &ByteLevel) -> Value {
        let special = self.special_tokens();
        serde_json::json!({
            "kind": "bpe",
            "version": VERSION,
            "pattern": method.pattern.name(),
            "special": special.collect::<BTreeMap<_, _>>(),
            "ranks": format_ranks(self.ranks()),
        })
    }

    fn merges_to_json(&self, method: &ByteLevel) -> Value {
        let form = method.text_form();
        let owned = |(text, id): (&str, u32)| (text.to_owned(), id);
        let roles = self.roles().cloned().unwrap_or_default();
        let json = MergesJson {
            pattern: method.pattern,
            special: self.special_tokens().map(owned).collect(),
            added: self.added_tokens().map(owned).collect(),
            tokens: lines(&form.tokens),
            merges: lines(&form.merges),
            whole_pieces: method.whole_pieces,
            composes: method.composes,
            begin: roles.begin,
            end: roles.end,
        };
        let version = match json.added.is_empty() && !json.composes {
            true => WITH_MERGES,
            false => WITH_ADDED,
        };
        // Serializing strings and numbers to a value does not fail.
        let mut value = serde_json::to_value(json).unwrap_or_default();
        value["kind"] = "bpe".into();
        value["version"] = version.into();
        value
    }
}

impl MergesJson {
    /// Checks everything, and makes the tokenizer.
    pub(crate) fn into_tokenizer(self) -> Result<Tokenizer> {
        let n_tokens = self.tokens.lines().count();
        if n_tokens > MAX_VOCAB_SIZE {
            return Err(Error::VocabSizeTooLarge {
                vocab_size: n_tokens,
                maximum: MAX_VOCAB_SIZE,
            });
        }
        let merges = read_merges(&self.merges, &self.tokens)?;
        let tokens = read_tokens(&self.tokens)?;
        let mut method = ByteLevel::with_merges(tokens, self.pattern, merges)?;
        method.whole_pieces = self.whole_pieces;
        method.composes = self.composes;
        Tokenizer::of_parts(
            Method::ByteLevel(Box::new(method)),
            self.special.into_iter().collect(),
            self.added.into_iter().collect(),
            Some(Roles {
                begin: self.begin,
                end: self.end,
            }),
        )
    }
}

/// A file of version 2 may not hold what a reader of version 2 would have passed over.
fn check_extras(version: u64, json: &MergesJson) -> Result<()> {
    if version >= WITH_ADDED || (json.added.is_empty() && !json.composes) {
        return Ok(());
    }
    Err(Error::Metadata {
        problem: format!("`added` and `composes` need version {WITH_ADDED}, found {version}"),
    })
}

fn lines(texts: &[String]) -> String {
    texts
        .iter()
        .flat_map(|text| [text.as_str(), "\n"])
        .collect()
}

pub(crate) fn wrong_form(error: serde_json::Error) -> Error {
    Error::Metadata {
        problem: error.to_string(),
    }
}

fn check_kind(found: &str) -> Result<()> {
    if found == "bpe" {
        return Ok(());
    }
    let problem =
        format!("kind is {found:?}; this version of gollm knows \"bpe\" and \"sentencepiece\"");
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
