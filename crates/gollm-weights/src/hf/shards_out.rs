//! The weights of a model as safetensors files, one or several with their index.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use gollm_tensor::DType;
use serde_json::{Map, Value, json};

use super::names;
use super::shards::{INDEX, SINGLE};
use crate::descriptor::TensorDescriptor;
use crate::encoder::write_failed;
use crate::error::{Error, Result};
use crate::model_file::ModelFile;
use crate::quantizer;

/// The head ends at a multiple of this, so that data begin aligned in a mapped file.
const ALIGNMENT: usize = 8;

/// The type in which a tensor is written: its own, or f16 where safetensors has no such type.
pub(crate) fn written_as(dtype: DType) -> DType {
    match dtype {
        DType::F32 | DType::F16 | DType::BF16 => dtype,
        DType::Q8_0 | DType::Q4_0 => DType::F16,
    }
}

/// One tensor to be written.
struct Entry<'a> {
    tensor: &'a TensorDescriptor,
    name: String,
    dtype: DType,
    n_bytes: usize,
}

/// Writes all tensors of `source` into the folder, in files of up to `max_bytes` unless one tensor
/// alone is larger.
pub(crate) fn write(source: &ModelFile, folder: &Path, max_bytes: u64) -> Result<()> {
    let entries = entries(source)?;
    let total: usize = entries.iter().map(|entry| entry.n_bytes).sum();
    let shards = deal(entries, max_bytes);
    if let [single] = &shards[..] {
        return write_file(source, single, &folder.join(SINGLE));
    }
    let mut map = Map::new();
    for (index, shard) in shards.iter().enumerate() {
        let name = format!("model-{:05}-of-{:05}.safetensors", index + 1, shards.len());
        write_file(source, shard, &folder.join(&name))?;
        let files = shard.iter();
        map.extend(files.map(|entry| (entry.name.clone(), Value::from(name.as_str()))));
    }
    let index = json!({"metadata": {"total_size": total}, "weight_map": map});
    write_text(&folder.join(INDEX), &pretty(&index))
}

fn entries(source: &ModelFile) -> Result<Vec<Entry<'_>>> {
    let entries = source.descriptors().iter().map(|tensor| {
        let missing = || Error::NoSuchTensor(tensor.name.clone());
        let dtype = written_as(tensor.dtype);
        let n_bytes = dtype.n_bytes(&tensor.shape);
        Ok(Entry {
            name: names::theirs(&tensor.name).ok_or_else(missing)?,
            n_bytes: n_bytes.map_err(|error| Error::Model(error.into()))?,
            tensor,
            dtype,
        })
    });
    entries.collect()
}

/// Deals the tensors out to files in their order; within a file the wider types come first, so that
/// each number lies at a multiple of its size.
fn deal(entries: Vec<Entry<'_>>, max_bytes: u64) -> Vec<Vec<Entry<'_>>> {
    let mut shards: Vec<Vec<Entry<'_>>> = vec![Vec::new()];
    let mut n_bytes = 0u64;
    for entry in entries {
        let more = entry.n_bytes as u64;
        if n_bytes > 0 && n_bytes.saturating_add(more) > max_bytes {
            shards.push(Vec::new());
            n_bytes = 0;
        }
        n_bytes = n_bytes.saturating_add(more);
        if let Some(last) = shards.last_mut() {
            last.push(entry);
        }
    }
    for shard in &mut shards {
        shard.sort_by_key(|entry| entry.dtype != DType::F32);
    }
    shards
}

fn write_file(source: &ModelFile, entries: &[Entry<'_>], path: &Path) -> Result<()> {
    let file = File::create_new(path).map_err(write_failed)?;
    let mut sink = BufWriter::with_capacity(1 << 20, file);
    sink.write_all(&head(entries)).map_err(write_failed)?;
    for entry in entries {
        let data = source.checked_data(entry.tensor)?;
        if entry.dtype == entry.tensor.dtype {
            sink.write_all(data.as_slice()).map_err(write_failed)?;
        } else {
            let (bytes, _) = quantizer::convert(entry.tensor, data.as_slice(), entry.dtype)?;
            sink.write_all(&bytes).map_err(write_failed)?;
        }
        data.release();
    }
    let file = sink
        .into_inner()
        .map_err(|error| write_failed(error.into_error()))?;
    file.sync_all().map_err(write_failed)
}

/// The length of the list, and the list, with spaces behind it up to the alignment.
fn head(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut list = Map::new();
    // Some readers want to know who saved it; "pt" stands for PyTorch, whose tensors these are.
    list.insert("__metadata__".to_owned(), json!({"format": "pt"}));
    let mut at = 0;
    for entry in entries {
        let offsets = [at, at + entry.n_bytes];
        let value = json!({
            "dtype": type_name(entry.dtype),
            "shape": entry.tensor.shape,
            "data_offsets": offsets,
        });
        list.insert(entry.name.clone(), value);
        at += entry.n_bytes;
    }
    let mut text = Value::Object(list).to_string();
    let padded = text.len().next_multiple_of(ALIGNMENT);
    text.extend(std::iter::repeat_n(' ', padded - text.len()));
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}

fn type_name(dtype: DType) -> &'static str {
    match dtype {
        DType::F32 => "F32",
        DType::BF16 => "BF16",
        DType::F16 | DType::Q8_0 | DType::Q4_0 => "F16",
    }
}

/// JSON for people.
pub(crate) fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// Writes a small file, and waits until it is on the disk.
pub(crate) fn write_text(path: &Path, text: &str) -> Result<()> {
    let mut file = File::create_new(path).map_err(write_failed)?;
    file.write_all(text.as_bytes()).map_err(write_failed)?;
    file.sync_all().map_err(write_failed)
}
