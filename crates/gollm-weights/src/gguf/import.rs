//! A GGUF file as a model of ours: config, tokenizer, and where each tensor lies.

use gollm_model::{Config, n_expected_tensors, rope};
use gollm_tensor::HostBytes;
use serde_json::{Map, Value as Json, json};

use super::architecture::Architecture;
use super::config::{config, full_context};
use super::container::{Container, TensorInfo};
use super::error::{GgufError, Result};
use super::names::{self, Ours};
use super::parts::{Parts, check_whole};
use super::scaling;
use super::tokenizer;
use super::value::Value;
use crate::descriptor::TensorDescriptor;
use crate::error::Error;
use crate::foreign::{Foreign, ForeignTensor};
use crate::head::Head;
use crate::metadata::Metadata;

/// The key of the provenance that says what kind of file the model was read from.
pub(crate) const IMPORTED_FROM: &str = "imported_from";
/// Longer facts about a model (its licence's text, its card) are left in the file.
const MAX_FACT_BYTES: usize = 1024;

/// Reads a whole file that begins with the magic bytes.
pub(crate) fn import(bytes: &HostBytes) -> crate::error::Result<(Head, Foreign)> {
    let file = Container::parse(bytes.as_slice()).map_err(Error::Gguf)?;
    check_whole(&file).map_err(Error::Gguf)?;
    model(&file, std::slice::from_ref(bytes))
}

/// Reads a model in several files. An error about a tensor names its file, any other the first one.
pub(crate) fn import_parts(parts: &Parts) -> crate::error::Result<(Head, Foreign)> {
    let file = parts.join()?;
    model(&file, &parts.files).map_err(|error| {
        let name = match &error {
            Error::Gguf(GgufError::Tensor { name, .. }) => name.as_str(),
            _ => "",
        };
        let tensor = file.tensors.iter().find(|tensor| tensor.name == name);
        parts.in_file(tensor.map_or(0, |tensor| tensor.file), error)
    })
}

/// `files` are those that `file` was read from.
fn model(file: &Container<'_>, files: &[HostBytes]) -> crate::error::Result<(Head, Foreign)> {
    let kind = Architecture::of_file(file).map_err(Error::Gguf)?;
    let config = config(file, kind).map_err(Error::Gguf)?;
    let full_context = full_context(file, kind).map_err(Error::Gguf)?;
    let tokenizer = tokenizer::tokenizer(file, config.vocab_size).map_err(Error::Gguf)?;
    let chat_template = file
        .string("tokenizer.chat_template")
        .map_err(Error::Gguf)?;
    let version = format!("GGUF version {}", file.version);
    let metadata = Metadata {
        tokenizer,
        chat_template: chat_template.map(str::to_owned),
        provenance: provenance(file, kind, &version),
        ..Metadata::new(config)
    };
    let (tensors, mut stored) = tensors(file, files, &metadata.config).map_err(Error::Gguf)?;
    let n_bytes = files.iter().map(HostBytes::len).sum();
    let head = Head::of_foreign(metadata, tensors, n_bytes)?;
    reorder(&head, kind, &mut stored);
    let format = match files.len() {
        1 => version,
        n => format!("{version}, {n} files"),
    };
    let foreign = Foreign::new(format, stored).with_full_context(full_context);
    Ok((head, foreign))
}

/// Gives projections whose rows RoPE turns the order in which they are used. Only for tensors that have been
/// compared with the config: before, a small file could ask for long lists with its number of heads alone.
fn reorder(head: &Head, kind: Architecture, stored: &mut [ForeignTensor]) {
    let config = &head.metadata.config;
    for (tensor, stored) in head.tensors.iter().zip(stored) {
        stored.order = names::reordered_heads(&tensor.name, config, kind)
            .map(|n_heads| rope::adjacent_to_halves(n_heads, config.head_dim));
    }
}

/// Our descriptors, and beside each what the file holds.
fn tensors(
    file: &Container<'_>,
    files: &[HostBytes],
    config: &Config,
) -> Result<(Vec<TensorDescriptor>, Vec<ForeignTensor>)> {
    let mut descriptors = Vec::with_capacity(file.tensors.len());
    let mut stored = Vec::with_capacity(file.tensors.len());
    let mut n_experts = 0usize;
    for tensor in file.tensors.iter().filter(|t| t.name != scaling::NAME) {
        let Some(ours) = names::ours(tensor.name) else {
            let problem = "no part of this program's models has such a tensor: the model computes \
                           something that this program does not";
            return Err(GgufError::tensor(tensor.name, problem));
        };
        let parts = parts(tensor, &ours, config)?;
        n_experts += parts.len().saturating_sub(1);
        // One entry of the file may stand for a thousand experts: no more of them than the config has.
        if n_experts > n_expected_tensors(config) {
            let problem = "with it there are more experts than a model of this config has";
            return Err(GgufError::tensor(tensor.name, problem));
        }
        for part in parts {
            let found = stored_tensor(tensor, &part, files)?;
            descriptors.push(found.descriptor(part.name, part.shape, part.offset)?);
            stored.push(found);
        }
    }
    Ok((descriptors, stored))
}

/// One of our tensors inside one of the file's.
struct Part {
    name: String,
    shape: Vec<usize>,
    /// From the start of its file.
    offset: usize,
    n_bytes: usize,
}

/// A tensor of a file as ours: itself, or a matrix of each expert, where it lies.
fn parts(tensor: &TensorInfo<'_>, ours: &Ours, config: &Config) -> Result<Vec<Part>> {
    let whole = |name: String| Part {
        name,
        shape: tensor.shape.clone(),
        offset: tensor.offset,
        n_bytes: tensor.n_bytes,
    };
    let n_experts = match ours {
        Ours::One(name) => return Ok(vec![whole(name.clone())]),
        Ours::Experts { .. } => config.n_experts,
    };
    let [found, rows, columns] = tensor.shape[..] else {
        let problem = format!(
            "it has shape {:?}, expected [n_experts, rows, columns]",
            tensor.shape
        );
        return Err(GgufError::tensor(tensor.name, problem));
    };
    if found != n_experts {
        let problem = format!("it holds {found} experts, the config says {n_experts}");
        return Err(GgufError::tensor(tensor.name, problem));
    }
    // Rows are whole blocks, so every expert takes the same whole number of bytes.
    let n_bytes = tensor.n_bytes / found;
    let names = ours.names(n_experts).into_iter().enumerate();
    let part = |(expert, name)| Part {
        name,
        shape: vec![rows, columns],
        offset: tensor.offset + expert * n_bytes,
        n_bytes,
    };
    Ok(names.map(part).collect())
}

fn stored_tensor(
    tensor: &TensorInfo<'_>,
    part: &Part,
    files: &[HostBytes],
) -> Result<ForeignTensor> {
    let range = part.offset..part.offset + part.n_bytes;
    let outside = || GgufError::tensor(tensor.name, "its data lie outside the file");
    let file = files.get(tensor.file);
    let bytes = file.and_then(|file| file.slice(range));
    Ok(ForeignTensor {
        bytes: bytes.ok_or_else(outside)?,
        kind: tensor.kind,
        order: None,
    })
}

/// What the file says about its own origin: the short facts under `general.`.
fn provenance(file: &Container<'_>, kind: Architecture, format: &str) -> Map<String, Json> {
    let mut facts = Map::new();
    for (key, value) in file.values() {
        let Some(name) = key.strip_prefix("general.") else {
            continue;
        };
        let fact = match value {
            Value::String(bytes) if bytes.len() <= MAX_FACT_BYTES => {
                std::str::from_utf8(bytes).ok().map(Json::from)
            }
            Value::Int(number) => i64::try_from(*number).ok().map(Json::from),
            Value::Bool(value) => Some(Json::from(*value)),
            _ => None,
        };
        if let Some(fact) = fact {
            facts.insert(name.to_owned(), fact);
        }
    }
    let entry = json!({"format": format, "architecture": kind.name(), "general": facts});
    Map::from_iter([(IMPORTED_FROM.to_owned(), entry)])
}
