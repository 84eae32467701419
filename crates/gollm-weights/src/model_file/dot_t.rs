//! Which tokenizer file belongs to a distributed-llama model.
//!
//! distributed-llama is given two paths. Its converters call the files `dllama_model_NAME.m` and
//! `dllama_tokenizer_NAME.t`, and its launcher puts both into one folder, where the two names need not be
//! the same.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use super::ModelFile;
use crate::error::{Error, Result};
use crate::foreign_error::ForeignError;
use crate::hf::folder::{Folder, read_found};
use crate::host_file;

const EXTENSION: &str = "t";
/// What the files begin with: 0x567124, and 0x567123 in the first ones, little-endian. Other programs have
/// files of this extension.
pub(crate) const MAGICS: [[u8; 4]; 2] = [[0x24, 0x71, 0x56, 0], [0x23, 0x71, 0x56, 0]];
/// Entries of a folder that are looked at; models lie among a few files.
const MAX_ENTRIES: usize = 65_536;
/// Names that an error lists.
const MAX_SHOWN: usize = 4;

impl ModelFile {
    /// distributed-llama's tokenizer file that belongs to this model, with its path: the one that has the
    /// model's name, with `model` in it replaced by `tokenizer` or not, or else the only one of the folder.
    /// `None` if there is no such file.
    ///
    /// # Errors
    ///
    /// If there are several and none has the model's name; if the file is a link that leads out of the
    /// folder, cannot be read or has more than `limit` bytes.
    pub fn distributed_llama_tokenizer(&self, limit: u64) -> Result<Option<(PathBuf, Vec<u8>)>> {
        let (Some(folder), Some(name)) = (&self.folder, &self.name) else {
            return Ok(None);
        };
        let Some(path) = find(folder, name)? else {
            return Ok(None);
        };
        let bytes = read_found(&path, limit)?;
        Ok(Some((path, bytes)))
    }
}

fn find(folder: &Folder, model: &OsStr) -> Result<Option<PathBuf>> {
    for name in names(model) {
        if let Some(path) = folder.find_entry(&name)? {
            return Ok(Some(path));
        }
    }
    let mut found = all(folder)?;
    match found.len() {
        0 | 1 => Ok(found.pop()),
        _ => {
            found.sort();
            Err(several(&found, model).in_file(&folder.path_of(model)))
        }
    }
}

/// What the tokenizer of a model of this name is called, the surest first.
fn names(model: &OsStr) -> Vec<OsString> {
    let same = Path::new(model).with_extension(EXTENSION);
    let replaced = same.to_str().filter(|name| name.contains("model"));
    let replaced = replaced.map(|name| name.replacen("model", "tokenizer", 1).into());
    [Some(same.into_os_string()), replaced]
        .into_iter()
        .flatten()
        .collect()
}

/// The tokenizers of the folder, known by their first bytes.
fn all(folder: &Folder) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder.path()).map_err(|error| Error::Io {
        action: "list the folder",
        error,
    })?;
    let entries = entries.take(MAX_ENTRIES).filter_map(|entry| {
        let name = entry.ok()?.file_name();
        let has_extension = Path::new(&name).extension() == Some(OsStr::new(EXTENSION));
        // What leads out of the folder is none of this model's files.
        let path = has_extension.then(|| folder.find_entry(&name).ok())??;
        let start = path.and_then(|path| Some((host_file::start(&path).ok()?, path)));
        let (start, path) = start?;
        MAGICS
            .iter()
            .any(|magic| start.starts_with(magic))
            .then_some(path)
    });
    Ok(entries.collect())
}

fn several(found: &[PathBuf], model: &OsStr) -> Error {
    let quoted = |name: Option<&OsStr>| format!("{:?}", name.unwrap_or_default().to_string_lossy());
    let shown: Vec<String> = found
        .iter()
        .take(MAX_SHOWN)
        .map(|path| quoted(path.file_name()))
        .collect();
    let more = if found.len() > MAX_SHOWN { " …" } else { "" };
    let expected = Path::new(model).with_extension(EXTENSION);
    Error::Foreign(ForeignError::layout(format!(
        "{} tokenizers lie beside it ({}{more}), and none has its name: call the one that belongs to it {}",
        found.len(),
        shown.join(", "),
        quoted(expected.file_name())
    )))
}
