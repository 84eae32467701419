//! JSON: one value changed for another, wherever it lies.

use gollm_sampler::Random;
use serde_json::{Map, Number, Value};

use super::{Plain, below, change_bytes, number, with};

/// Changes one value of a JSON text, or one key.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32, plain: Plain<'_>) -> usize {
    let mut random = Random::new(seed.into());
    with(
        (data, size, max_size),
        (&mut random, 4),
        plain,
        |input, random, plain| changed(input, random, plain),
    )
}

/// A JSON text with one value changed; `None` for what is no JSON.
pub(super) fn changed(input: &[u8], random: &mut Random, plain: Plain<'_>) -> Option<Vec<u8>> {
    let mut value: Value = serde_json::from_slice(input).ok()?;
    let chosen = below(random, count(&value));
    change(find(&mut value, &mut { chosen })?, random, plain);
    serde_json::to_vec(&value).ok()
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(map) => map.values().map(count).sum(),
        _ => 0,
    }
}

/// The value with this number, counted from the outside in.
fn find<'a>(value: &'a mut Value, left: &mut usize) -> Option<&'a mut Value> {
    if *left == 0 {
        return Some(value);
    }
    *left -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| find(item, left)),
        Value::Object(map) => map.values_mut().find_map(|item| find(item, left)),
        _ => None,
    }
}

fn change(value: &mut Value, random: &mut Random, plain: Plain<'_>) {
    match value {
        Value::String(text) if below(random, 4) > 0 => {
            let mut bytes = std::mem::take(text).into_bytes();
            change_bytes(&mut bytes, 16, plain);
            *text = String::from_utf8_lossy(&bytes).into_owned();
        }
        Value::Object(map) if below(random, 4) > 0 => change_map(map, random),
        Value::Array(items) if below(random, 4) > 0 => change_array(items, random),
        other => *other = any(random),
    }
}

fn change_map(map: &mut Map<String, Value>, random: &mut Random) {
    let keys: Vec<String> = map.keys().cloned().collect();
    let Some(key) = keys.get(below(random, keys.len())) else {
        return;
    };
    let value = map.remove(key);
    match (below(random, 3), value) {
        (0, _) | (_, None) => {}
        (1, Some(value)) => drop(map.insert(format!("{key}{key}"), value)),
        (_, Some(_)) => drop(map.insert(key.clone(), any(random))),
    }
}

fn change_array(items: &mut Vec<Value>, random: &mut Random) {
    let (from, to) = (below(random, items.len()), below(random, items.len()));
    let Some(item) = items.get(from).cloned() else {
        items.push(any(random));
        return;
    };
    match below(random, 4) {
        0 => drop(items.remove(from)),
        1 => items.insert(to, item),
        2 => items.swap(from, to),
        _ => items[from] = any(random),
    }
}

fn any(random: &mut Random) -> Value {
    match below(random, 10) {
        0 => Value::Null,
        1 => Value::Bool(below(random, 2) == 0),
        2 => Value::String(String::new()),
        3 => Value::String("é\n\u{0}".to_owned()),
        4 => Value::Array(Vec::new()),
        5 => Value::Object(Map::new()),
        6 => (0..below(random, 200)).fold(Value::Null, |inner, _| Value::Array(vec![inner])),
        7 => Number::from_f64([-1.0, 0.5, 1e308, 1e-320][below(random, 4)]).into(),
        8 => (-(number(random).cast_signed() & i64::MAX)).into(),
        _ => number(random).into(),
    }
}
