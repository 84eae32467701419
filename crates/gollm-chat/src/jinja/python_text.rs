//! Values as Python prints them, since templates are written for Python.

use minijinja::value::ValueKind;
use minijinja::{Error, Value};

use super::budget::{Budget, refused};

/// What `{{ value }}` shows: a text as it is, and nothing for what is not defined.
pub(crate) fn text_of(budget: &Budget, value: &Value) -> Result<String, Error> {
    if let Some(text) = value.as_str() {
        budget.take(text.len())?;
        return Ok(text.to_owned());
    }
    if value.is_undefined() {
        return Ok(String::new());
    }
    // Each value was counted when it was made, so this is as long as what it holds, some times
    // over.
    budget.take_value(value)?;
    let mut text = String::new();
    write(&mut text, value)?;
    budget.take(text.len())?;
    Ok(text)
}

/// Python's `repr`.
fn write(text: &mut String, value: &Value) -> Result<(), Error> {
    match value.kind() {
        ValueKind::None => text.push_str("None"),
        ValueKind::Undefined => text.push_str("Undefined"),
        ValueKind::Bool if value.is_true() => text.push_str("True"),
        ValueKind::Bool => text.push_str("False"),
        ValueKind::Number => text.push_str(&number(value)),
        ValueKind::String => quote(text, value.as_str().unwrap_or_default()),
        ValueKind::Seq | ValueKind::Iterable => {
            let (open, close) = if value.is_tuple() {
                ('(', ')')
            } else {
                ('[', ']')
            };
            text.push(open);
            for (index, item) in value.try_iter()?.checked().enumerate() {
                text.push_str(if index == 0 { "" } else { ", " });
                write(text, &item?)?;
            }
            if value.is_tuple() && value.len() == Some(1) {
                text.push(',');
            }
            text.push(close);
        }
        ValueKind::Map => {
            text.push('{');
            for (index, key) in value.try_iter()?.checked().enumerate() {
                let key = key?;
                text.push_str(if index == 0 { "" } else { ", " });
                write(text, &key)?;
                text.push_str(": ");
                write(text, &value.get_item(&key)?)?;
            }
            text.push('}');
        }
        kind => return Err(refused(format!("it prints a value of kind {kind}"))),
    }
    Ok(())
}

/// A number as Python and JSON write it: `2.0` keeps its point.
pub(crate) fn number(value: &Value) -> String {
    match i128::try_from(value.clone()) {
        Ok(integer) if value.is_integer() => integer.to_string(),
        _ => f64::try_from(value.clone()).map_or_else(|_| value.to_string(), |x| format!("{x:?}")),
    }
}

fn quote(text: &mut String, content: &str) {
    let delimiter = if content.contains('\'') && !content.contains('"') {
        '"'
    } else {
        '\''
    };
    text.push(delimiter);
    for character in content.chars() {
        match character {
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\\' => text.push_str("\\\\"),
            _ if character == delimiter => text.extend(['\\', delimiter]),
            _ if character.is_control() && character.is_ascii() => {
                text.push_str(&format!("\\x{:02x}", character as u32));
            }
            _ => text.push(character),
        }
    }
    text.push(delimiter);
}
