//! The model that a command works on: a file, or the one compiled into this program.

use std::path::{Path, PathBuf};

use gollm_engine::{Engine, LoadOptions, TransformerModel, load_file_with, load_transformer, open};
use gollm_tensor::HostBytes;
use gollm_tokenizer::Tokenizer;
use gollm_weights::{ModelFile, OpenOptions};

use crate::args::{ContextArgs, switch};
use crate::cli_error::CliError;
use crate::device::ChosenDevice;
use crate::model_path::model_path;
use crate::numbers::grouped;
use crate::output::Notes;

/// Puts the embedded file's first byte on a 64-byte boundary, as a mapped file's is, so that its
/// tensors are used in place.
#[repr(C, align(64))]
struct Aligned<Bytes: ?Sized>(Bytes);

static EMBEDDED: &Aligned<[u8]> = &Aligned(*include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../test_data/gollm-stories.gollm"
)));

const EMBEDDED_NAME: &str = "gollm-stories (embedded)";

/// Which model to use.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Model")]
pub(crate) struct ModelArgs {
    /// Model file (.gollm or GGUF), or owner/name of a model that was pulled [default: the small story
    /// model inside this program]
    #[arg(short, long, value_name = "PATH", env = "GOLLM_MODEL")]
    pub(crate) model: Option<PathBuf>,

    /// Read the file into memory instead of mapping it
    ///
    /// Slower to start, but safe where the file may be shortened while it is in use, such as on a
    /// network file system.
    #[arg(long, env = "GOLLM_NO_MMAP", value_parser = switch)]
    no_mmap: bool,

    /// Check every tensor's checksum before using the file; only .gollm files have them
    #[arg(long, env = "GOLLM_VERIFY", value_parser = switch)]
    verify: bool,
}

/// A model whose header, metadata and descriptors have been checked.
#[derive(Debug)]
pub(crate) struct OpenModel {
    /// The path as it was given, or the embedded model's name.
    pub(crate) name: String,
    pub(crate) file: ModelFile,
}

impl ModelArgs {
    /// Opens the file, or the embedded model.
    pub(crate) fn open(&self) -> Result<OpenModel, CliError> {
        self.open_instead(None)
    }

    /// As [`Self::open`]; a file named in another way comes before `--model`.
    pub(crate) fn open_instead(&self, file: Option<&Path>) -> Result<OpenModel, CliError> {
        let Some(path) = file.or(self.model.as_deref()) else {
            return self.open_embedded();
        };
        let options = OpenOptions {
            map: !self.no_mmap,
            verify: self.verify,
        };
        let file = open(model_path(path)?, &options)?;
        Ok(OpenModel {
            name: path.display().to_string(),
            file,
        })
    }

    fn open_embedded(&self) -> Result<OpenModel, CliError> {
        let failed = |error| CliError::from(error).context(EMBEDDED_NAME);
        let file = ModelFile::from_bytes(HostBytes::new(&EMBEDDED.0)).map_err(failed)?;
        if self.verify {
            file.verify().map_err(failed)?;
        }
        Ok(OpenModel {
            name: EMBEDDED_NAME.to_owned(),
            file,
        })
    }
}

impl OpenModel {
    /// The tokenizer that travels in the file, if there is one.
    pub(crate) fn tokenizer(&self) -> Result<Option<Tokenizer>, CliError> {
        let Some(json) = self.file.tokenizer_json() else {
            return Ok(None);
        };
        let tokenizer = Tokenizer::from_json(json).map_err(|error| self.failure(error))?;
        Ok(Some(tokenizer))
    }

    /// As [`Self::tokenizer`], for commands that cannot do without.
    pub(crate) fn needed_tokenizer(&self, advice: &str) -> Result<Tokenizer, CliError> {
        self.tokenizer()?.ok_or_else(|| self.no_tokenizer(advice))
    }

    /// What to say when a tokenizer is needed and there is none.
    pub(crate) fn no_tokenizer(&self, advice: &str) -> CliError {
        self.failure(CliError::bad_file(format!(
            "the file holds no tokenizer; {advice}"
        )))
    }

    /// An error of this model: its message starts with the model's name.
    pub(crate) fn failure(&self, error: impl Into<CliError>) -> CliError {
        error.into().context(&self.name)
    }

    /// The weights, ready to compute one sequence at a time.
    pub(crate) fn transformer(
        &self,
        device: &ChosenDevice,
        context: &ContextArgs,
        notes: Notes,
    ) -> Result<TransformerModel, CliError> {
        let options = self.load_options(device, context, notes)?;
        load_transformer(&self.file, &device.device, &options).map_err(|error| self.failure(error))
    }

    fn load_options(
        &self,
        device: &ChosenDevice,
        context: &ContextArgs,
        notes: Notes,
    ) -> Result<LoadOptions, CliError> {
        let config = self.file.config();
        let context_length = context.choose(config, &device.device, device.is_cpu(), notes)?;
        Ok(LoadOptions {
            n_sequences: 1,
            context_length: Some(context_length),
        })
    }

    /// Whether a tokenizer travels in the file.
    pub(crate) fn has_tokenizer(&self) -> bool {
        self.file.metadata().tokenizer.is_some()
    }

    /// Weights and tokenizer together.
    pub(crate) fn engine(
        &self,
        device: &ChosenDevice,
        context: &ContextArgs,
        notes: Notes,
    ) -> Result<Engine, CliError> {
        let options = self.load_options(device, context, notes)?;
        load_file_with(&self.file, &device.device, &options).map_err(|error| self.failure(error))
    }

    /// The model in a few words: name, parameters, storage type.
    pub(crate) fn description(&self) -> String {
        let tensors = self.file.descriptors().iter();
        let n_parameters: u128 = tensors.map(|tensor| tensor.n_elements() as u128).sum();
        let dtype = self.file.config().dtype;
        let differences = differences(&self.file);
        format!(
            "{}, {} parameters, {dtype}{}",
            self.name,
            grouped(n_parameters),
            differences.map_or_else(String::new, |differences| format!(" ({differences})"))
        )
    }
}

/// In what the model is used in another way than its file says, if in anything.
pub(crate) fn differences(file: &ModelFile) -> Option<String> {
    let parts: Vec<String> = [converted_types(file), windowed_context(file)]
        .into_iter()
        .flatten()
        .collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Which matrices are not used in the type in which the file holds them, if any are not.
fn converted_types(file: &ModelFile) -> Option<String> {
    let matrices = file.descriptors().iter().filter(|t| t.shape.len() > 1);
    let mut types: Vec<&str> = matrices
        .filter_map(|tensor| file.converted_from(&tensor.name))
        .collect();
    types.sort_unstable();
    types.dedup();
    (!types.is_empty()).then(|| format!("{} is used as q8_0", types.join(", ")))
}

/// What is said where attention sees only a window of the context that the file claims.
pub(crate) fn windowed_context(file: &ModelFile) -> Option<String> {
    let full = file.context_beyond_window()?;
    let window = file.config().context_length;
    Some(format!(
        "the context is {} of {} tokens, as long as the window of its attention",
        grouped(window as u128),
        grouped(full as u128)
    ))
}
