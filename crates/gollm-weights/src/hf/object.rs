//! A JSON object from a stranger, read one key at a time, so that every mistake has a name.

use serde_json::{Map, Value};

use crate::foreign_error::{ForeignError, Result};

/// An object, and where it lies.
#[derive(Clone, Copy)]
pub(crate) struct Object<'a> {
    /// What stands before a key in messages: nothing, or `rope_scaling.`.
    prefix: &'static str,
    map: &'a Map<String, Value>,
}

impl<'a> Object<'a> {
    pub(crate) fn new(map: &'a Map<String, Value>) -> Self {
        Self { prefix: "", map }
    }

    /// The value of a key; an explicit `null` is the same as no value.
    pub(crate) fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// Whether a key is there, with a value or with `null`.
    pub(crate) fn names(&self, key: &str) -> bool {
        self.map.contains_key(key)
    }

    /// A whole number of at least 0.
    pub(crate) fn size(&self, key: &str) -> Result<Option<usize>> {
        let read = |value: &Value| value.as_u64().and_then(|size| usize::try_from(size).ok());
        self.read(key, "a whole number of at least 0", read)
    }

    pub(crate) fn needed_size(&self, key: &str) -> Result<usize> {
        self.size(key)?.ok_or_else(|| self.missing(key))
    }

    pub(crate) fn number(&self, key: &str) -> Result<Option<f64>> {
        self.read(key, "a number", Value::as_f64)
    }

    pub(crate) fn needed_number(&self, key: &str) -> Result<f64> {
        self.number(key)?.ok_or_else(|| self.missing(key))
    }

    pub(crate) fn bool(&self, key: &str) -> Result<Option<bool>> {
        self.read(key, "true or false", Value::as_bool)
    }

    pub(crate) fn string(&self, key: &str) -> Result<Option<&'a str>> {
        self.read(key, "a text", Value::as_str)
    }

    pub(crate) fn array(&self, key: &str) -> Result<Option<&'a Vec<Value>>> {
        self.read(key, "a list", Value::as_array)
    }

    /// The object under a key; its keys are named with `prefix` before them.
    pub(crate) fn object(&self, key: &str, prefix: &'static str) -> Result<Option<Self>> {
        let map = self.read(key, "an object", Value::as_object)?;
        Ok(map.map(|map| Self { prefix, map }))
    }

    fn read<T>(
        &self,
        key: &str,
        expected: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let wrong = || self.problem(key, format!("it is {}, expected {expected}", shown(value)));
        read(value).map(Some).ok_or_else(wrong)
    }

    /// An error about the value of a key.
    pub(crate) fn problem(&self, key: &str, problem: impl Into<String>) -> ForeignError {
        ForeignError::key(format!("{}{key}", self.prefix), problem)
    }

    fn missing(&self, key: &str) -> ForeignError {
        ForeignError::MissingKey(format!("{}{key}", self.prefix))
    }
}

/// A value as a message can show it: in full when short, otherwise by its kind.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::Null => "null".to_owned(),
        Value::String(text) => format!("`{}`", shortened(text)),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// The beginning of a text that may be anything, with its control characters made visible.
pub(crate) fn shortened(text: &str) -> String {
    let start: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    match text.chars().nth(60) {
        Some(_) => format!("{start}…"),
        None => start,
    }
}
