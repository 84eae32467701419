//! The cost of a call: what a filter, test, method or function reads and makes, charged beforehand.
//!
//! Arguments are looked at wherever they stand, by position or by keyword (`indent(8)`,
//! `indent(width=8)`): a cost depends on how large they are, not on what they are called.

use std::borrow::Cow;
use std::fmt::Write;

use minijinja::value::{Kwargs, from_args};
use minijinja::{Error, Value};

use super::budget::{Budget, NODE_BYTES, refused};
use super::comparison_cost::{charge_comparison, charge_search, charge_sort};

/// How the work of a call grows with its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cost {
    /// Looks at a value, not into it, but for a text, whose characters may be counted.
    Shallow,
    /// Reads texts, once each. What is no text is made one first.
    Text,
    /// Compares each character of a text with each of another: `trim('xyz')`.
    Trim,
    /// Makes up to six characters of one.
    Escape,
    /// Puts the third argument where the second was found.
    Replace,
    /// Puts spaces in front of each line.
    Indent,
    /// Puts a separator between items, which are this argument.
    Join(usize),
    /// Makes a list of the parts of a text.
    Split,
    /// Goes through the items of a list, with the other arguments for each.
    EachItem,
    /// Compares the items of a list with each other.
    Sort,
    /// Compares two values.
    Compare,
    /// Looks for the first value in the second.
    Find,
    /// Looks for the second value in the first.
    FindIn,
}

impl Cost {
    /// Charges a call with these arguments.
    pub(crate) fn charge(self, budget: &Budget, arguments: &[Value]) -> Result<(), Error> {
        let first = arguments.first().unwrap_or(&Value::UNDEFINED);
        let second = arguments.get(1).unwrap_or(&Value::UNDEFINED);
        let values = flat(arguments)?;
        // Whatever a call does, it may count or copy a text that it is given.
        budget.read(values.iter().map(text_bytes).fold(0, usize::saturating_add))?;
        match self {
            Self::Shallow => Ok(()),
            Self::Text => charge_texts(budget, &values),
            Self::Trim => {
                charge_texts(budget, &values)?;
                budget.read(text_bytes(first).saturating_mul(others(&values, 0)))
            }
            Self::Escape => {
                charge_texts(budget, &values)?;
                let text = as_text(first);
                let special = |c: char| matches!(c, '<' | '>' | '&' | '"' | '\'' | '/');
                budget.take(text.matches(special).count().saturating_mul(5))
            }
            Self::Replace => charge_replace(budget, arguments, &values),
            Self::Indent => {
                charge_texts(budget, &values)?;
                let widths = values.iter().skip(1).filter_map(Value::as_usize);
                let n_lines = as_text(first).split('\n').count() + 1;
                budget.take(n_lines.saturating_mul(widths.max().unwrap_or(4)))
            }
            Self::Join(items) => charge_join(budget, arguments, &values, items),
            Self::Split => charge_split(budget, &as_text(first), &values),
            Self::EachItem => charge_items(budget, first, others(&values, 0)),
            Self::Sort => charge_sort(budget, first, others(&values, 0)),
            Self::Compare => charge_comparison(budget, first, second),
            Self::Find => charge_search(budget, first, second),
            Self::FindIn => charge_search(budget, second, first),
        }
    }
}

/// All arguments, those that were given by keyword behind the others.
fn flat(arguments: &[Value]) -> Result<Vec<Value>, Error> {
    let (by_position, by_keyword): (&[Value], Kwargs) = from_args(arguments)?;
    let mut values = by_position.to_vec();
    for name in by_keyword.args() {
        values.push(by_keyword.peek(name)?);
    }
    Ok(values)
}

/// The length of a text; other values have none.
pub(crate) fn text_bytes(value: &Value) -> usize {
    value.as_str().map_or(0, str::len)
}

/// The length of all texts but that of argument `index`.
fn others(values: &[Value], index: usize) -> usize {
    let others = values.iter().enumerate().filter(|(at, _)| *at != index);
    others
        .map(|(_, value)| text_bytes(value))
        .fold(0, usize::saturating_add)
}

/// How many items a loop over the value would see.
pub(crate) fn n_items(value: &Value) -> usize {
    // A text's items are its characters.
    value
        .as_str()
        .map_or_else(|| value.len().unwrap_or(0), str::len)
}

/// A value as the engine makes a text of it. Only after [`charge_texts`].
fn as_text(value: &Value) -> Cow<'_, str> {
    value
        .as_str()
        .map_or_else(|| Cow::Owned(value.to_string()), Cow::Borrowed)
}

/// Charges what is written to it, and stops the writer when the budget is empty.
struct Meter<'a>(&'a Budget, Option<Error>);

impl Write for Meter<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.take(text.len()).map_err(|error| {
            self.1 = Some(error);
            std::fmt::Error
        })
    }
}

/// Charges the text that the engine makes of a value.
fn charge_shown(budget: &Budget, value: &Value) -> Result<(), Error> {
    if value.as_object().is_none() {
        return budget.take(text_bytes(value));
    }
    let mut meter = Meter(budget, None);
    match write!(meter, "{value}") {
        Ok(()) => Ok(()),
        Err(_) => Err(meter
            .1
            .unwrap_or_else(|| refused("it shows a value that cannot be shown"))),
    }
}

pub(crate) fn charge_texts(budget: &Budget, values: &[Value]) -> Result<(), Error> {
    let objects = values.iter().filter(|value| value.as_object().is_some());
    objects
        .into_iter()
        .try_for_each(|value| charge_shown(budget, value))
}

fn charge_replace(budget: &Budget, arguments: &[Value], values: &[Value]) -> Result<(), Error> {
    charge_texts(budget, values)?;
    let text = values.first().map(as_text).unwrap_or_default();
    let n_found = match (arguments.get(1), arguments.get(2)) {
        (Some(from), Some(_)) => text.matches(&*as_text(from)).count(),
        _ => text.len() + 1,
    };
    let replacement: usize = values
        .iter()
        .skip(2)
        .map(|value| as_text(value).len())
        .sum();
    budget.take(n_found.saturating_mul(replacement))
}

fn charge_join(
    budget: &Budget,
    arguments: &[Value],
    values: &[Value],
    items: usize,
) -> Result<(), Error> {
    let Some(list) = arguments.get(items) else {
        return Ok(());
    };
    let separators = values.iter().enumerate().filter(|(at, _)| *at != items);
    let mut separator = 0_usize;
    for (_, value) in separators {
        charge_shown(budget, value)?;
        separator = separator.saturating_add(as_text(value).len());
    }
    budget.take(n_items(list).saturating_mul(separator))?;
    if list.as_str().is_none() {
        for item in list
            .try_iter()
            .into_iter()
            .flat_map(|items| items.checked())
        {
            charge_shown(budget, &item?)?;
        }
    }
    Ok(())
}

fn charge_split(budget: &Budget, text: &str, values: &[Value]) -> Result<(), Error> {
    let separator = values.iter().skip(1).find_map(|value| value.as_str());
    let n_parts = match separator {
        Some(separator) => text.matches(separator).count(),
        None => text.matches(char::is_whitespace).count(),
    };
    budget.take(
        (n_parts + 2)
            .saturating_mul(NODE_BYTES)
            .saturating_add(text.len()),
    )
}

pub(crate) fn charge_items(budget: &Budget, list: &Value, for_each: usize) -> Result<(), Error> {
    let n_bytes = n_items(list).saturating_mul(NODE_BYTES);
    // The characters of a text become values of their own.
    match list.as_str() {
        Some(_) => budget.take(n_bytes)?,
        None => budget.read(n_bytes)?,
    }
    budget.read(n_items(list).saturating_mul(for_each))
}
