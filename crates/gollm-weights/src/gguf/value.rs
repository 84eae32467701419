//! The values of a GGUF file's metadata, borrowed from its bytes.

use super::error::{GgufError, Result};
use crate::byte_reader::ByteReader;

/// How deep arrays may lie within arrays. Models have no nested ones.
const MAX_DEPTH: usize = 4;

/// A value as the file holds it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'a> {
    /// Any whole number.
    Int(i128),
    /// A number of either precision.
    Float(f64),
    Bool(bool),
    /// Bytes that should be UTF-8.
    String(&'a [u8]),
    Array(Array<'a>),
}

/// An array whose every element has been found to lie inside the file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Array<'a> {
    element: u32,
    count: usize,
    bytes: &'a [u8],
}

/// Reads the front of the file and knows where it is.
pub(crate) struct Cursor<'a> {
    reader: ByteReader<'a>,
    length: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            reader: ByteReader::new(bytes),
            length: bytes.len(),
        }
    }

    /// How many bytes have been taken.
    pub(crate) fn at(&self) -> usize {
        self.length - self.left()
    }

    /// How many bytes are left.
    pub(crate) fn left(&self) -> usize {
        self.reader.rest().len()
    }

    pub(crate) fn take(&mut self, n_bytes: u64, what: &str) -> Result<&'a [u8]> {
        let (at, left) = (self.at(), self.left());
        let taken = usize::try_from(n_bytes)
            .ok()
            .and_then(|n| self.reader.take(n));
        // Made only when it is needed: a key's name may be long, and an array under it has many elements.
        taken.ok_or_else(|| GgufError::Cut {
            what: what.to_owned(),
            at,
            needed: n_bytes.into(),
            left,
        })
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N]> {
        let (at, left) = (self.at(), self.left());
        self.reader.array().ok_or_else(|| GgufError::Cut {
            what: what.to_owned(),
            at,
            needed: N as u128,
            left,
        })
    }

    pub(crate) fn u32(&mut self, what: &str) -> Result<u32> {
        self.array(what).map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self, what: &str) -> Result<u64> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// A count of things that take `smallest` bytes or more, compared with what is left.
    pub(crate) fn count(&mut self, what: &'static str, smallest: usize) -> Result<usize> {
        let count = self.u64(what)?;
        self.check_count(count, what, smallest)
    }

    fn check_count(&self, count: u64, what: &'static str, smallest: usize) -> Result<usize> {
        let left = self.left();
        usize::try_from(count)
            .ok()
            .filter(|count| *count <= left / smallest)
            .ok_or(GgufError::Count {
                what,
                count,
                smallest,
                left,
            })
    }

    /// A length and that many bytes.
    pub(crate) fn string(&mut self, what: &str) -> Result<&'a [u8]> {
        let n_bytes = self.u64(what)?;
        self.take(n_bytes, what)
    }

    /// The value of `key`, of the kind that the code says.
    pub(crate) fn value(&mut self, kind: u32, key: &str) -> Result<Value<'a>> {
        Ok(match kind {
            0 => Value::Int(u8::from_le_bytes(self.array(key)?).into()),
            1 => Value::Int(i8::from_le_bytes(self.array(key)?).into()),
            2 => Value::Int(u16::from_le_bytes(self.array(key)?).into()),
            3 => Value::Int(i16::from_le_bytes(self.array(key)?).into()),
            4 => Value::Int(self.u32(key)?.into()),
            5 => Value::Int(i32::from_le_bytes(self.array(key)?).into()),
            6 => Value::Float(f32::from_le_bytes(self.array(key)?).into()),
            7 => match u8::from_le_bytes(self.array(key)?) {
                0 => Value::Bool(false),
                1 => Value::Bool(true),
                other => {
                    let problem = format!("a boolean is stored as {other}, expected 0 or 1");
                    return Err(GgufError::key(key, problem));
                }
            },
            8 => Value::String(self.string(key)?),
            9 => Value::Array(self.elements(key, 1)?),
            10 => Value::Int(self.u64(key)?.into()),
            11 => Value::Int(i64::from_le_bytes(self.array(key)?).into()),
            12 => Value::Float(f64::from_le_bytes(self.array(key)?)),
            other => {
                let problem = format!("kind of value {other} is not known, expected 0 to 12");
                return Err(GgufError::key(key, problem));
            }
        })
    }

    /// Skips over the elements of an array and keeps them as bytes.
    fn elements(&mut self, key: &str, depth: usize) -> Result<Array<'a>> {
        if depth > MAX_DEPTH {
            let problem = format!("arrays lie more than {MAX_DEPTH} deep in arrays");
            return Err(GgufError::key(key, problem));
        }
        let element = self.u32(key)?;
        let smallest = match element {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            8 | 10..=12 => 8,
            9 => 12,
            other => {
                let problem = format!("kind of element {other} is not known, expected 0 to 12");
                return Err(GgufError::key(key, problem));
            }
        };
        let count = self.count("array elements", smallest)?;
        let start = self.reader.rest();
        match element {
            8 => {
                for _ in 0..count {
                    self.string(key)?;
                }
            }
            9 => {
                for _ in 0..count {
                    self.elements(key, depth + 1)?;
                }
            }
            // The count was compared with the rest, so the product fits.
            _ => drop(self.take((count * smallest) as u64, key)?),
        }
        let n_bytes = start.len() - self.left();
        Ok(Array {
            element,
            count,
            bytes: start.get(..n_bytes).unwrap_or_default(),
        })
    }
}

impl<'a> Array<'a> {
    /// How many elements there are.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// The elements, one after the other.
    pub(crate) fn iter(self, key: &str) -> impl Iterator<Item = Result<Value<'a>>> {
        let mut cursor = Cursor::new(self.bytes);
        (0..self.count).map(move |_| cursor.value(self.element, key))
    }
}

impl Value<'_> {
    /// What it is, for a message.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Int(_) => "a whole number",
            Self::Float(_) => "a number with a fraction",
            Self::Bool(_) => "a boolean",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
        }
    }
}
