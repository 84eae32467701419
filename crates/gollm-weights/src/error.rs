//! What can go wrong with a model file: every message says what, where, expected, found, and what
//! to do where there is something to do.

mod about;

use std::io;
use std::path::PathBuf;

use crate::agreement::Disagreement;
use crate::descriptor::{DescriptorError, SMALLEST_DESCRIPTOR};
use crate::foreign_error::ForeignError;
use crate::gguf::GgufError;
use crate::header::{MAX_METADATA_BYTES, VERSION, Version};
use crate::metadata::MetadataError;
use crate::writer::WriteError;

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A model file that could not be read, trusted or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another error, with the file it is about.
    #[error("{}: {error}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: Box<Error>,
    },
    /// The operating system refused something.
    #[error("cannot {action}: {error}")]
    Io {
        /// What was tried, such as `open the file`.
        action: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// A file that does not fit in memory.
    #[error("there is no memory for its {n_bytes} bytes; map the file instead of reading it")]
    OutOfMemory {
        /// The length of the file.
        n_bytes: u64,
    },
    /// A path that leads to a directory, a pipe or a device.
    #[error("is {0}, expected a regular file")]
    NotAFile(&'static str),
    /// A file of no bytes.
    #[error("the file is empty; expected a .gollm model file")]
    Empty,
    /// A file that does not start with the magic bytes.
    #[error("not a .gollm model file: it looks like {what}; {advice}")]
    NotAModel {
        /// What the first bytes look like.
        what: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// A file of another major version.
    #[error(
        "the file has format version {found}, this build reads versions 1 to {}; {}",
        VERSION.major,
        if found.major > VERSION.major { "update gollm" } else { "the file is damaged" }
    )]
    Version {
        /// The file's version.
        found: Version,
    },
    /// A version that does not go with the config.
    #[error(
        "the file has format version {found}, but a model of its config is written as version \
         {expected}: the file was not written by this program, or is damaged"
    )]
    WrongVersion {
        /// The file's version.
        found: Version,
        /// The version that follows from the config.
        expected: Version,
    },
    /// Metadata longer than any reader needs.
    #[error("the header claims {found} bytes of metadata, at most {MAX_METADATA_BYTES} are read")]
    MetadataTooLong {
        /// The length that the header gives.
        found: u64,
    },
    /// A number of tensors that the descriptors cannot hold.
    #[error(
        "the header claims {n_tensors} tensors described in {descriptors_bytes} bytes; a \
         descriptor takes {SMALLEST_DESCRIPTOR} bytes or more, and there must be at least one"
    )]
    TensorCount {
        /// The number of tensors that the header gives.
        n_tensors: u64,
        /// The length of the descriptors that the header gives.
        descriptors_bytes: u64,
    },
    /// Parts that are together longer than the whole.
    #[error(
        "the header contradicts itself: 64 bytes of header, {metadata_bytes} of metadata and \
         {descriptors_bytes} of descriptors in a file of {file_bytes}"
    )]
    HeaderContradiction {
        /// The length of the metadata that the header gives.
        metadata_bytes: u64,
        /// The length of the descriptors that the header gives.
        descriptors_bytes: u64,
        /// The length of the file that the header gives.
        file_bytes: u64,
    },
    /// A file that this machine's addresses cannot span.
    #[error("a file of {file_bytes} bytes is more than this machine can address")]
    TooLargeForMachine {
        /// The length of the file that the header gives.
        file_bytes: u64,
    },
    /// A file that ends too early.
    #[error(
        "the file is cut short: it needs {needed} bytes and has {found}; the cut is in {cut}; \
         copy or download it again"
    )]
    Truncated {
        /// The length that is needed, in bytes.
        needed: u64,
        /// The length that was found, in bytes.
        found: u64,
        /// The part that is cut, such as ``tensor `tok_emb.weight` ``.
        cut: String,
    },
    /// A file that goes on after its end.
    #[error("the file has {found} bytes, {} more than its header says", found - expected)]
    TrailingBytes {
        /// The length that the header gives.
        expected: u64,
        /// The length that was found.
        found: u64,
    },
    /// A header, metadata or descriptors that were changed after they were written.
    #[error(
        "the header, metadata or descriptors are damaged: their checksum is {found}, expected \
         {expected}; copy or download the file again"
    )]
    HeadChecksum {
        /// The checksum that the header holds, in hexadecimal.
        expected: String,
        /// The checksum of what is there, in hexadecimal.
        found: String,
    },
    /// A descriptor that cannot be used.
    #[error("tensor {} of {n_tensors}{}: {problem}", index + 1, shown(name.as_deref()))]
    Descriptor {
        /// Which tensor, from 0 in file order.
        index: usize,
        /// How many there are.
        n_tensors: usize,
        /// Its name, where that much could be read.
        name: Option<String>,
        /// What is wrong.
        problem: Box<DescriptorError>,
    },
    /// Descriptors that end before their space does.
    #[error("{n_bytes} bytes follow the last of the {n_tensors} descriptors, expected none")]
    DescriptorsTooLong {
        /// The number of bytes left.
        n_bytes: usize,
        /// How many descriptors were read.
        n_tensors: usize,
    },
    /// Data after the last tensor.
    #[error(
        "the last tensor ends at byte {end}, but the header says that the file has {file_bytes}"
    )]
    Unclaimed {
        /// Where the last tensor ends.
        end: usize,
        /// The length of the file that the header gives.
        file_bytes: usize,
    },
    /// Metadata that cannot be used.
    #[error("metadata: {0}")]
    Metadata(MetadataError),
    /// Tensors that are not those of the config.
    #[error("the tensors do not fit the config: {0}")]
    Disagreement(Disagreement),
    /// A tensor whose data was changed after it was written.
    #[error(
        "tensor `{name}` is damaged ({n_bytes} bytes from byte {offset}): its checksum is {found}, \
         expected {expected}; copy or download the file again"
    )]
    TensorChecksum {
        /// The tensor's name.
        name: String,
        /// Where its data starts.
        offset: usize,
        /// How long its data is.
        n_bytes: usize,
        /// The checksum in its descriptor, in hexadecimal.
        expected: String,
        /// The checksum of the data, in hexadecimal.
        found: String,
    },
    /// Padding that is not zero.
    #[error("byte {offset} is padding and should be 0, found {found}: the file is damaged")]
    Padding {
        /// Where the byte is.
        offset: usize,
        /// Its value.
        found: u8,
    },
    /// A name that no tensor of the file has.
    #[error("there is no tensor `{0}` in the file")]
    NoSuchTensor(String),
    /// A weight that could not be cut or put in another order.
    #[error("{0}")]
    Model(gollm_model::Error),
    /// A GGUF file that cannot be used.
    #[error("{0}")]
    Gguf(GgufError),
    /// A Hugging Face folder, or a file of another project, that cannot be used.
    #[error("{0}")]
    Foreign(ForeignError),
    /// A file that is not written because no reader would accept it, or that could not be written.
    #[error("{0}")]
    Write(WriteError),
}

/// A tensor's name in a message, where it is known; a file's text is never sent to a terminal raw.
fn shown(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!(" (`{}`)", name.escape_debug()))
}

/// Bytes in hexadecimal, for messages.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
