//! A model of ours as a Hugging Face folder that transformers loads as it is.

use std::path::Path;

use super::CONFIG;
use super::config_out::{architecture, config_json, generation_json};
use super::place::FolderReplacement;
use super::shards_out::{self, pretty, write_text, written_as};
use super::text::{GENERATION_CONFIG, TEMPLATE, TokenRoles};
use crate::error::{Error, Result};
use crate::model_file::ModelFile;

/// How a folder is written.
#[derive(Debug, Clone)]
pub struct FolderOptions {
    /// How many bytes of tensors a file may hold; a tensor that is larger alone gets a file of its own.
    pub max_shard_bytes: u64,
    /// Whether a model that is at the path already is replaced. A folder with anything else in it never
    /// is.
    pub force: bool,
    /// What begins and ends a text.
    pub roles: TokenRoles,
    /// Further files, each with its name: the tokenizer's.
    pub files: Vec<(String, String)>,
}

impl Default for FolderOptions {
    fn default() -> Self {
        Self {
            max_shard_bytes: 5_000_000_000,
            force: false,
            roles: TokenRoles::default(),
            files: Vec::new(),
        }
    }
}

/// Writes the model in `source` as a Hugging Face folder at `path`: `config.json`,
/// `generation_config.json`, the weights as safetensors, the chat template, and the files that
/// `options` brings.
///
/// Tensors keep their type; q8_0 and q4_0, which safetensors does not have, become f16. The folder
/// appears whole or not at all.
///
/// # Errors
///
/// If transformers has no class for such a model, a tensor is damaged or cannot be converted, there is
/// something at `path` that may not be replaced, or it cannot be written. What was at `path` before is
/// then still there.
pub fn export_folder(
    source: &ModelFile,
    path: impl AsRef<Path>,
    options: &FolderOptions,
) -> Result<()> {
    let path = path.as_ref();
    export(source, path, options).map_err(|error| error.in_file(path))
}

fn export(source: &ModelFile, path: &Path, options: &FolderOptions) -> Result<()> {
    let config = source.config();
    let kind = architecture(config).map_err(Error::Foreign)?;
    let folder = FolderReplacement::create(path, options.force)?;
    let inside = |name: &str| folder.path().join(name);
    let config = config_json(config, kind, written_as(config.dtype), &options.roles);
    write_text(&inside(CONFIG), &pretty(&config))?;
    let generation = pretty(&generation_json(&options.roles));
    write_text(&inside(GENERATION_CONFIG), &generation)?;
    if let Some(template) = source.chat_template() {
        write_text(&inside(TEMPLATE), template)?;
    }
    for (name, text) in &options.files {
        write_text(&inside(name), text)?;
    }
    shards_out::write(source, folder.path(), options.max_shard_bytes)?;
    folder.finish()
}
