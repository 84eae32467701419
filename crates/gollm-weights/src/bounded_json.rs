//! JSON that cannot ask for much more memory than it takes itself.
//!
//! `serde_json` keeps an array element of two bytes in 32, and an object of seven bytes in more than
//! 600. A file of a few megabytes could so ask for gigabytes. Here every value is charged for before
//! it is kept, nesting ends at a fixed depth, and a key given twice is an error instead of a guess.

use std::cell::Cell;
use std::fmt;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// How deep objects and arrays may be nested. The config's `rope_scaling` is at depth 3.
pub(crate) const MAX_DEPTH: usize = 16;
/// The memory that parsed JSON may take: this many bytes for each byte of text …
pub(crate) const MEMORY_FACTOR: usize = 16;
/// As much where a text is a list of short ones by its nature: the merges of a vocabulary, each a pair of
/// tokens in brackets …
const GENEROUS_FACTOR: usize = 32;
/// … and this many for any text, so that small objects are never refused.
pub(crate) const MEMORY_BASE: usize = 256 << 10;

/// A value in a vector that has just doubled: the old one and the new one, half empty.
const COST_OF_VALUE: usize = 96;
/// The first node of a map: room for eleven keys and values.
const COST_OF_OBJECT: usize = 640;

/// Parses UTF-8 JSON; the error is a sentence with the line and column.
pub(crate) fn parse(text: &str) -> Result<Value, serde_json::Error> {
    parse_within(text, MEMORY_FACTOR)
}

/// As [`parse`], for lists of short texts.
pub(crate) fn parse_generously(text: &str) -> Result<Value, serde_json::Error> {
    parse_within(text, GENEROUS_FACTOR)
}

fn parse_within(text: &str, factor: usize) -> Result<Value, serde_json::Error> {
    let budget = text
        .len()
        .saturating_mul(factor)
        .saturating_add(MEMORY_BASE);
    let bounds = Bounds {
        depth: 0,
        budget: &Cell::new(budget),
    };
    let mut parser = serde_json::Deserializer::from_str(text);
    let value = bounds.deserialize(&mut parser)?;
    parser.end()?;
    Ok(value)
}

/// How deep the value being read lies, and how much memory is left to it.
#[derive(Clone, Copy)]
struct Bounds<'a> {
    depth: usize,
    budget: &'a Cell<usize>,
}

impl Bounds<'_> {
    fn charge<E: de::Error>(self, n_bytes: usize) -> Result<(), E> {
        let left = self.budget.get().checked_sub(n_bytes).ok_or_else(|| {
            E::custom("too many small values for the length of the text; store them as one string")
        })?;
        self.budget.set(left);
        Ok(())
    }

    fn inside<E: de::Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }
}

impl<'de> DeserializeSeed<'de> for Bounds<'_> {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, parser: D) -> Result<Value, D::Error> {
        self.charge(COST_OF_VALUE)?;
        parser.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounds<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        self.charge(text.len())?;
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut array = Vec::new();
        while let Some(value) = items.next_element_seed(inside)? {
            array.push(value);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        self.charge(COST_OF_OBJECT)?;
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            self.charge(key.len() + COST_OF_VALUE)?;
            if object.contains_key(&key) {
                let key = key.escape_debug();
                return Err(de::Error::custom(format!("key `{key}` is given twice")));
            }
            let value = entries.next_value_seed(inside)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn it_agrees_with_serde_json_on_ordinary_text() {
        let text = r#" {"a": [1, -2, 3.5, true, null, "é\n"], "b": {"c": {}}, "": []} "#;
        assert_eq!(
            parse(text).unwrap(),
            serde_json::from_str::<Value>(text).unwrap()
        );
    }

    #[test]
    fn nesting_ends_at_sixteen_and_never_at_the_stack() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse(&nested(16)).is_ok());
        assert_eq!(
            message(&nested(17)),
            "nested deeper than 16 levels at line 1 column 18"
        );
        assert!(message(&"[".repeat(1_000_000)).starts_with("nested deeper than 16 levels"));
        assert!(message(&r#"{"a":"#.repeat(1_000_000)).starts_with("nested deeper"));
    }

    #[test]
    fn many_small_values_are_refused_and_long_strings_are_not() {
        let zeros = format!("[{}0]", "0,".repeat(1_000_000));
        assert!(message(&zeros).starts_with("too many small values"));
        let objects = format!("[{}{{}}]", r#"{"":0},"#.repeat(100_000));
        assert!(message(&objects).starts_with("too many small values"));
        // The special tokens of a large vocabulary: one entry for each, a small number as value.
        let special: String = (0..10_000)
            .map(|i| format!(r#""<unused{i}>":{i},"#))
            .collect();
        assert!(parse(&format!(r#"{{{special}"end":0}}"#)).is_ok());
        assert!(parse(&format!("\"{}\"", "x".repeat(4 << 20))).is_ok());
        // The merges of a vocabulary, as tightly as they can be written.
        let merges = format!("[{}[]]", r#"["a","b"],"#.repeat(100_000));
        assert!(parse(&merges).is_err());
        assert!(parse_generously(&merges).is_ok());
        assert!(parse_generously(&zeros).is_err());
    }

    #[test]
    fn a_key_given_twice_and_text_after_the_value_are_errors() {
        assert!(message(r#"{"a":1,"b":{"c":1,"c":2}}"#).starts_with("key `c` is given twice"));
        assert!(message("{} {}").starts_with("trailing characters"));
        assert!(message("").starts_with("EOF while parsing"));
    }
}
