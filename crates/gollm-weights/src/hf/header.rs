//! The head of a safetensors file: which tensors lie where, all of it checked.
//!
//! Eight bytes with the length of the JSON behind them, the JSON, the data. The list is read straight
//! into its own type: the `safetensors` crate goes by way of a tree that takes many times the memory of
//! the text, takes the last of two tensors of one name, and names no tensor in most of its errors. What
//! the crate refuses is refused here too (`tests/hf/header.rs`).

use std::fmt;
use std::ops::Range;

use gollm_tensor::{DType, n_elements};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::object::shortened;
use crate::descriptor::{MAX_RANK, check_name};
use crate::foreign_error::{ForeignError, Result};

/// The longest list that any reader of the format takes.
const MAX_HEADER_BYTES: u64 = 100_000_000;
/// The fields that a list may have beside its tensors: texts, of no meaning here.
const METADATA: &str = "__metadata__";
const LENGTH_BYTES: usize = 8;

/// A tensor whose data lie inside the file and overlap no other's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) name: String,
    pub(crate) dtype: DType,
    pub(crate) shape: Vec<usize>,
    /// From the start of the file.
    pub(crate) range: Range<usize>,
}

/// Whether bytes may be the start of such a file, which has no magic.
pub(crate) fn looks_like(bytes: &[u8]) -> bool {
    let Some((length, header)) = bytes.split_first_chunk::<LENGTH_BYTES>() else {
        return false;
    };
    u64::from_le_bytes(*length) <= MAX_HEADER_BYTES && header.starts_with(b"{\"")
}

/// The tensors of a file, in the order of their data.
pub(crate) fn read(file: &[u8]) -> Result<Vec<Stored>> {
    let cut = |needed: u64| {
        ForeignError::layout(format!(
            "the file is cut short or damaged: its head needs {needed} bytes and it has {}; copy or \
             download it again",
            file.len()
        ))
    };
    let (length, rest) = file
        .split_first_chunk::<LENGTH_BYTES>()
        .ok_or_else(|| cut(LENGTH_BYTES as u64))?;
    let length = u64::from_le_bytes(*length);
    if length > MAX_HEADER_BYTES {
        return Err(ForeignError::layout(format!(
            "its head claims {length} bytes, at most {MAX_HEADER_BYTES} are read: it is damaged, or \
             no safetensors file"
        )));
    }
    let (header, data) = rest
        .split_at_checked(length as usize)
        .ok_or_else(|| cut(length + LENGTH_BYTES as u64))?;
    let text = std::str::from_utf8(header).map_err(|error| {
        let at = error.valid_up_to();
        ForeignError::layout(format!("its head is not UTF-8 from byte {at} on"))
    })?;
    let Entries(entries) =
        serde_json::from_str(text).map_err(|error| ForeignError::Json(error.to_string()))?;
    place(entries, file.len() - data.len(), data.len())
}

/// Checks each entry, and that the data lie one behind the other from the first byte to the last:
/// then no two tensors share a byte and no byte is without an owner.
fn place(mut entries: Vec<(String, Entry)>, start: usize, n_bytes: usize) -> Result<Vec<Stored>> {
    entries.sort_unstable_by(|(a, left), (b, right)| {
        (left.data_offsets, a).cmp(&(right.data_offsets, b))
    });
    let mut end = 0;
    let mut tensors = Vec::with_capacity(entries.len());
    for (name, entry) in entries {
        let (dtype, needed) = check(&name, &entry)?;
        let [from, to] = entry.data_offsets;
        let problem = |problem: String| Err(ForeignError::tensor(&name, problem));
        if from != end as u64 {
            return problem(format!(
                "its data begin at {from}, expected {end}, where those before it end"
            ));
        }
        if to.checked_sub(from) != Some(needed as u64) {
            return problem(format!(
                "its data lie from {from} to {to}, expected {needed} bytes for shape {:?} of {dtype}",
                entry.shape.0
            ));
        }
        // The sum fits: it is no more than a number of the file, and is compared with the file below.
        end = usize::try_from(to).unwrap_or(usize::MAX);
        if end > n_bytes {
            return problem(format!(
                "its data end at {to} of {n_bytes}: the file is cut short; copy or download it again"
            ));
        }
        tensors.push(Stored {
            range: start + end - needed..start + end,
            shape: entry.shape.0,
            dtype,
            name,
        });
    }
    if end != n_bytes {
        return Err(ForeignError::layout(format!(
            "{n_bytes} bytes of data, but its tensors end at {end}: it is damaged; copy or download \
             it again"
        )));
    }
    refuse_twins(&tensors)?;
    Ok(tensors)
}

fn refuse_twins(tensors: &[Stored]) -> Result<()> {
    let mut names: Vec<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(ForeignError::tensor(pair[0], "it is there twice")),
        None => Ok(()),
    }
}

/// The type of a tensor, and the bytes that it takes.
fn check(name: &str, entry: &Entry) -> Result<(DType, usize)> {
    let problem = |problem: String| ForeignError::tensor(shortened(name), problem);
    check_name(name).map_err(|error| problem(error.to_string()))?;
    let dtype = match entry.dtype.as_str() {
        "F32" => DType::F32,
        "F16" => DType::F16,
        "BF16" => DType::BF16,
        other => {
            return Err(problem(format!(
                "its type is `{}`, which is not read; F32, F16 and BF16 are",
                shortened(other)
            )));
        }
    };
    let shape = &entry.shape.0;
    if !(1..=MAX_RANK).contains(&shape.len()) || shape.contains(&0) {
        return Err(problem(format!(
            "its shape is {shape:?}, expected 1 to {MAX_RANK} dimensions of at least 1"
        )));
    }
    n_elements(shape)
        .and_then(|_| dtype.n_bytes(shape))
        .map(|n_bytes| (dtype, n_bytes))
        .map_err(|error| problem(error.to_string()))
}

#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Shape,
    data_offsets: [u64; 2],
}

/// At most one dimension more than a tensor may have, so that a long list costs nothing.
struct Shape(Vec<usize>);

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Dims;
        impl<'de> Visitor<'de> for Dims {
            type Value = Shape;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of dimensions")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Shape, A::Error> {
                let mut dims = Vec::new();
                while let Some(dim) = items.next_element()? {
                    dims.push(dim);
                    if dims.len() > MAX_RANK {
                        let problem = format!("more than {MAX_RANK} dimensions");
                        return Err(A::Error::custom(problem));
                    }
                }
                Ok(Shape(dims))
            }
        }
        deserializer.deserialize_seq(Dims)
    }
}

/// The whole list; twins are found later.
struct Entries(Vec<(String, Entry)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with an entry for each tensor")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == METADATA {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    }
                    let entry = map.next_value().map_err(|error| {
                        A::Error::custom(format!("tensor `{}`: {error}", shortened(&name)))
                    })?;
                    entries.push((name, entry));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(List)
    }
}
