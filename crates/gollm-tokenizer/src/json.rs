//! The tokenizer as one JSON value, as it travels inside a `.gollm` file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::rank_file::{format_ranks, parse_ranks};
use crate::{Error, Pattern, Result, Tokenizer};

/// The newest version of the JSON form and of the metadata file that this crate reads.
pub(crate) const VERSION: u64 = 1;

#[derive(Serialize, Deserialize)]
struct TokenizerJson {
    kind: String,
    version: u64,
    pattern: Pattern,
    special: BTreeMap<String, u32>,
    ranks: String,
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
    pub fn to_json(&self) -> Value {
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
        let json = TokenizerJson::deserialize(value).map_err(|error| Error::Metadata {
            problem: error.to_string(),
        })?;
        if json.kind != "bpe" {
            let problem = format!(
                "kind is {:?}; this version of gollm knows \"bpe\"",
                json.kind
            );
            return Err(Error::Metadata { problem });
        }
        check_version(json.version)?;
        let ranks = parse_ranks(&json.ranks)?;
        Tokenizer::new(ranks, json.pattern, json.special.into_iter().collect())
    }
}

/// Refuses versions that this crate does not know.
pub(crate) fn check_version(found: u64) -> Result<()> {
    if (1..=VERSION).contains(&found) {
        return Ok(());
    }
    let problem = format!("version {found} is not known; this gollm reads up to {VERSION}");
    Err(Error::Metadata { problem })
}
