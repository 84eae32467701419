//! A Hugging Face folder as a model of ours.

use std::collections::BTreeSet;
use std::path::Path;

use gollm_model::{Config, expected_tensors};
use gollm_tensor::{DType, HostBytes};
use serde_json::{Map, Value, json};

use super::architecture::Architecture;
use super::folder::{Folder, MAX_CONFIG_BYTES};
use super::header::{self, Stored};
use super::object::Object;
use super::shards::{self, Shards};
use super::text::{TokenRoles, chat_template, token_roles};
use super::{CONFIG, config, names};
use crate::agreement::check_count;
use crate::descriptor::TensorDescriptor;
use crate::error::{Error, Result};
use crate::foreign::{Foreign, ForeignTensor};
use crate::foreign_error::ForeignError;
use crate::gguf::IMPORTED_FROM;
use crate::gguf::ggml_type::GgmlType;
use crate::head::Head;
use crate::host_file;
use crate::metadata::Metadata;
use crate::model_file::OpenOptions;

/// A folder that has become a model.
pub(crate) struct Imported {
    pub(crate) files: Vec<HostBytes>,
    pub(crate) head: Head,
    pub(crate) foreign: Foreign,
    pub(crate) folder: Folder,
    pub(crate) roles: TokenRoles,
}

/// If `path` is a safetensors file with a config beside it: its folder, and its name if it is not one
/// of several that only make a model together.
pub(crate) fn weights_in(path: &Path) -> Result<Option<(&Path, Option<&str>)>> {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return Ok(None);
    };
    if !header::looks_like(&host_file::start(path)?) {
        return Ok(None);
    }
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    // Without it there is no model: the reader of single files says what to do.
    if !parent.join(CONFIG).exists() {
        return Ok(None);
    }
    let index = shards::index(&Folder::new(parent)?)?;
    let is_part = index.is_some_and(|index| index.files.values().any(|file| file == name));
    Ok(Some((parent, (!is_part).then_some(name))))
}

/// Opens the folder at `path`, with all its weights or those of the file called `only`.
pub(crate) fn open(path: &Path, only: Option<&str>, options: &OpenOptions) -> Result<Imported> {
    let folder = Folder::new(path)?;
    let Some(json) = folder.json(CONFIG, MAX_CONFIG_BYTES)? else {
        let problem = format!(
            "is a directory without a {CONFIG}, expected a model file or a Hugging Face folder"
        );
        return Err(Error::Foreign(ForeignError::layout(problem)));
    };
    let json = Object::new(&json);
    let in_config = |error| folder.in_file(CONFIG, error);
    // Before the weights, which may be large.
    let kind = Architecture::of(json).map_err(in_config)?;
    let mut config = config::config(json, kind).map_err(in_config)?;
    let full_context = config::full_context(json).map_err(in_config)?;
    let shards = shards::open(&folder, only, options)?;
    config.dtype = dtype(&shards);
    let format = match shards.files.len() {
        1 => "Hugging Face folder".to_owned(),
        n => format!("Hugging Face folder, {n} files"),
    };
    let metadata = Metadata {
        chat_template: chat_template(&folder)?,
        provenance: provenance(json, kind),
        ..Metadata::new(config)
    };
    let (descriptors, stored) = tensors(&shards, &metadata.config)?;
    let n_bytes = shards.files.iter().map(HostBytes::len).sum();
    Ok(Imported {
        head: Head::of_foreign(metadata, descriptors, n_bytes)?,
        foreign: Foreign::new(format, stored).with_full_context(full_context),
        roles: token_roles(&folder, json)?,
        files: shards.files,
        folder,
    })
}

/// The type that most of the model has: that of the first query projection.
fn dtype(shards: &Shards) -> DType {
    let first = shards.tensors.get("model.layers.0.self_attn.q_proj.weight");
    first.map_or(DType::F32, |(_, tensor)| tensor.dtype)
}

/// Our descriptors in our order, and beside each what the files hold.
fn tensors(
    shards: &Shards,
    config: &Config,
) -> Result<(Vec<TensorDescriptor>, Vec<ForeignTensor>)> {
    check_count(config, shards.tensors.len()).map_err(Error::Disagreement)?;
    let expected = expected_tensors(config).map_err(Error::Model)?;
    let mut rest: BTreeSet<&str> = shards.tensors.keys().map(String::as_str).collect();
    let (mut descriptors, mut stored) = (Vec::new(), Vec::new());
    for tensor in expected {
        let missing = || Error::NoSuchTensor(tensor.name.clone());
        let name = names::theirs(&tensor.name).ok_or_else(missing)?;
        let (file, found) = shards.tensors.get(&name).ok_or_else(|| {
            let problem = "it is missing, though a model of this config has it";
            Error::Foreign(ForeignError::tensor(&name, problem))
        })?;
        check_shape(&name, found, &tensor.shape).map_err(Error::Foreign)?;
        let tensor_of_file = stored_tensor(&shards.files[*file], found).ok_or_else(missing)?;
        let (name, shape) = (tensor.name, tensor.shape);
        let descriptor = tensor_of_file.descriptor(name, shape, found.range.start);
        descriptors.push(descriptor.map_err(Error::Gguf)?);
        stored.push(tensor_of_file);
        rest.remove(found.name.as_str());
    }
    check_rest(shards, config, &rest).map_err(Error::Foreign)?;
    Ok((descriptors, stored))
}

fn check_shape(name: &str, found: &Stored, expected: &[usize]) -> Result<(), ForeignError> {
    if found.shape == expected {
        return Ok(());
    }
    let problem = format!(
        "its shape is {:?}, expected {expected:?} by {CONFIG}",
        found.shape
    );
    Err(ForeignError::tensor(name, problem))
}

fn stored_tensor(file: &HostBytes, tensor: &Stored) -> Option<ForeignTensor> {
    Some(ForeignTensor {
        bytes: file.slice(tensor.range.clone())?,
        kind: GgmlType::Same(tensor.dtype),
        order: None,
    })
}

/// Refuses tensors that the config does not ask for: the model computes something that ours does not.
fn check_rest(shards: &Shards, config: &Config, rest: &BTreeSet<&str>) -> Result<(), ForeignError> {
    for name in rest
        .iter()
        .copied()
        .filter(|name| !names::is_redundant(name))
    {
        if name == names::HEAD && config.tie_embeddings {
            check_tied(shards)?;
            continue;
        }
        let problem = "no model of this config has such a tensor: this one computes something that this \
                       program does not";
        return Err(ForeignError::tensor(name, problem));
    }
    Ok(())
}

/// A tied model may come with its table twice, but not with another one.
fn check_tied(shards: &Shards) -> Result<(), ForeignError> {
    let bytes = |name: &str| {
        let (file, tensor) = shards.tensors.get(name)?;
        let bytes = shards.files[*file].slice(tensor.range.clone())?;
        Some((tensor.dtype, bytes))
    };
    let same = match (bytes(names::TABLE), bytes(names::HEAD)) {
        (Some((a, table)), Some((b, head))) => a == b && table.as_slice() == head.as_slice(),
        _ => false,
    };
    if same {
        return Ok(());
    }
    let problem = format!(
        "it differs from `{}`, but tie_word_embeddings in {CONFIG} says that they are one",
        names::TABLE
    );
    Err(ForeignError::tensor(names::HEAD, problem))
}

/// What the folder says about its own origin.
fn provenance(json: Object<'_>, kind: &Architecture) -> Map<String, Value> {
    let mut entry = json!({"format": "Hugging Face folder", "architecture": kind.class});
    if let Ok(Some(version)) = json.string("transformers_version")
        && version.len() <= 64
    {
        entry["transformers_version"] = version.into();
    }
    Map::from_iter([(IMPORTED_FROM.to_owned(), entry)])
}
