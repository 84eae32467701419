//! Disk access: directories, free space, and files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

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
    if let Some(folder) = path.parent() {
        create_directory(folder)?;
    }
    let written = || -> io::Result<()> {
        let mut file = beside(path, |new| File::create_new(new))?;
        file.as_file_mut().write_all(contents.as_bytes())?;
        file.persist(path)?;
        Ok(())
    };
    written().map_err(|error| Error::io("write", path, error))
}

/// Makes what will be renamed to `path`, under a name that no other thread and no other machine
/// has. It is removed when it is dropped.
pub(crate) fn beside<T>(
    path: &Path,
    make: impl FnMut(&Path) -> io::Result<T>,
) -> io::Result<NamedTempFile<T>> {
    let folder = path.parent().unwrap_or(Path::new("."));
    Builder::new().suffix(".tmp").make_in(folder, make)
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
    fn threads_that_write_one_file_at_once_do_not_take_each_others_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("main");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        write_whole(&path, "whole").unwrap();
                    }
                });
            }
        });
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
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
