//! What lies beside a model file: a tokenizer that does not travel inside.

use std::path::PathBuf;

use serde_json::Value;

use super::ModelFile;
use crate::bounded_json;
use crate::error::{Error, Result};
use crate::foreign_error::ForeignError;
use crate::hf::TokenRoles;

/// The largest `tokenizer.json` that is read; the largest known has 34 MB.
const MAX_JSON_BYTES: u64 = 64 << 20;

/// The kind of tokenizer that belongs to a model file and lies beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TokenizerBeside {
    /// None: the file holds its own, if it has one.
    #[default]
    None,
    /// distributed-llama's `.t`, whose name depends on the model's: see
    /// [`ModelFile::distributed_llama_tokenizer`].
    DistributedLlama,
    /// `tokenizer.json` and `tokenizer_config.json` of a Hugging Face folder.
    HuggingFace,
    /// llama2.c's `tokenizer.bin`.
    Llama2c,
}

impl ModelFile {
    /// The kind of tokenizer that belongs to this file and may lie beside it.
    #[must_use]
    pub fn tokenizer_beside(&self) -> TokenizerBeside {
        self.tokenizer_beside
    }

    /// Where a file beside this one would lie; for messages.
    #[must_use]
    pub fn path_beside(&self, name: &str) -> PathBuf {
        match &self.folder {
            None => PathBuf::from(name),
            Some(folder) => folder.path_of(name),
        }
    }

    /// As [`ModelFile::beside`], for JSON of up to 64 MiB, which may not ask for more than 32 times as
    /// much memory.
    ///
    /// # Errors
    ///
    /// As [`ModelFile::beside`], and if it is no JSON.
    pub fn json_beside(&self, name: &str) -> Result<Option<Value>> {
        let Some(bytes) = self.beside(name, MAX_JSON_BYTES)? else {
            return Ok(None);
        };
        let wrong = |error: String| {
            Error::Foreign(ForeignError::Json(error)).in_file(&self.path_beside(name))
        };
        let text = std::str::from_utf8(&bytes).map_err(|error| wrong(error.to_string()))?;
        bounded_json::parse_generously(text)
            .map(Some)
            .map_err(|error| wrong(error.to_string()))
    }

    /// A small file that lies beside this one, or in the same folder: a tokenizer that does not travel
    /// inside. `None` if there is no file called `name`, or this model came from memory.
    ///
    /// # Errors
    ///
    /// If `name` is a path and no name, if it is a link that leads out of the folder, or if it cannot
    /// be read or has more than `limit` bytes.
    pub fn beside(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        match &self.folder {
            None => Ok(None),
            Some(folder) => folder.read(name, limit),
        }
    }

    /// The tokens that begin and end a text, as far as a Hugging Face folder's configuration says;
    /// other files say it in their tokenizer.
    #[must_use]
    pub fn token_roles(&self) -> &TokenRoles {
        &self.roles
    }

    /// The same model with another tokenizer: one that did not travel inside the file.
    #[must_use]
    pub fn with_tokenizer(mut self, tokenizer: Value) -> Self {
        self.head.metadata.tokenizer = Some(tokenizer);
        self
    }

    /// The same model with another chat template: one that came with its tokenizer.
    #[must_use]
    pub fn with_chat_template(mut self, template: String) -> Self {
        self.head.metadata.chat_template = Some(template);
        self
    }
}
