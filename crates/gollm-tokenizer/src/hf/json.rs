//! Values of a JSON object and lists of steps, with messages that say where.

use serde_json::{Map, Value};

use crate::quote::quoted;
use crate::{Error, Result};

/// How deep sequences of steps may lie in sequences.
const MAX_DEPTH: usize = 4;

/// What is wrong with the file.
pub(super) fn wrong(problem: impl Into<String>) -> Error {
    Error::Metadata {
        problem: format!("tokenizer.json: {}", problem.into()),
    }
}

/// A value that is there and not null.
pub(super) fn get<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    value.get(key).filter(|value| !value.is_null())
}

pub(super) fn object<'a>(value: &'a Value, key: &str) -> Result<&'a Map<String, Value>> {
    let found = get(value, key).and_then(Value::as_object);
    found.ok_or_else(|| wrong(format!("`{key}` is missing or no object")))
}

pub(super) fn array<'a>(value: &'a Value, key: &str) -> Result<&'a [Value]> {
    let found = get(value, key).and_then(Value::as_array);
    let found = found.ok_or_else(|| wrong(format!("`{key}` is missing or no list")))?;
    Ok(found)
}

pub(super) fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    let found = get(value, key).and_then(Value::as_str);
    found.ok_or_else(|| wrong(format!("`{key}` is missing or no string")))
}

/// A boolean, or what its absence means.
pub(super) fn flag(value: &Value, key: &str, absent: bool) -> Result<bool> {
    match get(value, key) {
        None => Ok(absent),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(other) => Err(wrong(format!(
            "`{key}` is {}, expected true or false",
            shown(other)
        ))),
    }
}

/// A token's id.
pub(super) fn id(value: &Value, of: &str) -> Result<u32> {
    let found = value.as_u64().and_then(|id| u32::try_from(id).ok());
    found.ok_or_else(|| {
        wrong(format!(
            "the id of {} is {}, expected a whole number below 2^32",
            quoted(of),
            shown(value)
        ))
    })
}

/// A short form of any value.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        other => other.to_string(),
    }
}

/// The steps of a part, sequences taken apart.
pub(super) fn steps<'a>(file: &'a Value, part: &str, list: &str) -> Result<Vec<&'a Value>> {
    let mut found = Vec::new();
    if let Some(step) = get(file, part) {
        flatten(step, list, MAX_DEPTH, &mut found)?;
    }
    Ok(found)
}

fn flatten<'a>(
    step: &'a Value,
    list: &str,
    depth: usize,
    found: &mut Vec<&'a Value>,
) -> Result<()> {
    if kind(step) != "Sequence" {
        found.push(step);
        return Ok(());
    }
    let Some(depth) = depth.checked_sub(1) else {
        return Err(wrong(format!("`{list}` lie too deep in each other")));
    };
    let steps = array(step, list)?;
    steps
        .iter()
        .try_for_each(|step| flatten(step, list, depth, found))
}

/// The name of a step; none has the empty name.
pub(super) fn kind(step: &Value) -> &str {
    step.get("type").and_then(Value::as_str).unwrap_or("")
}

/// A part whose steps are not known.
pub(super) fn unknown(part: &str, steps: &[&Value]) -> Error {
    if steps.is_empty() {
        return wrong(format!("`{part}` is missing or empty"));
    }
    let names = steps.iter().take(8).map(|step| match step.get("type") {
        Some(name) => shown(name),
        None => "a step without a type".to_owned(),
    });
    let names: Vec<String> = names.collect();
    wrong(format!(
        "`{part}` is {}, with its settings or in this place not known here",
        names.join(", ")
    ))
}
