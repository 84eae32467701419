//! A GGUF file as a model of ours: config, tokenizer, and where each tensor lies.

use gollm_model::rope;
use gollm_tensor::HostBytes;
use serde_json::{Map, Value as Json, json};

use super::config::{ARCHITECTURE, check_architecture, config};
use super::container::{Container, TensorInfo};
use super::error::{GgufError, Result};
use super::scaling;
use super::value::Value;
use super::{names, tokenizer};
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
    let slice = bytes.as_slice();
    let file = Container::parse(slice).map_err(Error::Gguf)?;
    check_architecture(&file).map_err(Error::Gguf)?;
    let config = config(&file).map_err(Error::Gguf)?;
    let tokenizer = tokenizer::tokenizer(&file, config.vocab_size).map_err(Error::Gguf)?;
    let chat_template = file
        .string("tokenizer.chat_template")
        .map_err(Error::Gguf)?;
    let format = format!("GGUF version {}", file.version);
    let metadata = Metadata {
        tokenizer,
        chat_template: chat_template.map(str::to_owned),
        provenance: provenance(&file, &format),
        ..Metadata::new(config)
    };
    let (tensors, mut stored) = tensors(&file, bytes).map_err(Error::Gguf)?;
    let head = Head::of_foreign(metadata, tensors, slice.len())?;
    reorder(&head, &mut stored);
    Ok((head, Foreign::new(format, stored)))
}

/// Gives projections whose rows RoPE turns the order in which they are used. Only for tensors that have been
/// compared with the config: before, a small file could ask for long lists with its number of heads alone.
fn reorder(head: &Head, stored: &mut [ForeignTensor]) {
    let config = &head.metadata.config;
    for (tensor, stored) in head.tensors.iter().zip(stored) {
        stored.order = names::rotated_heads(&tensor.name, config)
            .map(|n_heads| rope::adjacent_to_halves(n_heads, config.head_dim));
    }
}

/// Our descriptors, and beside each what the file holds.
fn tensors(
    file: &Container<'_>,
    bytes: &HostBytes,
) -> Result<(Vec<TensorDescriptor>, Vec<ForeignTensor>)> {
    let mut descriptors = Vec::with_capacity(file.tensors.len());
    let mut stored = Vec::with_capacity(file.tensors.len());
    for tensor in file.tensors.iter().filter(|t| t.name != scaling::NAME) {
        let Some(name) = names::ours(tensor.name) else {
            let problem = "no part of this program's models has such a tensor: the model computes \
                           something that this program does not";
            return Err(GgufError::tensor(tensor.name, problem));
        };
        let found = stored_tensor(tensor, bytes)?;
        descriptors.push(found.descriptor(name, tensor.shape.clone(), tensor.offset)?);
        stored.push(found);
    }
    Ok((descriptors, stored))
}

fn stored_tensor(tensor: &TensorInfo<'_>, bytes: &HostBytes) -> Result<ForeignTensor> {
    let range = tensor.offset..tensor.offset + tensor.n_bytes;
    let outside = || GgufError::tensor(tensor.name, "its data lie outside the file");
    Ok(ForeignTensor {
        bytes: bytes.slice(range).ok_or_else(outside)?,
        kind: tensor.kind,
        order: None,
    })
}

/// What the file says about its own origin: the short facts under `general.`.
fn provenance(file: &Container<'_>, format: &str) -> Map<String, Json> {
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
    let entry = json!({"format": format, "architecture": ARCHITECTURE, "general": facts});
    Map::from_iter([(IMPORTED_FROM.to_owned(), entry)])
}
