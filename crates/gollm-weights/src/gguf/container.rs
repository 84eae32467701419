//! A GGUF file's two lists, checked: named values, and tensors with their places.
//!
//! What the values are asked for is in `keys.rs`; how several files become one in `parts.rs`.

use super::MAGIC;
use super::error::{GgufError, Result};
use super::ggml_type::GgmlType;
use super::keys::{text, wrong_kind};
use super::value::{Cursor, Value};
use crate::descriptor::{MAX_RANK, check_name};

/// The fewest bytes of a value: the length of its key, one character, its kind, and one byte.
const SMALLEST_VALUE: usize = 8 + 1 + 4 + 1;
/// The fewest bytes of a tensor's entry: length of its name, one character, one dimension, type, place.
const SMALLEST_TENSOR: usize = 8 + 1 + 4 + 8 + 4 + 8;
/// The largest alignment; files have 32.
const MAX_ALIGNMENT: i128 = 1 << 16;
const DEFAULT_ALIGNMENT: usize = 32;

/// A parsed file, or the files of a model, borrowed from their bytes.
pub(crate) struct Container<'a> {
    pub(crate) version: u32,
    /// One, or the several that make a model together.
    files: Vec<&'a [u8]>,
    /// Sorted by key.
    values: Vec<(&'a str, Value<'a>)>,
    /// In the order of the file's list.
    pub(crate) tensors: Vec<TensorInfo<'a>>,
}

/// A tensor whose data lie inside the file and overlap no other's.
pub(crate) struct TensorInfo<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: GgmlType,
    /// The outermost dimension first; the file has them the other way round.
    pub(crate) shape: Vec<usize>,
    /// Which file it lies in.
    pub(crate) file: usize,
    /// From the start of that file.
    pub(crate) offset: usize,
    pub(crate) n_bytes: usize,
}

impl<'a> Container<'a> {
    /// Reads both lists. Allocates in proportion to them, not to any number in the file.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self> {
        let mut cursor = Cursor::new(bytes);
        cursor.take(MAGIC.len() as u64, "the magic bytes")?;
        let version = cursor.u32("the version")?;
        match version {
            2 | 3 => {}
            v if (1..=3).contains(&v.swap_bytes()) => return Err(GgufError::BigEndian),
            v => return Err(GgufError::Version(v)),
        }
        let n_tensors = cursor.count("tensors", SMALLEST_TENSOR)?;
        let n_values = cursor.count("values", SMALLEST_VALUE)?;
        let values = read_values(&mut cursor, n_values)?;
        let alignment = alignment(&values)?;
        let mut tensors = Vec::with_capacity(n_tensors);
        for _ in 0..n_tensors {
            tensors.push(read_tensor(&mut cursor, alignment)?);
        }
        let start = cursor.at().checked_next_multiple_of(alignment);
        place(&mut tensors, start.unwrap_or(bytes.len()), bytes.len())?;
        Ok(Self {
            version,
            files: vec![bytes],
            values,
            tensors,
        })
    }

    /// A tensor's bytes, as they lie in its file.
    pub(crate) fn data(&self, tensor: &TensorInfo<'_>) -> &'a [u8] {
        let range = tensor.offset..tensor.offset + tensor.n_bytes;
        let file = self.files.get(tensor.file);
        // The place was compared with the file's length when its list was read.
        file.and_then(|file| file.get(range)).unwrap_or_default()
    }

    /// Every value, sorted by key.
    pub(crate) fn values(&self) -> &[(&'a str, Value<'a>)] {
        &self.values
    }

    /// Takes in the tensors of another file of the same model. Its values stay out: the first file has them.
    pub(crate) fn append(&mut self, part: Self) {
        let n_files = self.files.len();
        let moved = |tensor: TensorInfo<'a>| TensorInfo {
            file: n_files + tensor.file,
            ..tensor
        };
        self.tensors.extend(part.tensors.into_iter().map(moved));
        self.files.extend(part.files);
    }
}

fn read_values<'a>(cursor: &mut Cursor<'a>, count: usize) -> Result<Vec<(&'a str, Value<'a>)>> {
    let mut values = Vec::with_capacity(count);
    for _ in 0..count {
        let bytes = cursor.string("the name of a key")?;
        let name = text("(a name)", bytes)?;
        let kind = cursor.u32(name)?;
        values.push((name, cursor.value(kind, name)?));
    }
    values.sort_by_key(|(name, _)| *name);
    match values.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        Some(pair) => Err(GgufError::key(pair[0].0, "it is there twice")),
        None => Ok(values),
    }
}

/// Data start at multiples of this many bytes.
fn alignment(values: &[(&str, Value<'_>)]) -> Result<usize> {
    const KEY: &str = "general.alignment";
    let found = values.binary_search_by(|(name, _)| (*name).cmp(KEY));
    let Ok(index) = found else {
        return Ok(DEFAULT_ALIGNMENT);
    };
    match values[index].1 {
        Value::Int(n @ 1..=MAX_ALIGNMENT) if n.count_ones() == 1 => Ok(n as usize),
        Value::Int(other) => {
            let problem = format!("it is {other}, expected a power of two up to {MAX_ALIGNMENT}");
            Err(GgufError::key(KEY, problem))
        }
        other => Err(wrong_kind(KEY, other, "a whole number")),
    }
}

/// One entry of the list of tensors; its offset still counts from the start of the data.
fn read_tensor<'a>(cursor: &mut Cursor<'a>, alignment: usize) -> Result<TensorInfo<'a>> {
    let name = text("(a tensor's name)", cursor.string("the name of a tensor")?)?;
    let problem = |problem: String| GgufError::tensor(name, problem);
    check_name(name).map_err(|error| problem(error.to_string()))?;
    let rank = cursor.u32(name)? as usize;
    if !(1..=MAX_RANK).contains(&rank) {
        return Err(problem(format!(
            "it has {rank} dimensions, expected 1 to {MAX_RANK}"
        )));
    }
    let mut shape = Vec::with_capacity(rank);
    for _ in 0..rank {
        let dim = cursor.u64(name)?;
        let dim = usize::try_from(dim).ok().filter(|dim| *dim > 0);
        shape.push(dim.ok_or_else(|| problem("a dimension is 0 or too large".to_owned()))?);
    }
    shape.reverse();
    let kind = GgmlType::of_code(cursor.u32(name)?).map_err(problem)?;
    let offset = cursor.u64(name)?;
    let offset = usize::try_from(offset).ok();
    let offset = offset.filter(|offset| offset.is_multiple_of(alignment));
    let offset =
        offset.ok_or_else(|| problem(format!("its offset is no multiple of {alignment}")))?;
    let n_bytes = kind.n_bytes(&shape).map_err(problem)?;
    Ok(TensorInfo {
        name,
        kind,
        shape,
        file: 0,
        offset,
        n_bytes,
    })
}

/// Turns offsets into places in the file, and refuses data outside it and data that overlap.
fn place(tensors: &mut [TensorInfo<'_>], start: usize, file_bytes: usize) -> Result<()> {
    for tensor in &mut *tensors {
        let end = |offset: usize| offset.checked_add(tensor.n_bytes);
        let placed = start.checked_add(tensor.offset);
        let inside = placed.filter(|offset| end(*offset).is_some_and(|end| end <= file_bytes));
        tensor.offset = inside.ok_or_else(|| {
            let (n_bytes, offset) = (tensor.n_bytes, tensor.offset);
            let problem = format!(
                "its {n_bytes} bytes at {offset} behind byte {start} end after the file's \
                 {file_bytes}: the file is cut short or damaged; copy or download it again"
            );
            GgufError::tensor(tensor.name, problem)
        })?;
    }
    let mut by_place: Vec<&TensorInfo<'_>> = tensors.iter().collect();
    by_place.sort_unstable_by_key(|tensor| tensor.offset);
    let overlap = by_place
        .windows(2)
        .find(|pair| pair[0].offset + pair[0].n_bytes > pair[1].offset);
    match overlap {
        Some(pair) => {
            let problem = format!("its data overlap those of `{}`", pair[0].name);
            Err(GgufError::tensor(pair[1].name, problem))
        }
        None => Ok(()),
    }
}
