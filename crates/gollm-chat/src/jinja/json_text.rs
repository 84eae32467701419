//! The filter `tojson`, as the transformers library defines it for chat templates: Python's
//! `json.dumps`, nothing escaped for HTML, letters of all alphabets as they are.
//!
//! Source: <https://huggingface.co/docs/transformers/chat_templating_writing>.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, Value};

use super::budget::{Budget, refused};
use super::python_text::number;

/// How the text is laid out.
struct Style {
    indent: Option<usize>,
    ensure_ascii: bool,
    sort_keys: bool,
    between_items: String,
    after_key: String,
}

impl Style {
    fn new(indent: Option<Value>, options: &Kwargs) -> Result<Self, Error> {
        let indent = match indent {
            Some(indent) => Some(indent),
            None => options.get("indent")?,
        };
        let indent =
            match indent.filter(|indent| !indent.is_none() && !indent.is_undefined()) {
                Some(indent) => Some(indent.as_usize().filter(|n| *n <= 16).ok_or_else(|| {
                    refused("tojson: `indent` is not a whole number from 0 to 16")
                })?),
                None => None,
            };
        let separators: Option<Value> = options.get("separators")?;
        let separator = |index: usize| -> Option<String> {
            let item = separators.as_ref()?.get_item_by_index(index).ok()?;
            item.as_str().map(str::to_owned)
        };
        let style = Self {
            indent,
            ensure_ascii: options
                .get::<Option<bool>>("ensure_ascii")?
                .unwrap_or(false),
            sort_keys: options.get::<Option<bool>>("sort_keys")?.unwrap_or(false),
            between_items: separator(0)
                .unwrap_or_else(|| if indent.is_some() { "," } else { ", " }.to_owned()),
            after_key: separator(1).unwrap_or_else(|| ": ".to_owned()),
        };
        options.assert_all_used()?;
        Ok(style)
    }
}

/// `value | tojson(indent=…, ensure_ascii=…, separators=…, sort_keys=…)`.
pub(crate) fn tojson(
    budget: &Budget,
    value: &Value,
    indent: Option<Value>,
    options: &Kwargs,
) -> Result<Value, Error> {
    let style = Style::new(indent, options)?;
    budget.read_value(value)?;
    let mut text = String::new();
    write(budget, &mut text, value, &style, 0)?;
    Ok(Value::from(text))
}

fn write(
    budget: &Budget,
    text: &mut String,
    value: &Value,
    style: &Style,
    depth: usize,
) -> Result<(), Error> {
    // A value, its separators and its indentation.
    let margin = style.indent.unwrap_or(0) * (depth + 1);
    budget.take(margin + style.between_items.len() + style.after_key.len())?;
    match value.kind() {
        ValueKind::None => text.push_str("null"),
        ValueKind::Bool => text.push_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number => text.push_str(&number(value)),
        ValueKind::String => string(budget, text, value.as_str().unwrap_or_default(), style)?,
        ValueKind::Seq | ValueKind::Iterable => {
            let items: Vec<Value> = value.try_iter()?.checked().collect::<Result<_, Error>>()?;
            let write_item =
                |text: &mut String, item: &Value| write(budget, text, item, style, depth + 1);
            between(text, ('[', ']'), &items, style, depth, write_item)?;
        }
        ValueKind::Map => {
            let mut keys: Vec<Value> = value.try_iter()?.checked().collect::<Result<_, Error>>()?;
            if style.sort_keys {
                keys.sort();
            }
            let write_item = |text: &mut String, key: &Value| {
                let name = key.as_str().map_or_else(|| number(key), str::to_owned);
                string(budget, text, &name, style)?;
                text.push_str(&style.after_key);
                write(budget, text, &value.get_item(key)?, style, depth + 1)
            };
            between(text, ('{', '}'), &keys, style, depth, write_item)?;
        }
        kind => return Err(refused(format!("tojson: JSON has no {kind}"))),
    }
    Ok(())
}

fn between(
    text: &mut String,
    (open, close): (char, char),
    items: &[Value],
    style: &Style,
    depth: usize,
    write_item: impl Fn(&mut String, &Value) -> Result<(), Error>,
) -> Result<(), Error> {
    let line = |text: &mut String, depth: usize| {
        if let Some(indent) = style.indent {
            text.push('\n');
            text.extend(std::iter::repeat_n(' ', indent * depth));
        }
    };
    text.push(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            text.push_str(&style.between_items);
        }
        line(text, depth + 1);
        write_item(text, item)?;
    }
    if !items.is_empty() {
        line(text, depth);
    }
    text.push(close);
    Ok(())
}

fn string(budget: &Budget, text: &mut String, content: &str, style: &Style) -> Result<(), Error> {
    let n_before = text.len();
    text.push('"');
    for character in content.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            _ if character < ' ' || (style.ensure_ascii && !character.is_ascii()) => {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    text.push_str(&format!("\\u{unit:04x}"));
                }
            }
            _ => text.push(character),
        }
    }
    text.push('"');
    budget.take(text.len() - n_before)
}
