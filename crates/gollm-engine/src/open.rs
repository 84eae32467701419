//! A model file with the tokenizer that does not travel inside it.
//!
//! Files of some kinds hold weights alone, and the tokenizer lies beside them in a file of its own kind.
//! gollm-weights does not know tokenizers and gollm-tokenizer does not know folders: here they meet, and
//! what comes out has its tokenizer like a `.gollm` file.

use std::path::{Path, PathBuf};

use gollm_tokenizer::Tokenizer;
use gollm_weights::{ModelFile, OpenOptions, TokenizerBeside};

use crate::{Error, Result};

/// The vocabulary of a Hugging Face folder, and what its tokens are for.
const HF_TOKENIZER: &str = "tokenizer.json";
const HF_CONFIG: &str = "tokenizer_config.json";
/// llama2.c's own name for the file.
const LLAMA2C_TOKENIZER: &str = "tokenizer.bin";
/// The most bytes of a vocabulary as scores and bytes; one of 128,000 tokens takes two megabytes.
const MAX_SCORED_BYTES: u64 = 64 << 20;

/// A tokenizer file beside a model file.
struct Beside {
    path: PathBuf,
    /// What was in it: a tokenizer, and a chat template if its kind of file holds one.
    read: Result<(Tokenizer, Option<String>)>,
}

/// Opens the model at `path`, a file or a Hugging Face folder, and the tokenizer beside it if the file
/// has none inside: `tokenizer.json` in a folder, `tokenizer.bin` beside a llama2.c checkpoint, the `.t` that
/// belongs to a distributed-llama model, with the chat template in it.
///
/// A model without any tokenizer is opened as well; it continues ids.
///
/// # Errors
///
/// [`Error::File`] as [`ModelFile::open`], [`Error::InFile`] for a tokenizer that cannot be used. Every
/// message names the file.
pub fn open(path: impl AsRef<Path>, options: &OpenOptions) -> Result<ModelFile> {
    let file = ModelFile::open(path, options)?;
    if file.tokenizer_json().is_some() {
        return Ok(file);
    }
    let found = match file.tokenizer_beside() {
        TokenizerBeside::None => None,
        TokenizerBeside::DistributedLlama => distributed_llama(&file)?,
        TokenizerBeside::HuggingFace => hugging_face(&file)?,
        TokenizerBeside::Llama2c => llama2c(&file)?,
    };
    let Some(Beside { path, read }) = found else {
        return Ok(file);
    };
    // Models may have more rows in their table than their tokenizer has tokens.
    let n_ids = file.config().vocab_size;
    let padded = |tokenizer: Tokenizer| match tokenizer.vocab_size() < n_ids {
        true => tokenizer.padded_to(n_ids).map_err(Error::from),
        false => Ok(tokenizer),
    };
    let whole = read.and_then(|(tokenizer, template)| Ok((padded(tokenizer)?, template)));
    let (tokenizer, template) = whole.map_err(|source| Error::InFile {
        path,
        source: Box::new(source),
    })?;
    let file = file.with_tokenizer(tokenizer.to_json());
    Ok(match template {
        Some(template) => file.with_chat_template(template),
        None => file,
    })
}

fn hugging_face(file: &ModelFile) -> Result<Option<Beside>> {
    let Some(json) = file.json_beside(HF_TOKENIZER)? else {
        return Ok(None);
    };
    let config = file.json_beside(HF_CONFIG)?;
    let end = &file.token_roles().end;
    let tokenizer = Tokenizer::from_hf_json(&json, config.as_ref(), end);
    Ok(Some(Beside {
        path: file.path_beside(HF_TOKENIZER),
        read: tokenizer
            .map_err(Error::from)
            .map(|tokenizer| (tokenizer, None)),
    }))
}

fn llama2c(file: &ModelFile) -> Result<Option<Beside>> {
    let bytes = file.beside(LLAMA2C_TOKENIZER, MAX_SCORED_BYTES)?;
    Ok(bytes.map(|bytes| Beside {
        path: file.path_beside(LLAMA2C_TOKENIZER),
        read: Tokenizer::from_llama2c(&bytes)
            .map_err(Error::from)
            .map(|tokenizer| (tokenizer, None)),
    }))
}

fn distributed_llama(file: &ModelFile) -> Result<Option<Beside>> {
    let found = file.distributed_llama_tokenizer(MAX_SCORED_BYTES)?;
    Ok(found.map(|(path, bytes)| Beside {
        path,
        read: Tokenizer::from_distributed_llama(&bytes).map_err(Error::from),
    }))
}
