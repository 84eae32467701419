//! The operators `+`, `*` and `~`, charged for what they make.

use minijinja::value::ValueKind;
use minijinja::{Error, Value};

use super::budget::{Budget, refused};
use super::python_text::text_of;

/// `left + right`: numbers, texts or lists.
pub(crate) fn add(budget: &Budget, left: &Value, right: &Value) -> Result<Value, Error> {
    if let (Some(left), Some(right)) = (left.as_str(), right.as_str()) {
        budget.take(left.len() + right.len())?;
        return Ok(Value::from([left, right].concat()));
    }
    if is_list(left) && is_list(right) {
        budget.take_value(left)?;
        budget.take_value(right)?;
        let items: Result<Vec<Value>, Error> = left
            .try_iter()?
            .checked()
            .chain(right.try_iter()?.checked())
            .collect();
        return items.map(Value::from);
    }
    let sum = match (integer(left), integer(right)) {
        (Some(left), Some(right)) => left.checked_add(right).map(Value::from),
        _ => float(left)
            .zip(float(right))
            .map(|(left, right)| Value::from(left + right)),
    };
    sum.ok_or_else(|| cannot("add", left, right))
}

/// `left * right`: numbers, or a text or list that is repeated.
pub(crate) fn multiply(budget: &Budget, left: &Value, right: &Value) -> Result<Value, Error> {
    let product = match (integer(left), integer(right)) {
        (Some(left), Some(right)) => left.checked_mul(right).map(Value::from),
        (None, Some(times)) if left.as_str().is_some() || is_list(left) => {
            return repeat(budget, left, times);
        }
        (Some(times), None) if right.as_str().is_some() || is_list(right) => {
            return repeat(budget, right, times);
        }
        _ => float(left)
            .zip(float(right))
            .map(|(left, right)| Value::from(left * right)),
    };
    product.ok_or_else(|| cannot("multiply", left, right))
}

/// `left ~ right`: both as text, one after the other.
pub(crate) fn concatenate(budget: &Budget, left: &Value, right: &Value) -> Result<Value, Error> {
    let mut text = text_of(budget, left)?;
    text.push_str(&text_of(budget, right)?);
    Ok(Value::from(text))
}

/// As often as Python would: a negative count is none.
fn repeat(budget: &Budget, value: &Value, times: i128) -> Result<Value, Error> {
    let times = usize::try_from(times.max(0)).unwrap_or(usize::MAX);
    if let Some(text) = value.as_str() {
        budget.take(text.len().saturating_mul(times))?;
        return Ok(Value::from(text.repeat(times)));
    }
    let items: Vec<Value> = value.try_iter()?.checked().collect::<Result<_, Error>>()?;
    // 24 bytes each, and each item as often as it will be there.
    budget.take(items.len().saturating_mul(times).saturating_mul(24))?;
    let mut repeated = Vec::new();
    for _ in 0..times {
        for item in &items {
            budget.take_value(item)?;
            repeated.push(item.clone());
        }
        if items.is_empty() {
            break;
        }
    }
    Ok(Value::from(repeated))
}

/// `left is divisibleby(right)`; nothing is divisible by zero.
pub(crate) fn is_divisible(left: &Value, right: &Value) -> bool {
    match (integer(left), integer(right)) {
        (Some(left), Some(right)) => left.checked_rem(right) == Some(0),
        _ => float(left)
            .zip(float(right))
            .is_some_and(|(left, right)| left % right == 0.0),
    }
}

fn is_list(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)
}

fn integer(value: &Value) -> Option<i128> {
    let is_integer = value.is_integer() || value.kind() == ValueKind::Bool;
    is_integer
        .then(|| i128::try_from(value.clone()).ok())
        .flatten()
}

fn float(value: &Value) -> Option<f64> {
    let is_number = value.is_number() || value.kind() == ValueKind::Bool;
    is_number
        .then(|| f64::try_from(value.clone()).ok())
        .flatten()
}

fn cannot(verb: &str, left: &Value, right: &Value) -> Error {
    refused(format!(
        "it cannot {verb} {} and {}",
        left.kind(),
        right.kind()
    ))
}
