//! What a file says about its model: config, tokenizer, chat template, and where it came from.
//!
//! One JSON object, described in `docs/format.md`, section 3.

use gollm_model::Config;
use serde_json::{Map, Value};

use crate::bounded_json;
use crate::header::MAX_METADATA_BYTES;

/// Everything in a model file but its tensors.
#[derive(Debug, Clone, PartialEq)]
pub struct Metadata {
    /// The shape of the model.
    pub config: Config,
    /// The tokenizer as its own crate writes it, or `None` in a file of weights alone. This crate
    /// does not look inside.
    pub tokenizer: Option<Value>,
    /// How a conversation becomes one text, or `None` for a model that only continues text.
    pub chat_template: Option<String>,
    /// How the weights came to be: steps, loss, data, seed, versions. Any keys.
    pub provenance: Map<String, Value>,
    /// Keys that this version does not know, kept as they are.
    pub other: Map<String, Value>,
}

/// What is wrong with metadata.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// Bytes that are not text.
    #[error("it is not UTF-8 from byte {0} on")]
    NotUtf8(usize),
    /// Text that is not JSON, or more deeply nested or more finely divided than any reader needs.
    #[error("its JSON cannot be read: {0}")]
    Json(serde_json::Error),
    /// A key that is not there.
    #[error("key `{0}` is missing")]
    Missing(&'static str),
    /// A value of another kind.
    #[error("{what} is {found}, expected {expected}")]
    Kind {
        /// The value: ``key `provenance` ``.
        what: &'static str,
        /// The kind that it must be.
        expected: &'static str,
        /// The kind that it is.
        found: &'static str,
    },
    /// A config that makes no sense.
    #[error("{0}")]
    Config(gollm_model::Error),
    /// Metadata that would come back changed.
    #[error(
        "it would not be read back as it is: `other` may not use a known key, and the tokenizer \
         may not be null"
    )]
    NotPreserved,
    /// More metadata than any reader accepts.
    #[error("it takes {0} bytes, at most {MAX_METADATA_BYTES} are read")]
    TooLong(usize),
}

impl Metadata {
    /// The metadata of a model of which nothing else is known.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            tokenizer: None,
            chat_template: None,
            provenance: Map::new(),
            other: Map::new(),
        }
    }

    /// Reads the JSON text of a file.
    ///
    /// # Errors
    ///
    /// If it is not a JSON object in UTF-8 with a valid `config`, or a known key holds another kind
    /// of value.
    pub fn from_json(bytes: &[u8]) -> Result<Self, MetadataError> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| MetadataError::NotUtf8(error.valid_up_to()))?;
        let value = bounded_json::parse(text).map_err(MetadataError::Json)?;
        let mut other = object("the whole", value)?;
        // JSON's null stands for a key that is absent.
        let mut take = |key: &str| other.remove(key).filter(|value| !value.is_null());
        let config = take("config").ok_or(MetadataError::Missing("config"))?;
        Ok(Self {
            config: Config::from_value(&config).map_err(MetadataError::Config)?,
            tokenizer: take("tokenizer")
                .map(|v| object("key `tokenizer`", v).map(Value::Object))
                .transpose()?,
            chat_template: take("chat_template").map(string).transpose()?,
            provenance: take("provenance")
                .map(|v| object("key `provenance`", v))
                .transpose()?
                .unwrap_or_default(),
            other,
        })
    }

    /// The JSON text for a file; [`Metadata::from_json`] reads it back to an equal value.
    ///
    /// # Errors
    ///
    /// If a reader would refuse it (an invalid config, JSON that is nested too deeply, too long) or
    /// read something else in its place.
    pub fn to_json(&self) -> Result<Vec<u8>, MetadataError> {
        let mut object = self.other.clone();
        // By way of text, which shows an f32 with as few digits as it needs.
        let config = self.config.to_json().map_err(MetadataError::Config)?;
        let config = serde_json::from_str(&config).map_err(MetadataError::Json)?;
        object.insert("config".to_owned(), config);
        if let Some(tokenizer) = &self.tokenizer {
            object.insert("tokenizer".to_owned(), tokenizer.clone());
        }
        if let Some(chat_template) = &self.chat_template {
            object.insert("chat_template".to_owned(), chat_template.as_str().into());
        }
        object.insert("provenance".to_owned(), self.provenance.clone().into());
        let json = serde_json::to_vec(&object).map_err(MetadataError::Json)?;
        if json.len() as u64 > MAX_METADATA_BYTES {
            return Err(MetadataError::TooLong(json.len()));
        }
        if Self::from_json(&json)? != *self {
            return Err(MetadataError::NotPreserved);
        }
        Ok(json)
    }
}

fn object(what: &'static str, value: Value) -> Result<Map<String, Value>, MetadataError> {
    match value {
        Value::Object(map) => Ok(map),
        other => Err(MetadataError::Kind {
            what,
            expected: "an object",
            found: kind(&other),
        }),
    }
}

fn string(value: Value) -> Result<String, MetadataError> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(MetadataError::Kind {
            what: "key `chat_template`",
            expected: "a string",
            found: kind(&other),
        }),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
