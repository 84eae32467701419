//! A model file, opened and checked: its config, its tokenizer, its tensors' bytes.
//!
//! A `.gollm` file, or a GGUF file seen as one (`docs/formats.md`).

use std::path::Path;

use gollm_model::Config;
use gollm_tensor::HostBytes;
use serde_json::{Map, Value};

use crate::descriptor::TensorDescriptor;
use crate::error::{Error, Result};
use crate::foreign::Foreign;
use crate::gguf;
use crate::head::Head;
use crate::header::Version;
use crate::host_file;
use crate::metadata::Metadata;
use crate::verify::{Report, check_data, verify_data, verify_foreign};

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenOptions {
    /// Whether the file is mapped (`true`, the default) or read into memory.
    ///
    /// A mapped file starts at once, takes no memory of its own, and is shared between processes.
    /// Its price: while it is mapped nobody may shorten or rewrite it in place (renaming a new file
    /// over it is safe, and is what [`Writer`](crate::Writer) does). Reading past the new end of a
    /// shortened file ends the process with the signal SIGBUS, which no Rust code can turn into an
    /// error. Give `false` where that may happen: on a network file system, or for a server whose
    /// files others can write.
    pub map: bool,
    /// Whether every tensor's checksum and all padding are checked at once. This reads the whole
    /// file. `false` by default: the header, metadata and descriptors are always checked.
    pub verify: bool,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            map: true,
            verify: false,
        }
    }
}

/// A model file whose header, metadata and descriptors have been checked.
///
/// A GGUF file becomes one as well: its tensors have our names, and what lies in another order or in a
/// type without arithmetic here is converted whenever [`ModelFile::bytes`] is called.
///
/// # Examples
///
/// ```no_run
/// use gollm_weights::{ModelFile, OpenOptions};
///
/// let file = ModelFile::open("story.gollm", &OpenOptions::default())?;
/// println!("{} layers", file.config().n_layers);
/// let embedding = file.bytes("tok_emb.weight")?; // not copied, not yet read from the disk
/// # Ok::<(), gollm_weights::Error>(())
/// ```
#[derive(Debug)]
pub struct ModelFile {
    bytes: HostBytes,
    head: Head,
    /// How the tensors are stored, where that is not as the head says.
    foreign: Option<Foreign>,
}

impl ModelFile {
    /// Opens the file at `path`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or anything in its header, metadata or descriptors is wrong, or
    /// does not fit together; with [`OpenOptions::verify`] also if data or padding are damaged. Each
    /// mistake has its own message, and each message names the file.
    pub fn open(path: impl AsRef<Path>, options: &OpenOptions) -> Result<Self> {
        let path = path.as_ref();
        Self::open_without_path(path, options).map_err(|error| error.in_file(path))
    }

    fn open_without_path(path: &Path, options: &OpenOptions) -> Result<Self> {
        let (mut file, length) = host_file::open(path)?;
        let bytes = if options.map {
            host_file::map(&file, length)?
        } else {
            host_file::read(&mut file, length)?
        };
        let file = Self::from_bytes(bytes)?;
        if options.verify {
            file.verify()?;
        }
        Ok(file)
    }

    /// Uses bytes that are in memory already, such as a model that is compiled into the program
    /// (`HostBytes::new(BYTES)` of a `&'static [u8]`).
    ///
    /// Offsets inside the file are multiples of 64; whether the addresses are is up to the caller.
    ///
    /// # Errors
    ///
    /// As [`ModelFile::open`], for everything but reading the file.
    pub fn from_bytes(bytes: HostBytes) -> Result<Self> {
        let slice = bytes.as_slice();
        if slice.starts_with(&gguf::MAGIC) {
            let (head, foreign) = gguf::import(&bytes)?;
            return Ok(Self::of_parts(bytes, head, Some(foreign)));
        }
        let head = Head::parse(slice, slice.len() as u64)?;
        Ok(Self::of_parts(bytes, head, None))
    }

    fn of_parts(bytes: HostBytes, head: Head, foreign: Option<Foreign>) -> Self {
        Self {
            bytes,
            head,
            foreign,
        }
    }

    /// Checks every tensor's checksum and all padding, and counts values that are not finite. A GGUF
    /// file has no checksums: there only the values are looked at.
    ///
    /// # Errors
    ///
    /// The first damage, in file order.
    pub fn verify(&self) -> Result<Report> {
        match &self.foreign {
            None => verify_data(self.bytes.as_slice(), &self.head),
            Some(_) => verify_foreign(self),
        }
    }

    /// The format version that the file was written in; of a GGUF file, the one that a `.gollm` file
    /// made of it would have.
    #[must_use]
    pub fn version(&self) -> Version {
        self.head.version
    }

    /// The kind of file and its version: `.gollm format 1.0`, `GGUF version 3`.
    #[must_use]
    pub fn format(&self) -> String {
        match &self.foreign {
            None => format!(".gollm format {}", self.head.version),
            Some(foreign) => foreign.format.clone(),
        }
    }

    /// Whether it is a `.gollm` file, whose every byte is under a checksum.
    #[must_use]
    pub fn is_gollm(&self) -> bool {
        self.foreign.is_none()
    }

    /// The name of the type in which the file holds the tensor called `name`, where that is not the
    /// type of its descriptor, in which it is used.
    #[must_use]
    pub fn converted_from(&self, name: &str) -> Option<&'static str> {
        let index = self.head.index(name)?;
        let stored = self.foreign.as_ref()?.stored_type(index)?;
        (stored != self.head.tensors[index].dtype.name()).then_some(stored)
    }

    /// The length of the file, in bytes.
    #[must_use]
    pub fn file_bytes(&self) -> usize {
        self.head.file_bytes
    }

    /// The BLAKE3 hash of the whole file, which says which file it is. Reads all of it.
    #[must_use]
    pub fn blake3(&self) -> [u8; 32] {
        *blake3::hash(self.bytes.as_slice()).as_bytes()
    }

    /// The bytes of a tensor of this file, after their checksum has been compared.
    pub(crate) fn checked_data(&self, tensor: &TensorDescriptor) -> Result<HostBytes> {
        let bytes = self.bytes(&tensor.name)?;
        if self.is_gollm() {
            check_data(bytes.as_slice(), tensor)?;
        }
        Ok(bytes)
    }

    /// Everything in the file but its tensors.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.head.metadata
    }

    /// The shape of the model; the tensors are exactly those that it asks for.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.head.metadata.config
    }

    /// The tokenizer as its own crate wrote it, if the file has one.
    #[must_use]
    pub fn tokenizer_json(&self) -> Option<&Value> {
        self.head.metadata.tokenizer.as_ref()
    }

    /// The template that turns a conversation into one text, if the file has one.
    #[must_use]
    pub fn chat_template(&self) -> Option<&str> {
        self.head.metadata.chat_template.as_deref()
    }

    /// How the weights came to be.
    #[must_use]
    pub fn provenance(&self) -> &Map<String, Value> {
        &self.head.metadata.provenance
    }

    /// Every tensor, in file order.
    #[must_use]
    pub fn descriptors(&self) -> &[TensorDescriptor] {
        &self.head.tensors
    }

    /// The tensor called `name`.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn descriptor(&self, name: &str) -> Result<&TensorDescriptor> {
        self.head
            .tensor(name)
            .ok_or_else(|| Error::NoSuchTensor(name.to_owned()))
    }

    /// The bytes of the tensor called `name` in its descriptor's type: where they lie, without copying,
    /// or made from what a file of another kind holds.
    ///
    /// # Errors
    ///
    /// If there is no such tensor, or it cannot be converted.
    pub fn bytes(&self, name: &str) -> Result<HostBytes> {
        let missing = || Error::NoSuchTensor(name.to_owned());
        let index = self.head.index(name).ok_or_else(missing)?;
        let tensor = &self.head.tensors[index];
        if let Some(foreign) = &self.foreign {
            return foreign.bytes(index, tensor);
        }
        let range = tensor.offset..tensor.offset + tensor.n_bytes;
        self.bytes.slice(range).ok_or_else(missing)
    }
}
