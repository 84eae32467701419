//! JSON between Rust and Python, by way of text and Python's own `json` module.

use pyo3::prelude::*;

use crate::error::{Failure, Result};

/// Parses JSON text that an argument called `name` holds.
pub(crate) fn parse(name: &str, text: &str) -> Result<serde_json::Value> {
    serde_json::from_str(text)
        .map_err(|error| Failure::value(format!("`{name}` is not well-formed JSON: {error}")))
}

/// As [`parse`], for a JSON object.
pub(crate) fn parse_object(
    name: &str,
    text: &str,
) -> Result<serde_json::Map<String, serde_json::Value>> {
    match parse(name, text)? {
        serde_json::Value::Object(object) => Ok(object),
        other => {
            let found = other.to_string();
            let start: String = found.chars().take(40).collect();
            Err(Failure::value(format!(
                "`{name}` is {start}, expected a JSON object"
            )))
        }
    }
}

/// Turns JSON text into Python's dicts, lists, strings and numbers.
pub(crate) fn to_python<'py>(py: Python<'py>, text: &str) -> Result<Bound<'py, PyAny>> {
    Ok(py.import("json")?.call_method1("loads", (text,))?)
}
