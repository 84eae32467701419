//! A folder that appears at its path whole or not at all.
//!
//! Its files are written into a folder beside the target, which is renamed when it is complete. What was
//! there before is moved aside first and comes back if that fails; nothing else is ever removed than
//! files of a model that this program could have written.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::CONFIG;
use super::shards::{INDEX, SINGLE};
use crate::encoder::write_failed;
use crate::error::{Error, Result};
use crate::foreign_error::ForeignError;

/// What a folder may hold that is replaced.
const KNOWN: [&str; 8] = [
    CONFIG,
    "generation_config.json",
    SINGLE,
    INDEX,
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "special_tokens_map.json",
];

/// A folder being written. Nothing appears at its path until [`FolderReplacement::finish`].
pub(crate) struct FolderReplacement {
    target: PathBuf,
    temporary: TempDir,
}

impl FolderReplacement {
    /// Starts a folder that will be put at `path`, where an older model may lie if `force` is given.
    pub(crate) fn create(path: &Path, force: bool) -> Result<Self> {
        let target = fs::canonicalize(path).unwrap_or_else(|_| without_end(path));
        check_target(&target, force)?;
        let temporary = beside(&target).map_err(|error| Error::Io {
            action: "create a temporary folder beside it",
            error,
        })?;
        Ok(Self { target, temporary })
    }

    /// Where to write.
    pub(crate) fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// Puts the folder at its path.
    pub(crate) fn finish(self) -> Result<()> {
        let aside = beside(&self.target).map_err(write_failed)?;
        let old = aside.path().join("old");
        let had_old = self.target.symlink_metadata().is_ok();
        if had_old {
            fs::rename(&self.target, &old).map_err(write_failed)?;
        }
        if let Err(error) = fs::rename(self.temporary.path(), &self.target) {
            if had_old {
                fs::rename(&old, &self.target).map_err(write_failed)?;
            }
            return Err(write_failed(error));
        }
        // It is not there any more under this name.
        let _ = self.temporary.keep();
        if cfg!(unix) {
            let synced = fs::File::open(parent(&self.target)).and_then(|folder| folder.sync_all());
            synced.map_err(write_failed)?;
        }
        Ok(())
    }
}

/// Refuses to replace what is no model, or what nobody said may be replaced.
fn check_target(target: &Path, force: bool) -> Result<()> {
    let refused = |problem: String| Err(Error::Foreign(ForeignError::layout(problem)));
    if target.symlink_metadata().is_err() {
        return Ok(());
    }
    let failed = |error| Error::Io {
        action: "list the folder",
        error,
    };
    for entry in fs::read_dir(target).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if !force {
            return refused("the folder is not empty; --force replaces the model in it".to_owned());
        }
        let name = name.to_string_lossy();
        let is_shard = name.starts_with("model-") && name.ends_with(".safetensors");
        if !is_shard && !KNOWN.contains(&name.as_ref()) {
            return refused(format!(
                "the folder holds `{}`, which is no part of a model that was written here; nothing \
                 was replaced: give another folder",
                name.escape_debug()
            ));
        }
    }
    Ok(())
}

/// The path without a separator at its end.
fn without_end(path: &Path) -> PathBuf {
    path.components().collect()
}

fn parent(target: &Path) -> &Path {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A folder in the folder of `target`, so that renaming it stays within one file system. It is removed
/// when it is dropped.
fn beside(target: &Path) -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".").suffix(".gollm.tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As for any new folder: open as far as the user's umask allows.
        builder.permissions(fs::Permissions::from_mode(0o777));
    }
    builder.tempdir_in(parent(target))
}
