//! The cost of comparing values: `==`, `<`, `in`, sorting.

use minijinja::value::ValueKind;
use minijinja::{Error, Value};

use super::budget::{Budget, NODE_BYTES};
use super::call_cost::{charge_items, charge_texts, n_items, text_bytes};

/// Charges a call that compares the items of a list with each other, with `for_each` bytes of other
/// arguments read for each.
pub(crate) fn charge_sort(budget: &Budget, list: &Value, for_each: usize) -> Result<(), Error> {
    charge_items(budget, list, for_each)?;
    let largest = match list.as_object() {
        Some(object) if list.kind() == ValueKind::Map => {
            let pairs = object.try_iter_pairs().into_iter().flatten();
            largest(budget, pairs.flat_map(|(key, value)| [Ok(key), Ok(value)]))?
        }
        Some(_) => largest(budget, list.try_iter()?.checked())?,
        None => NODE_BYTES,
    };
    let n = n_items(list);
    let comparisons = n.saturating_mul(n.checked_ilog2().unwrap_or(0) as usize + 1);
    budget.read(comparisons.saturating_mul(largest))
}

/// The size of the largest item, all of which are charged.
fn largest(
    budget: &Budget,
    items: impl Iterator<Item = Result<Value, Error>>,
) -> Result<usize, Error> {
    let mut most = NODE_BYTES;
    for item in items {
        most = most.max(budget.size(&item?)?);
    }
    Ok(most)
}

/// Charges `==`, `<` and their like: two texts are read as far as the shorter one.
pub(crate) fn charge_comparison(budget: &Budget, left: &Value, right: &Value) -> Result<(), Error> {
    if left.as_object().is_some() && right.as_object().is_some() {
        budget.read_value(left)?;
        return budget.read_value(right);
    }
    budget.read(text_bytes(left).min(text_bytes(right)))
}

/// Charges a search for `value` in `container`.
pub(crate) fn charge_search(
    budget: &Budget,
    value: &Value,
    container: &Value,
) -> Result<(), Error> {
    match container.kind() {
        // What is looked for in a text is made a text first.
        ValueKind::String => charge_texts(budget, std::slice::from_ref(value))?,
        // A map is asked for one key.
        ValueKind::Map => return budget.read_value(value),
        _ => budget.read_value(value)?,
    }
    budget.read_value(container)
}
