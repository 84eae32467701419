//! Input and result of a pull.

use std::path::PathBuf;

use crate::choice::{Chosen, Kind, choose};
use crate::error::Result;
use crate::listing::Listing;
use crate::model_ref::ModelReference;
use crate::names::FileName;

/// What to pull from a repository.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The repository, and which of its models.
    pub reference: ModelReference,
    /// These files and no others; empty for those of a model.
    pub files: Vec<FileName>,
    /// Whether files that are here are compared with their hashes.
    pub recheck: bool,
}

/// What was pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// What to open.
    pub path: PathBuf,
    /// The state of the repository.
    pub commit: String,
    /// Every file; empty if the network was not asked.
    pub files: Vec<PulledFile>,
}

/// A file that was pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PulledFile {
    /// Its name in the repository.
    pub name: FileName,
    /// Its length in bytes.
    pub size: u64,
    /// Its hash: SHA-256, or git's SHA-1 for a small file.
    pub hash: String,
    /// Whether it was here before.
    pub was_here: bool,
}

/// The files asked for by name, or those of a model.
pub(crate) fn chosen(wanted: &Wanted, listing: &Listing) -> Result<Chosen> {
    let listed: Vec<_> = listing
        .files
        .iter()
        .map(|file| file.listed.clone())
        .collect();
    let of = ModelReference {
        choice: None,
        ..wanted.reference.clone()
    };
    let of = of.to_string();
    if wanted.files.is_empty() {
        return choose(&of, &listed, wanted.reference.choice.as_ref());
    }
    let (mut kinds, mut files) = (Vec::new(), Vec::new());
    for name in &wanted.files {
        let one = choose(&of, &listed, Some(name))?;
        kinds.push(one.kind);
        files.extend(one.files);
    }
    // Several parts of one model have the same first one.
    kinds.dedup();
    let kind = match &kinds[..] {
        [kind] => kind.clone(),
        _ => Kind::Folder,
    };
    Ok(Chosen { kind, files })
}
