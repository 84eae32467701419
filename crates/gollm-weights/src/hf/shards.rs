//! The weights of a folder: one safetensors file, or several and the list of what lies in which.

use std::collections::BTreeMap;

use gollm_tensor::HostBytes;
use serde_json::Value;

use super::folder::Folder;
use super::header::{self, Stored};
use super::object::{Object, shortened, shown};
use crate::error::{Error, Result};
use crate::foreign_error::ForeignError;
use crate::host_file;
use crate::model_file::OpenOptions;

/// The one file of a small model.
pub(crate) const SINGLE: &str = "model.safetensors";
/// The list of a large model's files.
pub(crate) const INDEX: &str = "model.safetensors.index.json";
/// A name and a file for each of a hundred thousand tensors take ten megabytes.
const MAX_INDEX_BYTES: u64 = 64 << 20;

/// Weights in Python's own serialization, which can run anything when it is read.
const PICKLES: [&str; 3] = [
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "consolidated.00.pth",
];

/// Every tensor of a folder.
pub(crate) struct Shards {
    pub(crate) files: Vec<HostBytes>,
    /// By name: which file, and where in it.
    pub(crate) tensors: BTreeMap<String, (usize, Stored)>,
}

/// Opens the files of the folder, or only the one called `only`.
pub(crate) fn open(folder: &Folder, only: Option<&str>, options: &OpenOptions) -> Result<Shards> {
    if let Some(name) = only {
        return one(folder, name, options);
    }
    // In the order in which transformers looks.
    if folder.find(SINGLE)?.is_some() {
        return one(folder, SINGLE, options);
    }
    match index(folder)? {
        Some(index) => several(folder, &index, options),
        None => Err(no_weights(folder)?),
    }
}

/// The file of each tensor, if the folder has a list of them.
pub(crate) fn index(folder: &Folder) -> Result<Option<Index>> {
    let Some(json) = folder.json(INDEX, MAX_INDEX_BYTES)? else {
        return Ok(None);
    };
    Index::of(Object::new(&json))
        .map(Some)
        .map_err(|error| folder.in_file(INDEX, error))
}

/// The list of a large model's files.
pub(crate) struct Index {
    /// The file of each tensor.
    pub(crate) files: BTreeMap<String, String>,
    total_size: Option<usize>,
}

impl Index {
    fn of(json: Object<'_>) -> Result<Self, ForeignError> {
        let missing = || ForeignError::MissingKey("weight_map".to_owned());
        let map = json.get("weight_map").ok_or_else(missing)?;
        let Value::Object(map) = map else {
            let problem = format!("it is {}, expected an object", shown(map));
            return Err(ForeignError::key("weight_map", problem));
        };
        let mut files = BTreeMap::new();
        for (tensor, file) in map {
            let name = file.as_str().ok_or_else(|| {
                let problem = format!("its file is {}, expected a name", shown(file));
                ForeignError::tensor(tensor, problem)
            })?;
            files.insert(tensor.clone(), name.to_owned());
        }
        let metadata = json.object("metadata", "metadata.")?;
        let total_size = metadata.map(|metadata| metadata.size("total_size"));
        Ok(Self {
            files,
            total_size: total_size.transpose()?.flatten(),
        })
    }
}

fn one(folder: &Folder, name: &str, options: &OpenOptions) -> Result<Shards> {
    let (bytes, stored) = file(folder, name, options)?;
    let tensors = stored
        .into_iter()
        .map(|tensor| (tensor.name.clone(), (0, tensor)));
    Ok(Shards {
        tensors: tensors.collect(),
        files: vec![bytes],
    })
}

fn several(folder: &Folder, index: &Index, options: &OpenOptions) -> Result<Shards> {
    let mut names: Vec<&str> = index.files.values().map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let mut shards = Shards {
        files: Vec::new(),
        tensors: BTreeMap::new(),
    };
    for name in names {
        let (bytes, stored) = file(folder, name, options)?;
        for tensor in stored {
            check_listed(index, name, &tensor.name).map_err(|error| folder.in_file(name, error))?;
            let place = (shards.files.len(), tensor);
            shards.tensors.insert(place.1.name.clone(), place);
        }
        shards.files.push(bytes);
    }
    check_complete(index, &shards).map_err(|error| folder.in_file(INDEX, error))?;
    Ok(shards)
}

/// A tensor lies where the list says, and so in one file only.
fn check_listed(index: &Index, file: &str, tensor: &str) -> Result<(), ForeignError> {
    match index.files.get(tensor) {
        Some(listed) if listed == file => Ok(()),
        Some(listed) => {
            let listed = shortened(listed);
            let problem = format!("it lies here, but {INDEX} says in {listed}");
            Err(ForeignError::tensor(tensor, problem))
        }
        None => {
            let problem = format!("it is not in the list of {INDEX}");
            Err(ForeignError::tensor(tensor, problem))
        }
    }
}

fn check_complete(index: &Index, shards: &Shards) -> Result<(), ForeignError> {
    let mut listed = index.files.iter();
    if let Some((tensor, file)) = listed.find(|(name, _)| !shards.tensors.contains_key(*name)) {
        return Err(ForeignError::tensor(tensor, format!("it is not in {file}")));
    }
    // Files are added up, which are all in memory's address space: the sum fits.
    let found: usize = shards
        .tensors
        .values()
        .map(|(_, tensor)| tensor.range.len())
        .sum();
    match index.total_size {
        // Some writers count less than all: what matters is that nothing is missing.
        Some(total) if total > found => {
            let problem = format!(
                "it is {total}, but the files hold {found} bytes of tensors: fetch the folder again"
            );
            Err(ForeignError::key("metadata.total_size", problem))
        }
        _ => Ok(()),
    }
}

/// Maps or reads one file, and reads its head.
fn file(folder: &Folder, name: &str, options: &OpenOptions) -> Result<(HostBytes, Vec<Stored>)> {
    let Some(path) = folder.find(name)? else {
        let problem =
            "the file is missing, though the folder's list names it: fetch the folder again";
        return Err(folder.in_file(name, ForeignError::layout(problem)));
    };
    let read = || {
        let bytes = host_file::bytes(&path, options.map)?;
        let stored = header::read(bytes.as_slice()).map_err(Error::Foreign)?;
        Ok((bytes, stored))
    };
    read().map_err(|error: Error| error.in_file(&path))
}

/// What to say about a folder without safetensors files.
fn no_weights(folder: &Folder) -> Result<Error> {
    for name in PICKLES {
        if folder.find(name)?.is_some() {
            let problem = "weights in a Python pickle, which is never read, since reading one can run \
                           any program; convert the model to safetensors first (in Python: \
                           `AutoModelForCausalLM.from_pretrained(DIR).save_pretrained(NEW)`)";
            return Ok(folder.in_file(name, ForeignError::layout(problem)));
        }
    }
    let problem = format!("the folder has neither {SINGLE} nor {INDEX}, so it holds no weights");
    Ok(Error::Foreign(ForeignError::layout(problem)))
}
