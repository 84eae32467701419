//! File lock, so that one process at a time downloads a file.
//!
//! The lock is one of the operating system's, on the file that Hugging Face's tools lock too, so it
//! ends with the process that holds it.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::Duration;

use crate::client::Client;
use crate::disk;
use crate::error::{Error, Result};
use crate::observer::{Event, Observer};

/// Held until it is dropped; nothing where the file system has no locks.
pub(crate) struct Lock {
    _file: Option<File>,
}

/// Waits until nobody else holds the lock.
pub(crate) fn lock(
    path: &Path,
    name: &str,
    client: &Client,
    observer: &dyn Observer,
) -> Result<Lock> {
    if let Some(folder) = path.parent() {
        disk::create_directory(folder)?;
    }
    let mut options = OpenOptions::new();
    let file = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path);
    let file = file.map_err(|error| Error::io("write", path, error))?;
    let mut has_said = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Lock { _file: Some(file) }),
            Err(TryLockError::WouldBlock) => {
                if !std::mem::replace(&mut has_said, true) {
                    observer.on(Event::Waiting { name });
                }
                client.sleep(Duration::from_millis(200))?;
            }
            Err(TryLockError::Error(_)) => {
                observer.on(Event::Note(
                    "this file system has no locks: do not pull the same file twice at a time",
                ));
                return Ok(Lock { _file: None });
            }
        }
    }
}
