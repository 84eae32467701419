//! Brings a file's bytes into memory: mapped, or read.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use gollm_tensor::HostBytes;

use crate::error::{Error, Result};
use crate::header::{ALIGNMENT, HEADER_BYTES, Header};
use crate::kind::Kind;

/// Opens a regular file and says how long it is, in bytes.
pub(crate) fn open(path: &Path) -> Result<(File, u64)> {
    // Asked before opening: opening a pipe would wait for its other end.
    let kind = fs::metadata(path).map_err(|error| Error::Io {
        action: "find the file",
        error,
    })?;
    if kind.is_dir() {
        return Err(Error::NotAFile("a directory"));
    }
    if !kind.is_file() {
        return Err(Error::NotAFile("a pipe, a socket or a device"));
    }
    let file = File::open(path).map_err(|error| Error::Io {
        action: "open the file",
        error,
    })?;
    let length = file
        .metadata()
        .map_err(|error| Error::Io {
            action: "find the file",
            error,
        })?
        .len();
    Ok((file, length))
}

/// Maps the file: its bytes are read when they are used, and shared with every process that maps
/// it. See [`OpenOptions::map`](crate::OpenOptions::map) for what a file that shrinks does.
#[expect(
    unsafe_code,
    reason = "mapping a file is unsafe in every library that offers it"
)]
pub(crate) fn map(file: &File, length: u64) -> Result<HostBytes> {
    if length == 0 {
        return Err(Error::Empty);
    }
    // SAFETY: the mapping is private to this crate and read-only, and it is handed out only as
    // `HostBytes`, whose bytes are plain `u8`, for which every value is valid. What Rust cannot
    // check is that no other process changes the file meanwhile. Our own writer never does: it
    // renames a new file over the old one, whose pages live on as long as they are mapped. A
    // program that changes the file in place can make numbers wrong, and one that shortens it can
    // end this process with SIGBUS; the caller chooses with `OpenOptions::map`, where this is said.
    let mapping = unsafe { memmap2::Mmap::map(file) };
    let mapping = mapping.map_err(|error| Error::Io {
        action: "map the file",
        error,
    })?;
    let mapping = Arc::new(mapping);
    let same = Arc::clone(&mapping);
    let bytes = Shared(mapping);
    Ok(HostBytes::with_release(bytes, move |range| {
        release(&same, range)
    }))
}

/// A mapping that shows its bytes and can be advised about them.
struct Shared(Arc<memmap2::Mmap>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Lets go of the memory behind a part of a mapping; what is read again comes from the file again.
#[cfg_attr(
    unix,
    expect(unsafe_code, reason = "memmap2 cannot know what kind of mapping it is")
)]
fn release(mapping: &memmap2::Mmap, range: Range<usize>) {
    #[cfg(unix)]
    // SAFETY: the advice empties pages of anonymous memory, but this mapping is of a file and is never
    // written, so its pages come back as they were. It is advice: if it fails nothing is lost.
    let _ = unsafe {
        let advice = memmap2::UncheckedAdvice::DontNeed;
        mapping.unchecked_advise_range(advice, range.start, range.len())
    };
    #[cfg(not(unix))]
    let _ = (mapping, range);
}

/// The bytes of the file at `path`, mapped or read.
pub(crate) fn bytes(path: &Path, is_mapped: bool) -> Result<HostBytes> {
    let (mut file, length) = open(path)?;
    match is_mapped {
        true => map(&file, length),
        false => read(&mut file, length),
    }
}

/// Reads the whole file into memory, its first byte on a 64-byte boundary.
pub(crate) fn read(file: &mut File, length: u64) -> Result<HostBytes> {
    let out_of_memory = || Error::OutOfMemory { n_bytes: length };
    let n_bytes = usize::try_from(length).map_err(|_| out_of_memory())?;
    let room = n_bytes.checked_add(ALIGNMENT).ok_or_else(out_of_memory)?;
    let mut buffer: Vec<u8> = Vec::new();
    buffer
        .try_reserve_exact(room)
        .map_err(|_| out_of_memory())?;
    let start = buffer.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT);
    buffer.resize(start, 0);
    // The room is there, so the vector does not move and stays aligned.
    let found = file
        .take(length)
        .read_to_end(&mut buffer)
        .map_err(|error| Error::Io {
            action: "read the file",
            error,
        })?;
    let range = start..start + found;
    HostBytes::from(buffer).slice(range).ok_or(Error::Empty)
}

/// Looks at the first bytes alone, so that a large file of no known kind is refused at once.
pub(crate) fn refuse_early(file: &mut File, length: u64) -> Result<()> {
    let start = first_bytes(file)?;
    // The lists of other kinds have no bounds that their first bytes could tell.
    if Kind::of(&start, length) == Kind::Gollm {
        Header::parse(&start, length)?;
    }
    Ok(())
}

/// The first bytes of the file at `path`.
pub(crate) fn start(path: &Path) -> Result<Vec<u8>> {
    let (mut file, _) = open(path)?;
    first_bytes(&mut file)
}

fn first_bytes(file: &mut File) -> Result<Vec<u8>> {
    let failed = |error| Error::Io {
        action: "read the file",
        error,
    };
    let mut start = Vec::with_capacity(HEADER_BYTES);
    file.by_ref()
        .take(HEADER_BYTES as u64)
        .read_to_end(&mut start)
        .map_err(failed)?;
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    Ok(start)
}
