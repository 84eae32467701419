//! The cost of an instruction's operands, charged before the engine reads them.
//!
//! The functions stand before the instructions that `compile.rs` names. Those with several operands
//! get them as a list and return it turned round, which is how the engine unpacks lists.

use minijinja::{Error, Value};

use super::budget::{Budget, NODE_BYTES};
use super::call_cost::text_bytes;
use super::comparison_cost::{charge_comparison, charge_search};

/// A value that is to be an attribute of a namespace.
pub(crate) fn for_namespace(budget: &Budget, value: Value) -> Result<Value, Error> {
    budget.take_for_namespace(&value)?;
    Ok(value)
}

/// What a loop goes through.
pub(crate) fn iterated(budget: &Budget, value: Value) -> Result<Value, Error> {
    budget.read(shallow_bytes(&value))?;
    Ok(value)
}

/// `left == right`, `left < right` and so on.
pub(crate) fn compared(budget: &Budget, operands: Value) -> Result<Value, Error> {
    looked_at(&operands, |values| match values {
        [left, right] => charge_comparison(budget, left, right),
        _ => Ok(()),
    })
}

/// `value in container`.
pub(crate) fn searched(budget: &Budget, operands: Value) -> Result<Value, Error> {
    looked_at(&operands, |values| match values {
        [value, container] => charge_search(budget, value, container),
        _ => Ok(()),
    })
}

/// One of `a < b < c` or `a in b in c`: the engine does not say which.
pub(crate) fn chained(budget: &Budget, operands: Value) -> Result<Value, Error> {
    looked_at(&operands, |values| match values {
        [left, right] => {
            charge_comparison(budget, left, right)?;
            charge_search(budget, left, right)
        }
        _ => Ok(()),
    })
}

/// `container[key]`: a text is counted up to the character.
pub(crate) fn indexed(budget: &Budget, operands: Value) -> Result<Value, Error> {
    looked_at(&operands, |values| match values {
        [container, key] => {
            budget.read(text_bytes(container))?;
            budget.read_value(key)
        }
        _ => Ok(()),
    })
}

/// `value[start:stop:step]`.
pub(crate) fn sliced(budget: &Budget, operands: Value) -> Result<Value, Error> {
    let mut values = items(&operands)?;
    if let [value, start, stop, step] = values.as_mut_slice() {
        budget.read(shallow_bytes(value))?;
        if is_empty_backwards(value, start, stop, step) {
            // The engine counts these down below zero.
            (*start, *stop, *step) = (Value::from(0), Value::from(0), Value::from(1));
        }
    }
    values.reverse();
    Ok(Value::from(values))
}

/// `*list` and `**map` among the arguments of a call or the items of a list.
pub(crate) fn unpacked(budget: &Budget, operands: Value) -> Result<Value, Error> {
    // Each is put on the engine's stack.
    looked_at(&operands, |values| {
        values.iter().try_for_each(|value| budget.take_value(value))
    })
}

/// The arguments of a macro, or of a method of an object.
pub(crate) fn given(budget: &Budget, operands: Value) -> Result<Value, Error> {
    looked_at(&operands, |values| {
        values
            .iter()
            .try_for_each(|value| budget.read(shallow_bytes(value)))
    })
}

fn looked_at(
    operands: &Value,
    look: impl Fn(&[Value]) -> Result<(), Error>,
) -> Result<Value, Error> {
    let mut values = items(operands)?;
    look(&values)?;
    values.reverse();
    Ok(Value::from(values))
}

fn items(operands: &Value) -> Result<Vec<Value>, Error> {
    operands.try_iter()?.checked().collect()
}

/// The length of a text, or the entries of a list or a map.
fn shallow_bytes(value: &Value) -> usize {
    let n_entries = value.as_object().and_then(|object| object.enumerator_len());
    n_entries
        .unwrap_or_default()
        .saturating_mul(NODE_BYTES)
        .saturating_add(text_bytes(value))
}

/// Whether a slice with a negative step has nothing in it.
fn is_empty_backwards(value: &Value, start: &Value, stop: &Value, step: &Value) -> bool {
    let Some(step) = step.as_i64().filter(|step| *step < 0) else {
        return false;
    };
    let n = i64::try_from(value.len().unwrap_or_default()).unwrap_or(i64::MAX);
    let at = |index: i64| {
        if index < 0 {
            index.saturating_add(n).max(0)
        } else {
            index
        }
    };
    let first = start.as_i64().map_or(n - 1, at).min(n - 1);
    let end = stop.as_i64().map_or(0, at);
    n == 0 || step == i64::MIN || first < end
}
