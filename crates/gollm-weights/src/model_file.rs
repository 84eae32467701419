//! A model file, opened and checked: its config, its tokenizer, its tensors' bytes.
//!
//! A `.gollm` file, or a file or folder of another project seen as one (`docs/formats.md`).

mod beside;
pub(crate) mod dot_t;
mod opening;

use std::ffi::OsString;

use gollm_model::Config;
use gollm_tensor::HostBytes;
use serde_json::{Map, Value};

use crate::descriptor::TensorDescriptor;
use crate::error::{Error, Result};
use crate::foreign::Foreign;
use crate::head::Head;
use crate::header::Version;
use crate::hf::TokenRoles;
use crate::hf::folder::Folder;
use crate::metadata::Metadata;
use crate::verify::{Report, check_data, verify_data, verify_foreign};
pub use beside::TokenizerBeside;
pub use opening::OpenOptions;

/// A model file whose header, metadata and descriptors have been checked.
///
/// Files of other projects become one as well: their tensors have our names, and what lies in another
/// order or in a type without arithmetic here is converted whenever [`ModelFile::bytes`] is called.
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
    /// The file; or the several files of a folder, or of a GGUF model.
    files: Vec<HostBytes>,
    head: Head,
    /// How the tensors are stored, where that is not as the head says.
    foreign: Option<Foreign>,
    /// Where the files lie that belong to it.
    folder: Option<Folder>,
    /// What it is called there, if it is one file.
    name: Option<OsString>,
    tokenizer_beside: TokenizerBeside,
    roles: TokenRoles,
}

impl ModelFile {
    /// Checks every tensor's checksum and all padding, and counts values that are not finite. Files of
    /// other projects have no checksums: there only the values are looked at.
    ///
    /// # Errors
    ///
    /// The first damage, in file order.
    pub fn verify(&self) -> Result<Report> {
        match &self.foreign {
            None => verify_data(self.whole().as_slice(), &self.head),
            Some(_) => verify_foreign(self),
        }
    }

    /// The format version that the file was written in; of a file of another project, the one that a
    /// `.gollm` file made of it would have.
    #[must_use]
    pub fn version(&self) -> Version {
        self.head.version
    }

    /// The kind of file and its version: `.gollm format 1.0`, `GGUF version 3`; and of several, how many.
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

    /// The context that a file of another project claims, where attention sees only a window of it. That
    /// of [`Self::config`] is then the window, up to which nothing is different.
    #[must_use]
    pub fn context_beyond_window(&self) -> Option<usize> {
        let full = self.foreign.as_ref()?.full_context?;
        (full > self.config().context_length).then_some(full)
    }

    /// The length of the file, in bytes; of a model in several files, that of all files with weights.
    #[must_use]
    pub fn file_bytes(&self) -> usize {
        self.head.file_bytes
    }

    /// The BLAKE3 hash of the whole file, which says which file it is; of a model in several files, that of
    /// its files with weights one behind the other, in the order of their names. Reads all of it.
    #[must_use]
    pub fn blake3(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        for file in &self.files {
            hasher.update(file.as_slice());
        }
        *hasher.finalize().as_bytes()
    }

    /// The bytes of a model that is one file.
    fn whole(&self) -> HostBytes {
        let first = self.files.first().cloned();
        first.unwrap_or_else(|| HostBytes::from(Vec::new()))
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
        self.whole().slice(range).ok_or_else(missing)
    }
}
