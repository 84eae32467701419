//! Cache layout, the one of Hugging Face's tools:
//!
//! ```text
//! models--owner--name/
//!   blobs/HASH                    the bytes of a file, under their hash
//!   refs/main                     the commit that the branch had when it was pulled
//!   snapshots/COMMIT/config.json  -> ../../blobs/HASH
//! .locks/models--owner--name/HASH.lock
//! ```

use std::path::{Path, PathBuf};

use crate::names::{FileName, Revision};
use crate::repository::Repository;

/// The place of one repository in the cache. Every path is made of checked names.
#[derive(Debug, Clone)]
pub(crate) struct RepositoryFolder {
    hub: PathBuf,
    name: String,
}

impl RepositoryFolder {
    pub(crate) fn new(hub: &Path, repository: &Repository) -> Self {
        Self {
            hub: hub.to_owned(),
            name: repository.directory(),
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.hub.join(&self.name)
    }

    /// The file that holds the commit of a branch or tag.
    pub(crate) fn reference(&self, revision: &Revision) -> PathBuf {
        joined(self.path().join("refs"), revision.as_str().split('/'))
    }

    /// The files of a commit; `commit` is checked hexadecimal.
    pub(crate) fn snapshot(&self, commit: &str) -> PathBuf {
        self.path().join("snapshots").join(commit)
    }

    /// A file of a commit.
    pub(crate) fn pointer(&self, commit: &str, file: &FileName) -> PathBuf {
        joined(self.snapshot(commit), file.parts())
    }
}

#[cfg(feature = "download")]
impl RepositoryFolder {
    pub(crate) fn hub(&self) -> &Path {
        &self.hub
    }

    pub(crate) fn blobs(&self) -> PathBuf {
        self.path().join("blobs")
    }

    /// The file whose lock a download of this blob holds.
    pub(crate) fn lock(&self, hash: &str) -> PathBuf {
        let folder = self.hub.join(".locks").join(&self.name);
        folder.join(format!("{hash}.lock"))
    }

    /// From a pointer to a blob, upwards and down again.
    pub(crate) fn relative_blob(file: &FileName, hash: &str) -> PathBuf {
        // Out of the snapshot and of `snapshots`, and of each directory that the name has.
        let ups = file.parts().count() + 1;
        let up: PathBuf = std::iter::repeat_n("..", ups).collect();
        up.join("blobs").join(hash)
    }
}

/// Part by part, so that each system puts its own separator between them.
fn joined<'a>(mut path: PathBuf, parts: impl Iterator<Item = &'a str>) -> PathBuf {
    path.extend(parts);
    path
}
