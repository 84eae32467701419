//! What can go wrong in a model: a config that makes no sense, a tensor of the wrong shape, a number
//! that is not one.

use std::ops::Range;
use std::path::PathBuf;

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A model, or a part of one, that could not be described, built or run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An operation on tensors failed; the message is the operation's own.
    #[error(transparent)]
    Tensor(#[from] gollm_tensor::Error),
    /// A config file that could not be read.
    #[error("config file `{}` could not be read: {source}", path.display())]
    ConfigFile {
        /// The file that was asked for.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A config that is not well-formed YAML or JSON.
    #[error("config: not well-formed {format}: {message}")]
    ConfigSyntax {
        /// `YAML` or `JSON`.
        format: &'static str,
        /// What the parser said, with the place where it stopped.
        message: String,
    },
    /// A key that no config has, usually a slip of the pen.
    #[error("config: unknown key `{key}`{}", did_you_mean(nearest.as_deref()))]
    ConfigUnknownKey {
        /// The key that was found, with its section: `rope_scaling.facter`.
        key: String,
        /// The known key that is written most like it, if one is near.
        nearest: Option<String>,
    },
    /// A key that every config must have.
    #[error("config: `{key}` is missing, expected {expected}; add it to the file")]
    ConfigMissingKey {
        /// The key, with its section.
        key: String,
        /// What its value should be.
        expected: String,
    },
    /// A value that is of the wrong kind, out of its range, or at odds with another one.
    #[error("config: `{key}` is {found}, expected {expected}; {hint}")]
    ConfigValue {
        /// The key, with its section.
        key: String,
        /// The value that was found.
        found: String,
        /// What it should be.
        expected: String,
        /// What to do about it, and why it matters.
        hint: String,
    },
    /// A number that is NaN or infinite where arithmetic needs a finite one.
    #[error("{operation}: `{name}` at {index} is {found}, expected a finite number; {hint}")]
    NotFinite {
        /// The function that met the number.
        operation: &'static str,
        /// The argument it was in.
        name: &'static str,
        /// Its place in that argument, such as `[3, 17]`.
        index: String,
        /// The number.
        found: f32,
        /// Where such numbers usually come from.
        hint: &'static str,
    },
    /// A weight that the model needs and the source does not have.
    #[error("weight `{name}` is missing from the model's weights")]
    MissingWeight {
        /// The weight's name.
        name: String,
    },
    /// A weight whose shape is not what the config says.
    #[error("weight `{name}` has shape {found:?}, the config says {expected:?}")]
    WeightShape {
        /// The weight's name.
        name: String,
        /// The shape that was found.
        found: Vec<usize>,
        /// The shape that follows from the config.
        expected: Vec<usize>,
    },
    /// A slice of a weight that it does not have.
    #[error(
        "{operation}: {range:?} of a weight of shape {shape:?}, expected a matrix and a range within 0..{limit}"
    )]
    WeightSlice {
        /// The method that was called.
        operation: &'static str,
        /// The rows or columns that were asked for.
        range: Range<usize>,
        /// How many rows or columns there are.
        limit: usize,
        /// The shape of the weight.
        shape: Vec<usize>,
    },
    /// A weight that could not be read from where it is kept.
    #[error("weight `{name}` could not be read: {source}")]
    WeightSource {
        /// The weight's name.
        name: String,
        /// What the source said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A shard that does not lie inside its model.
    #[error(
        "shard of a model: `{name}` is {range:?}, expected a range that is not empty, within 0..{limit}"
    )]
    Shard {
        /// Which range.
        name: &'static str,
        /// What it is.
        range: Range<usize>,
        /// How far it may reach.
        limit: usize,
    },
    /// Something that another shard of the model holds.
    #[error("this shard of the model does not hold {what}")]
    NotInThisShard {
        /// What was needed from it.
        what: &'static str,
    },
    /// No room in the cache for more tokens.
    #[error(
        "sequence {sequence} holds {cached} of {context_length} tokens and has no room for {n_tokens} more"
    )]
    ContextFull {
        /// The slot of the cache.
        sequence: usize,
        /// Tokens that are in it.
        cached: usize,
        /// Tokens that were to be added.
        n_tokens: usize,
        /// Tokens it can hold.
        context_length: usize,
    },
    /// A slot that the cache does not have.
    #[error("sequence {sequence} does not exist, the cache has {n_sequences}")]
    NoSuchSequence {
        /// The slot that was named.
        sequence: usize,
        /// How many there are.
        n_sequences: usize,
    },
    /// A sequence cannot be cut to more tokens than it has.
    #[error("sequence {sequence} holds {cached} tokens and cannot be cut to {length}")]
    TruncateBeyond {
        /// The slot of the cache.
        sequence: usize,
        /// The length that was asked for.
        length: usize,
        /// Tokens that are in it.
        cached: usize,
    },
    /// A batch entry without tokens, or two entries for one sequence.
    #[error(
        "batch: sequence {sequence} has no new tokens, or appears twice; give each sequence one entry with at least one token"
    )]
    BatchEntry {
        /// The slot that was named.
        sequence: usize,
    },
}

fn did_you_mean(nearest: Option<&str>) -> String {
    match nearest {
        Some(key) => format!("; did you mean `{key}`?"),
        None => "; remove it (docs of `gollm_model::Config` list every key)".to_owned(),
    }
}
