//! A file that appears at its path whole or not at all.
//!
//! Everything goes to a temporary file beside the target. Only when it is complete and on the disk
//! is it renamed over the target, which the file system does in one step: after a crash, a full disk
//! or a killed process the old file is there, or the new one, and nothing between.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::encoder::write_failed;
use crate::error::{Error, Result};

/// A file being written. Nothing appears at its path until [`Replacement::finish`].
pub(crate) struct Replacement {
    /// The file to be replaced, symbolic links followed.
    pub(crate) target: PathBuf,
    sink: BufWriter<NamedTempFile>,
}

impl Replacement {
    /// Starts a file that will be put at `path`.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        // A link is followed, so that the file it leads to is replaced and not the link.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let old = fs::metadata(&target).ok();
        if old.as_ref().is_some_and(|old| !old.is_file()) {
            return Err(Error::NotAFile("a directory or a device"));
        }
        let temporary = temporary_beside(&target).map_err(|error| Error::Io {
            action: "create a temporary file in its directory",
            error,
        })?;
        if let Some(old) = old {
            // A file that others may not read stays one.
            let kept = temporary.as_file().set_permissions(old.permissions());
            kept.map_err(write_failed)?;
        }
        // Large enough that the file system sees whole rows, small beside any model.
        let sink = BufWriter::with_capacity(1 << 20, temporary);
        Ok(Self { target, sink })
    }

    /// Where to write.
    pub(crate) fn sink(&mut self) -> &mut BufWriter<NamedTempFile> {
        &mut self.sink
    }

    /// The target, and where to write.
    pub(crate) fn into_parts(self) -> (PathBuf, BufWriter<NamedTempFile>) {
        (self.target, self.sink)
    }

    /// Waits until all of it is on the disk, and puts the file at its path.
    pub(crate) fn finish(self) -> Result<()> {
        put(self.sink, &self.target)
    }
}

/// Puts a complete file at its path.
pub(crate) fn put(sink: BufWriter<NamedTempFile>, target: &Path) -> Result<()> {
    let temporary = sink
        .into_inner()
        .map_err(|error| write_failed(error.into_error()))?;
    // Before the rename: otherwise a crash could leave the new name on a file without its data.
    temporary.as_file().sync_all().map_err(write_failed)?;
    temporary
        .persist(target)
        .map_err(|error| write_failed(error.error))?;
    sync_directory(target).map_err(write_failed)
}

/// A file in the directory of `target`, so that renaming it stays within one file system. It is
/// removed when it is dropped.
fn temporary_beside(target: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".").suffix(".gollm.tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As for any new file: readable as far as the user's umask allows.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(directory_of(target))
}

fn directory_of(target: &Path) -> &Path {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Puts the rename itself on the disk. Only Unix lets a directory be opened for that.
fn sync_directory(target: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(directory_of(target))?.sync_all()
    } else {
        Ok(())
    }
}
