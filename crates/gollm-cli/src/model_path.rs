//! Where a model lies that was named: a path, or a repository that was pulled before.

use std::path::{Path, PathBuf};

use gollm_hub::{CacheDirs, ModelReference, find};

use crate::cli_error::CliError;

/// The file or folder to open for `-m NAME`. What exists is a path; `owner/name[@REVISION][:CHOICE]`
/// is looked for in the cache of Hugging Face's tools. Nothing is ever fetched here.
pub(crate) fn model_path(named: &Path) -> Result<PathBuf, CliError> {
    let reference = named.to_str().map(str::parse::<ModelReference>);
    let Some(Ok(reference)) = reference else {
        return Ok(named.to_owned());
    };
    if named.exists() {
        return Ok(named.to_owned());
    }
    let found = CacheDirs::from_environment().and_then(|dirs| find(&dirs, &reference));
    let found = found.map_err(|error| {
        let no_file = format!("there is no file {}, and as a repository", named.display());
        CliError::from(error).context(no_file)
    })?;
    Ok(found.path)
}
