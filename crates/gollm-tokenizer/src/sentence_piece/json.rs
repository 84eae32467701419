//! The form of a SentencePiece vocabulary inside a `.gollm` file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{FirstSpace, Order, Parts, SentencePiece};
use crate::json::{check_version, wrong_form};
use crate::tokenizer::Method;
use crate::{Error, Result, Roles, Tokenizer};

/// The `kind` of this form.
pub(crate) const KIND: &str = "sentencepiece";
const VERSION: u64 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PiecesJson {
    kind: String,
    version: u64,
    special: BTreeMap<String, u32>,
    #[serde(default)]
    added: BTreeMap<String, u32>,
    tokens: Vec<String>,
    #[serde(default)]
    bytes: Vec<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unknown: Option<u32>,
    #[serde(default)]
    fuses_unknown: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scores: Option<Vec<f32>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    merges: Option<Vec<(u32, u32)>>,
    first_space: FirstSpace,
    strips_first_space: bool,
    #[serde(default)]
    splits_at_spaces: bool,
    #[serde(default)]
    whole_pieces: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    begin: Option<u32>,
    end: Vec<u32>,
}

/// Writes a tokenizer whose method this is.
pub(crate) fn to_json(tokenizer: &Tokenizer, method: &SentencePiece) -> Result<Value> {
    let parts = method.parts.clone();
    let owned = |(text, id): (&str, u32)| (text.to_owned(), id);
    let roles = tokenizer.roles().cloned().unwrap_or_default();
    let (scores, merges) = match parts.order {
        Order::Scores(scores) => (Some(scores), None),
        Order::Merges(merges) => (None, Some(merges)),
    };
    let json = PiecesJson {
        kind: KIND.to_owned(),
        version: VERSION,
        special: tokenizer.special_tokens().map(owned).collect(),
        added: tokenizer.added_tokens().map(owned).collect(),
        tokens: parts.tokens,
        bytes: parts.bytes,
        unknown: parts.unknown,
        fuses_unknown: parts.fuses_unknown,
        scores,
        merges,
        first_space: parts.first_space,
        strips_first_space: parts.strips_first_space,
        splits_at_spaces: parts.splits_at_spaces,
        whole_pieces: parts.whole_pieces,
        begin: roles.begin,
        end: roles.end,
    };
    serde_json::to_value(json).map_err(wrong_form)
}

/// Reads what [`to_json`] wrote.
pub(crate) fn from_json(value: &Value) -> Result<Tokenizer> {
    // The version first: what a newer one has more is unknown here.
    check_version(
        value.get("version").and_then(Value::as_u64).unwrap_or(0),
        VERSION,
    )?;
    let json = PiecesJson::deserialize(value).map_err(wrong_form)?;
    let order = match (json.scores, json.merges) {
        (Some(scores), None) => Order::Scores(scores),
        (None, Some(merges)) => Order::Merges(merges),
        _ => {
            let problem = "expected either scores or merges, to say what is joined first";
            return Err(Error::Metadata {
                problem: problem.to_owned(),
            });
        }
    };
    let method = SentencePiece::new(Parts {
        tokens: json.tokens,
        bytes: json.bytes,
        unknown: json.unknown,
        fuses_unknown: json.fuses_unknown,
        order,
        first_space: json.first_space,
        strips_first_space: json.strips_first_space,
        splits_at_spaces: json.splits_at_spaces,
        whole_pieces: json.whole_pieces,
    })?;
    Tokenizer::of_sentence_piece(
        method,
        json.special.into_iter().collect(),
        json.added.into_iter().collect(),
        Roles {
            begin: json.begin,
            end: json.end,
        },
    )
}

impl Tokenizer {
    /// Puts the parts together; the unknown token must be one of them.
    pub(crate) fn of_sentence_piece(
        method: SentencePiece,
        special: Vec<(String, u32)>,
        added: Vec<(String, u32)>,
        roles: Roles,
    ) -> Result<Self> {
        let unknown = method.parts.unknown;
        let method = Method::SentencePiece(Box::new(method));
        let tokenizer = Tokenizer::of_parts(method, special, added, Some(roles))?;
        if let Some(id) = unknown {
            tokenizer.known_bytes(id)?;
        }
        Ok(tokenizer)
    }
}
