//! A model file with the tokenizer that does not travel inside it.
//!
//! Files of some kinds hold weights alone, and the tokenizer lies beside them in a file of its own kind.
//! gollm-weights does not know tokenizers and gollm-tokenizer does not know folders: here they meet, and
//! what comes out has its tokenizer like a `.gollm` file.

use std::path::Path;

use gollm_tokenizer::Tokenizer;
use gollm_weights::{ModelFile, OpenOptions, TokenizerBeside};

use crate::{Error, Result};

/// The vocabulary of a Hugging Face folder, and what its tokens are for.
const HF_TOKENIZER: &str = "tokenizer.json";
const HF_CONFIG: &str = "tokenizer_config.json";
/// llama2.c's own name for the file.
const LLAMA2C_TOKENIZER: &str = "tokenizer.bin";
/// A vocabulary of 128,000 tokens takes two megabytes.
const MAX_LLAMA2C_BYTES: u64 = 64 << 20;

/// Opens the model at `path`, a file or a Hugging Face folder, and the tokenizer beside it if the file
/// has none inside: `tokenizer.json` in a folder, `tokenizer.bin` beside a llama2.c checkpoint.
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
    let (name, found) = match file.tokenizer_beside() {
        TokenizerBeside::None => return Ok(file),
        TokenizerBeside::HuggingFace => (HF_TOKENIZER, hugging_face(&file)),
        TokenizerBeside::Llama2c => (LLAMA2C_TOKENIZER, llama2c(&file)),
    };
    let in_file = |source| Error::InFile {
        path: file.path_beside(name),
        source: Box::new(source),
    };
    // Models may have more rows in their table than their tokenizer has tokens.
    let n_ids = file.config().vocab_size;
    let padded = |tokenizer: Tokenizer| match tokenizer.vocab_size() < n_ids {
        true => tokenizer.padded_to(n_ids).map_err(Error::from),
        false => Ok(tokenizer),
    };
    match found {
        Ok(None) => Ok(file),
        Ok(Some(tokenizer)) => {
            let json = padded(tokenizer).map_err(in_file)?.to_json();
            Ok(file.with_tokenizer(json))
        }
        // It says which file it means.
        Err(error @ Error::File(_)) => Err(error),
        Err(error) => Err(in_file(error)),
    }
}

fn hugging_face(file: &ModelFile) -> Result<Option<Tokenizer>> {
    let Some(json) = file.json_beside(HF_TOKENIZER)? else {
        return Ok(None);
    };
    let config = file.json_beside(HF_CONFIG)?;
    let end = &file.token_roles().end;
    Ok(Some(Tokenizer::from_hf_json(&json, config.as_ref(), end)?))
}

fn llama2c(file: &ModelFile) -> Result<Option<Tokenizer>> {
    let bytes = file.beside(LLAMA2C_TOKENIZER, MAX_LLAMA2C_BYTES)?;
    let tokenizer = bytes.map(|bytes| Tokenizer::from_llama2c(&bytes));
    Ok(tokenizer.transpose()?)
}
