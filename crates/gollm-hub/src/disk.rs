//! The disk: directories, room, and files that appear whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;

use crate::error::{Error, Result};
use crate::limits::Limits;

/// Makes a directory and those above it.
pub(crate) fn create_directory(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|error| Error::io("create", path, error))
}

/// An error if there is no room for `needed` bytes more and some to spare.
pub(crate) fn check_room(path: &Path, needed: u64) -> Result<()> {
    let free = fs4::available_space(path).map_err(|error| Error::io("read", path, error))?;
    if needed > 0 && free < needed.saturating_add(Limits::SPARE_BYTES) {
        let path = path.to_owned();
        return Err(Error::NoSpace { path, needed, free });
    }
    Ok(())
}

/// Writes a small file under its final name in one step.
pub(crate) fn write_whole(path: &Path, contents: &str) -> Result<()> {
    let failed = |error| Error::io("write", path, error);
    if let Some(folder) = path.parent() {
        create_directory(folder)?;
    }
    let new = beside(path);
    let written = fs::File::create(&new)
        .and_then(|mut file| file.write_all(contents.as_bytes()))
        .and_then(|()| fs::rename(&new, path));
    written
        .inspect_err(|_| remove_quietly(&new))
        .map_err(failed)
}

/// A name for a file that will be renamed to `path`.
pub(crate) fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{name}.{}.tmp", process::id()))
}

/// Removes a file; it is no error if there is none.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("remove", path, error))
        }
        _ => Ok(()),
    }
}

/// Removes what is in the way after another error, which is the one to report.
pub(crate) fn remove_quietly(path: &Path) {
    let _ = fs::remove_file(path);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_room_is_said_in_numbers_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        check_room(folder.path(), 1).unwrap();
        check_room(folder.path(), 0).unwrap();
        let message = check_room(folder.path(), u64::MAX).unwrap_err().to_string();
        assert!(
            message.contains("18446744073709551615 bytes are to come"),
            "{message}"
        );
    }

    #[test]
    fn a_small_file_is_replaced_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("refs").join("main");
        write_whole(&path, "a").unwrap();
        write_whole(&path, "b").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "b");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
