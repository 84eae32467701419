//! Partial download: `NAME.incomplete`, to which bytes are appended.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The bytes that have come so far.
#[derive(Debug)]
pub(crate) struct Partial {
    path: PathBuf,
    file: File,
    at: u64,
}

impl Partial {
    /// Opens what an earlier pull has left, or begins anew.
    pub(crate) fn open(path: PathBuf) -> Result<Self> {
        let failed = |error| Error::io("write", &path, error);
        // Whoever can place a link here could otherwise have any file of ours appended to.
        if fs::symlink_metadata(&path).is_ok_and(|found| !found.is_file()) {
            fs::remove_file(&path).map_err(failed)?;
        }
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(failed)?;
        let at = file.metadata().map_err(failed)?.len();
        Ok(Self { path, file, at })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes are here.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.file.write_all(bytes);
        written.map_err(|error| Error::io("write", &self.path, error))?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// Throws away what has come.
    pub(crate) fn start_over(&mut self) -> Result<()> {
        let emptied = self.file.set_len(0);
        emptied.map_err(|error| Error::io("write", &self.path, error))?;
        self.at = 0;
        Ok(())
    }

    /// Waits until the bytes are on the disk, so that a name never stands for less than it says.
    pub(crate) fn flush(&self) -> Result<()> {
        let flushed = self.file.sync_data();
        flushed.map_err(|error| Error::io("write", &self.path, error))
    }
}
