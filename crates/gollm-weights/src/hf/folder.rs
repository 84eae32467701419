//! A folder whose files are read by name, and none outside it.

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::bounded_json;
use crate::error::{Error, Result};
use crate::foreign_error::ForeignError;
use crate::host_file;

/// Configs are a few kilobytes.
pub(crate) const MAX_CONFIG_BYTES: u64 = 1 << 20;
/// Chat templates, and a tokenizer's config with its list of added tokens.
pub(crate) const MAX_TEXT_BYTES: u64 = 16 << 20;
/// How deep a repository's files lie in a snapshot; those of one quantization often have a directory.
const MAX_DEPTH: usize = 8;

/// Where a model's files lie.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Where links in the folder may lead: into it, and into the cache that it is a view of.
    roots: Vec<PathBuf>,
}

impl Folder {
    pub(crate) fn new(path: &Path) -> Result<Self> {
        let failed = |error| Error::Io {
            action: "find the folder",
            error,
        };
        let real = fs::canonicalize(path).map_err(failed)?;
        let repository = cache_of(&real);
        let blobs = repository.map(|folder| folder.join("blobs"));
        // Newer versions of `huggingface_hub` keep what several repositories hold once for all of them.
        let shared = repository
            .and_then(Path::parent)
            .map(|cache| cache.join("blobs"));
        Ok(Self {
            path: path.to_owned(),
            roots: [Some(real), blobs, shared].into_iter().flatten().collect(),
        })
    }

    /// Where the file called `name` would be; for messages.
    pub(crate) fn path_of(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file called `name`, `None` if there is none.
    ///
    /// # Errors
    ///
    /// If the name is more than a name, or a link of this name leads out of the folder.
    pub(crate) fn find(&self, name: &str) -> Result<Option<PathBuf>> {
        check_file_name(name).map_err(Error::Foreign)?;
        self.find_entry(OsStr::new(name))
    }

    /// As [`Self::find`], for a name that comes from the file system and from no file's text.
    pub(crate) fn find_entry(&self, name: &OsStr) -> Result<Option<PathBuf>> {
        let path = self.path_of(name);
        if fs::symlink_metadata(&path).is_err() {
            return Ok(None);
        }
        let real = fs::canonicalize(&path).map_err(|error| {
            let action = "find the file";
            Error::Io { action, error }.in_file(&path)
        })?;
        if !self.roots.iter().any(|root| real.starts_with(root)) {
            let problem = "it is a link that leads out of its folder, which a model's files may not: \
                           put the file itself there";
            return Err(Error::Foreign(ForeignError::layout(problem)).in_file(&path));
        }
        Ok(Some(path))
    }

    /// The bytes of a small file, `None` if there is none.
    ///
    /// # Errors
    ///
    /// As [`Self::find`]; if it cannot be read or is longer than `limit`.
    pub(crate) fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        let found = self.find(name)?;
        found.map(|path| read_found(&path, limit)).transpose()
    }

    /// As [`Self::read`], for text.
    pub(crate) fn text(&self, name: &str, limit: u64) -> Result<Option<String>> {
        let Some(bytes) = self.read(name, limit)? else {
            return Ok(None);
        };
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let problem = format!("it is not UTF-8 from byte {at} on");
            self.in_file(name, ForeignError::layout(problem))
        });
        text.map(Some)
    }

    /// As [`Self::read`], for a JSON object.
    pub(crate) fn json(&self, name: &str, limit: u64) -> Result<Option<Map<String, Value>>> {
        let Some(text) = self.text(name, limit)? else {
            return Ok(None);
        };
        let value = bounded_json::parse(&text)
            .map_err(|error| self.in_file(name, ForeignError::Json(error.to_string())))?;
        match value {
            Value::Object(object) => Ok(Some(object)),
            _ => Err(self.in_file(name, ForeignError::layout("it is no JSON object"))),
        }
    }

    /// An error about one of the files.
    pub(crate) fn in_file(&self, name: &str, error: ForeignError) -> Error {
        Error::Foreign(error).in_file(&self.path_of(name))
    }
}

/// The repository in a Hugging Face cache that the real path `folder` is a snapshot of, or a directory in
/// one: there, `models--owner--name/snapshots/REVISION` holds links into `models--owner--name/blobs`.
fn cache_of(folder: &Path) -> Option<&Path> {
    let mut parents = folder.ancestors().skip(1).take(MAX_DEPTH);
    let snapshots = parents.find(|parent| parent.file_name() == Some(OsStr::new("snapshots")))?;
    snapshots.parent()
}

/// The bytes of a file that [`Folder::find`] or [`Folder::find_entry`] found.
///
/// # Errors
///
/// If it cannot be read or is longer than `limit`; the error names it.
pub(crate) fn read_found(path: &Path, limit: u64) -> Result<Vec<u8>> {
    read_bounded(path, limit).map_err(|error| error.in_file(path))
}

fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let (file, length) = host_file::open(path)?;
    let too_long = |found: u64| {
        let problem = format!("it has {found} bytes or more, at most {limit} are read");
        Error::Foreign(ForeignError::layout(problem))
    };
    if length > limit {
        return Err(too_long(length));
    }
    let mut bytes = Vec::new();
    // It may grow meanwhile, or be a file that does not say how long it is.
    let read = file.take(limit + 1).read_to_end(&mut bytes);
    let found = read.map_err(|error| Error::Io {
        action: "read the file",
        error,
    })?;
    match found as u64 > limit {
        true => Err(too_long(found as u64)),
        false => Ok(bytes),
    }
}

/// Accepts a name that stays in its folder on every system.
fn check_file_name(name: &str) -> Result<(), ForeignError> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let shown: String = name.chars().take(60).flat_map(char::escape_debug).collect();
    if name.is_empty() || name.len() > 255 || name.starts_with('.') || !name.chars().all(is_plain) {
        return Err(ForeignError::layout(format!(
            "a file is called `{shown}`; expected letters, digits, `.`, `_` and `-`, no `.` in \
             front, and no path: a model's files lie in one folder"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_name_and_no_path() {
        for good in ["config.json", "model-00001-of-00002.safetensors", "a_b"] {
            assert!(check_file_name(good).is_ok(), "{good}");
        }
        let long = "a".repeat(256);
        for bad in [
            "",
            ".",
            "..",
            "../x",
            "/etc/passwd",
            "a/b",
            "a\\b",
            "C:x",
            ".hidden",
            "a\0",
            "a b",
            "a\u{1b}[2J",
            "é",
            long.as_str(),
        ] {
            assert!(check_file_name(bad).is_err(), "{bad:?}");
        }
    }
}
