//! The values of a GGUF file by their keys, each as the kind that its reader expects.

use super::container::Container;
use super::error::{GgufError, Result};
use super::value::{Array, Value};

impl<'a> Container<'a> {
    /// The value of a key, if it is there.
    pub(crate) fn get(&self, key: &str) -> Option<Value<'a>> {
        let values = self.values();
        let found = values.binary_search_by(|(name, _)| (*name).cmp(key));
        found.ok().map(|index| values[index].1)
    }

    /// A whole number, if the key is there.
    pub(crate) fn int(&self, key: &str) -> Result<Option<i128>> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Int(value)) => Ok(Some(value)),
            Some(other) => Err(wrong_kind(key, other, "a whole number")),
        }
    }

    /// A whole number that counts something.
    pub(crate) fn size(&self, key: &str) -> Result<Option<usize>> {
        let Some(value) = self.int(key)? else {
            return Ok(None);
        };
        let size = usize::try_from(value);
        size.map(Some).map_err(|_| {
            GgufError::key(
                key,
                format!("it is {value}, expected a number of at least 0"),
            )
        })
    }

    pub(crate) fn needed_size(&self, key: &str) -> Result<usize> {
        self.size(key)?
            .ok_or_else(|| GgufError::MissingKey(key.to_owned()))
    }

    pub(crate) fn float(&self, key: &str) -> Result<Option<f64>> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Float(value)) => Ok(Some(value)),
            Some(other) => Err(wrong_kind(key, other, "a number with a fraction")),
        }
    }

    pub(crate) fn bool(&self, key: &str) -> Result<Option<bool>> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(value)),
            Some(other) => Err(wrong_kind(key, other, "a boolean")),
        }
    }

    pub(crate) fn string(&self, key: &str) -> Result<Option<&'a str>> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(bytes)) => text(key, bytes).map(Some),
            Some(other) => Err(wrong_kind(key, other, "a string")),
        }
    }

    pub(crate) fn array(&self, key: &str) -> Result<Option<Array<'a>>> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Array(array)) => Ok(Some(array)),
            Some(other) => Err(wrong_kind(key, other, "an array")),
        }
    }
}

pub(crate) fn wrong_kind(key: &str, found: Value<'_>, expected: &str) -> GgufError {
    GgufError::key(key, format!("it is {}, expected {expected}", found.kind()))
}

pub(crate) fn text<'a>(key: &str, bytes: &'a [u8]) -> Result<&'a str> {
    std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        GgufError::key(key, format!("its text is not UTF-8 from byte {at} on"))
    })
}
