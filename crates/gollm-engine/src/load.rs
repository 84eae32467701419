//! One file, one engine: config, weights and tokenizer from a model file.

use std::path::Path;

use gollm_model::Decoder;
use gollm_tensor::{Device, HostBytes};
use gollm_tokenizer::Tokenizer;
use gollm_weights::{ModelFile, OpenOptions};

use crate::engine::check_vocabulary;
use crate::{Engine, Error, Result, TransformerModel, open};

/// How much of a model file is made ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadOptions {
    /// How many texts at a time there is a cache for.
    pub n_sequences: usize,
    /// The longest text, in tokens: what the cache is made for. `None` is the model's own context, which
    /// may be far longer than anybody's memory.
    pub context_length: Option<usize>,
}

/// Opens the model at `path` as [`open`] does, mapped into memory, for one text at a time.
///
/// # Errors
///
/// [`Error::File`] if the file cannot be read or is damaged, [`Error::InFile`] for what
/// [`load_file`] meets. Every message names the file.
pub fn load(path: impl AsRef<Path>, device: &Device) -> Result<Engine> {
    let path = path.as_ref();
    let file = open(path, &OpenOptions::default())?;
    load_file(&file, device, 1).map_err(|error| Error::InFile {
        path: path.to_owned(),
        source: Box::new(error),
    })
}

/// As [`load`], from bytes in memory: a model that is compiled into the program, for example.
///
/// # Errors
///
/// As [`load`], without a file's name.
pub fn load_bytes(bytes: HostBytes, device: &Device) -> Result<Engine> {
    load_file(&ModelFile::from_bytes(bytes)?, device, 1)
}

/// Makes an engine from an opened model file, with a cache for `n_sequences` texts at a time.
///
/// The file may be dropped afterwards: its bytes live as long as the engine needs them.
///
/// # Errors
///
/// [`Error::NoTokenizer`] for a file of weights alone, [`Error::Tokenizer`] for a tokenizer that is
/// broken, [`Error::VocabularyMismatch`] for one of another size than the model, and
/// [`Error::Transformer`] if the weights do not fit the config or the device.
pub fn load_file(file: &ModelFile, device: &Device, n_sequences: usize) -> Result<Engine> {
    let options = LoadOptions {
        n_sequences,
        context_length: None,
    };
    load_file_with(file, device, &options)
}

/// As [`load_file`], for texts up to a length of the caller's choice.
///
/// # Errors
///
/// As [`load_file`], and [`Error::Option`] for a context of no tokens, or of more than the model's own.
pub fn load_file_with(file: &ModelFile, device: &Device, options: &LoadOptions) -> Result<Engine> {
    let json = file.tokenizer_json().ok_or(Error::NoTokenizer)?;
    let tokenizer = Tokenizer::from_json(json)?;
    // Before the weights, which may take a while to come.
    check_vocabulary(file.config().vocab_size, &tokenizer)?;
    let transformer = load_transformer(file, device, options)?;
    Engine::new(Box::new(transformer), tokenizer)
}

/// As [`load_file_with`], without a tokenizer.
///
/// # Errors
///
/// As [`load_file_with`], where it is not about the tokenizer.
pub fn load_transformer(
    file: &ModelFile,
    device: &Device,
    options: &LoadOptions,
) -> Result<TransformerModel> {
    let mut config = file.config().clone();
    if let Some(context_length) = options.context_length {
        if context_length == 0 || context_length > config.context_length {
            return Err(Error::Option {
                option: "context_length",
                problem: format!(
                    "it is {context_length}, expected 1 to {}, the model's own",
                    config.context_length
                ),
            });
        }
        // Cache and RoPE tables have a row for each token of it; no weight has.
        config.context_length = context_length;
    }
    let decoder = Decoder::load(&config, file, device)?;
    TransformerModel::new(decoder, options.n_sequences)
}
