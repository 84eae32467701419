//! Cache lookup: finds a model that was pulled before, without any network.

use std::fs;
use std::io::{ErrorKind as Io, Read};
use std::path::{Path, PathBuf};

use crate::choice::{Kind, Listed, choose};
use crate::environment::CacheDirs;
use crate::error::{Error, Result};
use crate::layout::RepositoryFolder;
use crate::model_ref::ModelReference;
use crate::names::{FileName, Revision, is_commit, shown};

/// How many files of a snapshot are looked at.
const MAX_FILES: usize = 10_000;
/// How deep they may lie.
const MAX_DEPTH: usize = 4;

/// A model on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What to open: a folder or a file.
    pub path: PathBuf,
    /// The commit it is of.
    pub commit: String,
}

/// Finds a model in the cache, pulled by us or by any of Hugging Face's tools.
///
/// # Errors
///
/// If it is not there, or not complete, or if there are several to choose from.
pub fn find(dirs: &CacheDirs, reference: &ModelReference) -> Result<Found> {
    let folder = RepositoryFolder::new(&dirs.hub, &reference.repository);
    let not_pulled = || Error::NotPulled {
        of: reference.to_string(),
        hub: dirs.hub.clone(),
    };
    let commit = commit(&folder, &reference.revision)?.ok_or_else(not_pulled)?;
    let snapshot = folder.snapshot(&commit);
    if !snapshot.is_dir() {
        return Err(not_pulled());
    }
    let files = files(&snapshot)?;
    let of = ModelReference {
        choice: None,
        ..reference.clone()
    };
    let chosen = choose(&of.to_string(), &files, reference.choice.as_ref());
    let chosen = chosen.map_err(|error| incomplete(reference, error))?;
    let path = match &chosen.kind {
        Kind::Folder => snapshot,
        Kind::File(name) => folder.pointer(&commit, name),
    };
    Ok(Found { path, commit })
}

fn incomplete(reference: &ModelReference, error: Error) -> Error {
    match error {
        error @ Error::Ambiguous { .. } => error,
        error => Error::Incomplete {
            of: reference.to_string(),
            error: Box::new(error),
        },
    }
}

/// The commit that a revision had when it was pulled.
pub(crate) fn commit(folder: &RepositoryFolder, revision: &Revision) -> Result<Option<String>> {
    if revision.is_commit() {
        return Ok(Some(revision.as_str().to_owned()));
    }
    let path = folder.reference(revision);
    let file = match fs::File::open(&path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), Io::NotFound | Io::NotADirectory) => return Ok(None),
        Err(error) => return Err(Error::io("read", &path, error)),
    };
    let mut bytes = Vec::new();
    let read = file.take(256).read_to_end(&mut bytes);
    read.map_err(|error| Error::io("read", &path, error))?;
    let text = String::from_utf8_lossy(&bytes);
    let commit = text.trim();
    if !is_commit(commit) {
        let found = shown(commit);
        return Err(Error::BadReference { path, found });
    }
    Ok(Some(commit.to_owned()))
}

/// The files of a snapshot, in order. What has a name that we would not have given it is passed
/// over.
fn files(snapshot: &Path) -> Result<Vec<Listed>> {
    let mut files = Vec::new();
    let mut directories = vec![(snapshot.to_owned(), String::new(), 0)];
    while let Some((directory, prefix, depth)) = directories.pop() {
        let failed = |error| Error::io("read", &directory, error);
        for entry in fs::read_dir(&directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            // Follows the link to the blob; one that leads nowhere is a file that is not here.
            let Ok(metadata) = fs::metadata(entry.path()) else {
                continue;
            };
            let name = format!("{prefix}{name}");
            if metadata.is_dir() && depth < MAX_DEPTH {
                directories.push((entry.path(), format!("{name}/"), depth + 1));
            } else if let (true, Ok(name)) = (metadata.is_file(), name.parse::<FileName>()) {
                let size = Some(metadata.len());
                files.push(Listed { name, size });
            }
            if files.len() + directories.len() > MAX_FILES {
                return Err(Error::io("read", snapshot, Io::FileTooLarge.into()));
            }
        }
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}
