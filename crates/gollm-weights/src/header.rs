//! The first 64 bytes of a `.gollm` file: what it is, how long its parts are, and their checksum.
//!
//! Byte by byte in `docs/format.md`, section 2.

use std::fmt;

use gollm_model::Config;

use crate::byte_reader::ByteReader;
use crate::descriptor::{LARGEST_DESCRIPTOR, SMALLEST_DESCRIPTOR};
use crate::error::{Error, Result};
use crate::looks_like;

/// The first eight bytes: 0x89 (lost when a transfer keeps seven bits), `GOLLM`, and a line end of
/// two bytes (damaged when a transfer rewrites line ends). The idea is PNG's:
/// <https://www.w3.org/TR/png-3/#5PNG-file-signature>.
pub const MAGIC: [u8; 8] = *b"\x89GOLLM\r\n";
/// How long the header is, in bytes.
pub const HEADER_BYTES: usize = 64;
/// Every tensor starts at a multiple of this many bytes: a cache line, and enough for any type.
pub const ALIGNMENT: usize = 64;
/// The longest metadata that is read, in bytes. A vocabulary of 200,000 takes about 4 MiB.
pub const MAX_METADATA_BYTES: u64 = 64 << 20;
/// How many bytes of BLAKE3 guard the header, the metadata and the descriptors.
pub(crate) const HEAD_CHECKSUM_BYTES: usize = 16;

/// The version of a file: a newer major version cannot be read, a newer minor version can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Changes when an older reader would misread the file.
    pub major: u32,
    /// Changes when something is added that an older reader may ignore.
    pub minor: u32,
}

/// The newest version that this crate reads and writes; it reads every file of this major version and
/// of those before.
pub const VERSION: Version = Version { major: 2, minor: 0 };

impl Version {
    /// The version that the file of a model has: 1 as long as every key of its config is one that the
    /// first release knew, so that such a file is readable everywhere; 2 otherwise, since the other keys
    /// change the arithmetic.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let major = if config.has_options() { 2 } else { 1 };
        Self { major, minor: 0 }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The header's numbers, after they have been checked against one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) version: Version,
    pub(crate) metadata_bytes: usize,
    pub(crate) descriptors_bytes: usize,
    pub(crate) n_tensors: usize,
    pub(crate) file_bytes: usize,
    pub(crate) checksum: [u8; HEAD_CHECKSUM_BYTES],
}

impl Header {
    /// Reads the header at the start of `bytes`, of a file or memory block of `found` bytes.
    ///
    /// Nothing is allocated here, and afterwards no sum of the header's lengths overflows.
    pub(crate) fn parse(bytes: &[u8], found: u64) -> Result<Self> {
        looks_like::check_magic(bytes)?;
        let fields = RawHeader::read(bytes).ok_or(Error::Truncated {
            needed: HEADER_BYTES as u64,
            found,
            cut: "the header".to_owned(),
        })?;
        fields.check()
    }

    /// Where the metadata and the descriptors end.
    pub(crate) fn head_bytes(&self) -> usize {
        // `check` has proved that the sum fits.
        HEADER_BYTES + self.metadata_bytes + self.descriptors_bytes
    }

    /// The 64 bytes as they stand in the file.
    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&self.version.major.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.version.minor.to_le_bytes());
        bytes[16..24].copy_from_slice(&(self.metadata_bytes as u64).to_le_bytes());
        bytes[24..32].copy_from_slice(&(self.descriptors_bytes as u64).to_le_bytes());
        bytes[32..40].copy_from_slice(&(self.n_tensors as u64).to_le_bytes());
        bytes[40..48].copy_from_slice(&(self.file_bytes as u64).to_le_bytes());
        bytes[48..].copy_from_slice(&self.checksum);
        bytes
    }

    /// The checksum that the header should hold over `head` (header, metadata, descriptors): the
    /// first 16 bytes of BLAKE3, with the checksum's own field read as zeros.
    pub(crate) fn head_checksum(head: &[u8]) -> [u8; HEAD_CHECKSUM_BYTES] {
        let fields = HEADER_BYTES - HEAD_CHECKSUM_BYTES;
        let mut hasher = blake3::Hasher::new();
        hasher.update(head.get(..fields).unwrap_or_default());
        hasher.update(&[0; HEAD_CHECKSUM_BYTES]);
        hasher.update(head.get(HEADER_BYTES..).unwrap_or_default());
        let mut checksum = [0; HEAD_CHECKSUM_BYTES];
        checksum.copy_from_slice(&hasher.finalize().as_bytes()[..HEAD_CHECKSUM_BYTES]);
        checksum
    }
}

/// The smallest multiple of [`ALIGNMENT`] that is at least `offset`, if it fits.
pub(crate) fn align(offset: usize) -> Option<usize> {
    offset.checked_next_multiple_of(ALIGNMENT)
}

/// The header's numbers as they stand in the file, not yet believed.
struct RawHeader {
    version: Version,
    metadata_bytes: u64,
    descriptors_bytes: u64,
    n_tensors: u64,
    file_bytes: u64,
    checksum: [u8; HEAD_CHECKSUM_BYTES],
}

impl RawHeader {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = ByteReader::new(bytes);
        reader.take(MAGIC.len())?;
        Some(Self {
            version: Version {
                major: reader.u32()?,
                minor: reader.u32()?,
            },
            metadata_bytes: reader.u64()?,
            descriptors_bytes: reader.u64()?,
            n_tensors: reader.u64()?,
            file_bytes: reader.u64()?,
            checksum: reader.array()?,
        })
    }

    fn check(&self) -> Result<Header> {
        if !(1..=VERSION.major).contains(&self.version.major) {
            return Err(Error::Version {
                found: self.version,
            });
        }
        if self.metadata_bytes > MAX_METADATA_BYTES {
            return Err(Error::MetadataTooLong {
                found: self.metadata_bytes,
            });
        }
        self.check_tensor_count()?;
        let contradiction = || Error::HeaderContradiction {
            metadata_bytes: self.metadata_bytes,
            descriptors_bytes: self.descriptors_bytes,
            file_bytes: self.file_bytes,
        };
        let head_bytes = (HEADER_BYTES as u64)
            .checked_add(self.metadata_bytes)
            .and_then(|sum| sum.checked_add(self.descriptors_bytes))
            .ok_or_else(contradiction)?;
        if head_bytes > self.file_bytes {
            return Err(contradiction());
        }
        let file_bytes =
            usize::try_from(self.file_bytes).map_err(|_| Error::TooLargeForMachine {
                file_bytes: self.file_bytes,
            })?;
        // The other numbers are no larger than `file_bytes`, so they fit as well.
        Ok(Header {
            version: self.version,
            metadata_bytes: self.metadata_bytes as usize,
            descriptors_bytes: self.descriptors_bytes as usize,
            n_tensors: self.n_tensors as usize,
            file_bytes,
            checksum: self.checksum,
        })
    }

    /// Each tensor needs a descriptor, and a descriptor has a smallest and a largest size: a count
    /// that does not fit the bytes is refused before anything is made room for.
    fn check_tensor_count(&self) -> Result<()> {
        let fewest = self.descriptors_bytes.div_ceil(LARGEST_DESCRIPTOR as u64);
        let most = self.descriptors_bytes / SMALLEST_DESCRIPTOR as u64;
        if self.n_tensors == 0 || self.n_tensors < fewest || self.n_tensors > most {
            return Err(Error::TensorCount {
                n_tensors: self.n_tensors,
                descriptors_bytes: self.descriptors_bytes,
            });
        }
        Ok(())
    }
}
