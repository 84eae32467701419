//! From a path or bytes to a model file: which kind it is, and that kind's reader.

use std::path::Path;

use gollm_tensor::HostBytes;

use super::{ModelFile, TokenizerBeside};
use crate::error::Result;
use crate::foreign::Foreign;
use crate::gguf::Parts;
use crate::head::Head;
use crate::hf::folder::Folder;
use crate::hf::{self, Imported, TokenRoles};
use crate::host_file;
use crate::kind::Kind;
use crate::{distributed_llama, gguf, llama2c};

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

impl ModelFile {
    /// Opens the file at `path`, or the Hugging Face folder. The path of one of the files of a GGUF model
    /// in several (`NAME-00001-of-00003.gguf`) stands for all of them.
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
        let file = if path.is_dir() {
            Self::of_folder(hf::open(path, None, options)?)
        } else if let Some((folder, only)) = hf::weights_in(path)? {
            Self::of_folder(hf::open(folder, only, options)?)
        } else {
            Self::open_single(path, options)?
        };
        if options.verify {
            file.verify()?;
        }
        Ok(file)
    }

    fn open_single(path: &Path, options: &OpenOptions) -> Result<Self> {
        let (mut file, length) = host_file::open(path)?;
        let bytes = if options.map {
            host_file::map(&file, length)?
        } else {
            host_file::refuse_early(&mut file, length)?;
            host_file::read(&mut file, length)?
        };
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let folder = Folder::new(parent.unwrap_or(Path::new(".")))?;
        let name = path.file_name().unwrap_or_default();
        let file = match Parts::open(&folder, name, &bytes, options.map)? {
            Some(parts) => Self::of_parts(parts)?,
            None => Self::from_bytes(bytes)?,
        };
        Ok(Self {
            folder: Some(folder),
            name: Some(name.to_owned()),
            ..file
        })
    }

    fn of_parts(parts: Parts) -> Result<Self> {
        let (head, foreign) = gguf::import_parts(&parts)?;
        Ok(Self {
            files: parts.files,
            head,
            foreign: Some(foreign),
            folder: None,
            name: None,
            tokenizer_beside: TokenizerBeside::None,
            roles: TokenRoles::default(),
        })
    }

    /// Uses bytes that are in memory already, such as a model that is compiled into the program
    /// (`HostBytes::new(BYTES)` of a `&'static [u8]`).
    ///
    /// Offsets inside the file are multiples of 64; whether the addresses are is up to the caller.
    ///
    /// # Errors
    ///
    /// As [`ModelFile::open`], for everything but reading the file; and if they are one of several files
    /// of a model.
    pub fn from_bytes(bytes: HostBytes) -> Result<Self> {
        let slice = bytes.as_slice();
        let length = slice.len() as u64;
        let kind = Kind::of(slice, length);
        let (head, foreign) = match kind {
            Kind::Gollm => (Head::parse(slice, length)?, None),
            Kind::Gguf => with_foreign(gguf::import(&bytes)?),
            Kind::Llama2c => with_foreign(llama2c::import(&bytes)?),
            Kind::DistributedLlama => with_foreign(distributed_llama::import(&bytes)?),
        };
        Ok(Self {
            files: vec![bytes],
            head,
            foreign,
            folder: None,
            name: None,
            tokenizer_beside: match kind {
                Kind::DistributedLlama => TokenizerBeside::DistributedLlama,
                Kind::Llama2c => TokenizerBeside::Llama2c,
                Kind::Gollm | Kind::Gguf => TokenizerBeside::None,
            },
            roles: TokenRoles::default(),
        })
    }

    fn of_folder(imported: Imported) -> Self {
        Self {
            files: imported.files,
            head: imported.head,
            foreign: Some(imported.foreign),
            folder: Some(imported.folder),
            name: None,
            tokenizer_beside: TokenizerBeside::HuggingFace,
            roles: imported.roles,
        }
    }
}

fn with_foreign((head, foreign): (Head, Foreign)) -> (Head, Option<Foreign>) {
    (head, Some(foreign))
}
