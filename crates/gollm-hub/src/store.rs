//! Stores a checked file in the cache: its blob, and the link that gives it its name.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::disk;
use crate::error::{Error, Result};
use crate::layout::RepositoryFolder;
use crate::names::{FileName, Revision};

/// What backup programs look for in a directory that they need not copy.
const CACHE_TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n\
    # This directory holds a cache; what is in it can be fetched again.\n";

/// A repository's place in the cache, at one commit.
pub(crate) struct Store<'a> {
    pub(crate) folder: &'a RepositoryFolder,
    pub(crate) commit: &'a str,
    /// Copies instead of links.
    pub(crate) no_symlinks: bool,
}

impl Store<'_> {
    /// Makes the directories.
    pub(crate) fn prepare(&self) -> Result<()> {
        disk::create_directory(&self.folder.blobs())?;
        disk::create_directory(&self.folder.snapshot(self.commit))?;
        let tag = self.folder.hub().join("CACHEDIR.TAG");
        if tag.exists() {
            Ok(())
        } else {
            disk::write_whole(&tag, CACHE_TAG)
        }
    }

    /// Where the bytes of a file are, if they are here in full.
    pub(crate) fn bytes_of(&self, file: &FileName, size: u64, digest: &Digest) -> Option<PathBuf> {
        let pointer = self.folder.pointer(self.commit, file);
        let is_whole = |path: &PathBuf| {
            let metadata = fs::metadata(path);
            metadata.is_ok_and(|found| found.is_file() && found.len() == size)
        };
        // On systems without links there is no blob, the file itself lies under its name.
        [self.blob(digest), pointer].into_iter().find(is_whole)
    }

    pub(crate) fn blob(&self, digest: &Digest) -> PathBuf {
        self.folder.blobs().join(digest.hex())
    }

    /// Where a file lies while it comes.
    pub(crate) fn incomplete(&self, digest: &Digest) -> PathBuf {
        let name = format!("{}.incomplete", digest.hex());
        self.folder.blobs().join(name)
    }

    /// Gives a complete and checked file its hash as name.
    pub(crate) fn accept(&self, digest: &Digest) -> Result<()> {
        let (from, to) = (self.incomplete(digest), self.blob(digest));
        fs::rename(&from, &to).map_err(|error| Error::io("write", &to, error))
    }

    /// Forgets the bytes of a file that turned out to be wrong.
    pub(crate) fn forget(&self, file: &FileName, digest: &Digest) -> Result<()> {
        disk::remove(&self.folder.pointer(self.commit, file))?;
        disk::remove(&self.blob(digest))
    }

    /// Gives the bytes their name in the snapshot: a link, or where there are none, the bytes.
    pub(crate) fn point(&self, file: &FileName, digest: &Digest) -> Result<()> {
        let pointer = self.folder.pointer(self.commit, file);
        let blob = self.blob(digest);
        if !blob.exists() {
            return Ok(());
        }
        let target = RepositoryFolder::relative_blob(file, digest.hex());
        if fs::read_link(&pointer).is_ok_and(|found| found == target) {
            return Ok(());
        }
        if let Some(parent) = pointer.parent() {
            disk::create_directory(parent)?;
        }
        let linked = if self.no_symlinks {
            Err(io::ErrorKind::Unsupported.into())
        } else {
            link(&target, &pointer)
        };
        let made = match linked {
            Ok(()) => Ok(()),
            // A blob that is itself a link leads to bytes that belong to other repositories as
            // well.
            Err(_) if blob.is_symlink() => copy(&blob, &pointer),
            // Moved and not copied: each model would else be here twice.
            Err(_) => fs::rename(&blob, &pointer),
        };
        made.map_err(|error| Error::io("write", &pointer, error))
    }

    /// Notes which commit a branch or tag has. Done last, so that a name stands for complete files.
    pub(crate) fn remember(&self, revision: &Revision) -> Result<()> {
        if revision.as_str() == self.commit {
            return Ok(());
        }
        let path = self.folder.reference(revision);
        match fs::read_to_string(&path) {
            Ok(found) if found == self.commit => Ok(()),
            _ => disk::write_whole(&path, self.commit),
        }
    }
}

/// Puts a link at `path`, in place of what was there.
fn link(target: &Path, path: &Path) -> io::Result<()> {
    disk::beside(path, |new| symlink(target, new))?.persist(path)?;
    Ok(())
}

/// Puts a copy at `path`, in place of what was there.
fn copy(from: &Path, path: &Path) -> io::Result<()> {
    let mut new = disk::beside(path, |new| fs::File::create_new(new))?;
    io::copy(&mut fs::File::open(from)?, new.as_file_mut())?;
    new.persist(path)?;
    Ok(())
}

#[cfg(unix)]
fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(windows)]
fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(target, link)
}

#[cfg(not(any(unix, windows)))]
fn symlink(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
