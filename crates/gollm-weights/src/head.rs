//! Everything before the data: header, metadata, descriptors, all checked together.

use crate::agreement;
use crate::byte_reader::ByteReader;
use crate::descriptor::{DescriptorError, TensorDescriptor};
use crate::error::{Error, Result, hex};
use crate::header::{HEADER_BYTES, Header, Version};
use crate::metadata::Metadata;

/// The checked head of a file.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) version: Version,
    pub(crate) metadata: Metadata,
    /// In file order.
    pub(crate) tensors: Vec<TensorDescriptor>,
    /// Indices of `tensors`, sorted by name.
    pub(crate) by_name: Vec<usize>,
    /// Where the descriptors end.
    pub(crate) head_bytes: usize,
    /// Where the file ends.
    pub(crate) file_bytes: usize,
}

impl Head {
    /// Reads the head at the start of `bytes`, which may hold the whole file; `found` is the length
    /// of the file as it lies on the disk or in memory.
    ///
    /// # Errors
    ///
    /// For everything that can be wrong but damage to the data and the padding.
    pub(crate) fn parse(bytes: &[u8], found: u64) -> Result<Self> {
        let header = Header::parse(bytes, found)?;
        let head = bytes
            .get(..header.head_bytes())
            .ok_or_else(|| Error::Truncated {
                needed: header.file_bytes as u64,
                found,
                cut: cut_in_head(&header, found).to_owned(),
            })?;
        check_checksum(&header, head)?;
        let (metadata, descriptors) = head[HEADER_BYTES..].split_at(header.metadata_bytes);
        let tensors = read_descriptors(&header, descriptors)?;
        check_places(&header, &tensors)?;
        let by_name = sort_by_name(&tensors)?;
        check_length(&header, &tensors, found)?;
        let metadata = Metadata::from_json(metadata).map_err(Error::Metadata)?;
        check_version(header.version, &metadata)?;
        agreement::check(&metadata.config, &tensors).map_err(Error::Disagreement)?;
        Ok(Self {
            version: header.version,
            metadata,
            tensors,
            by_name,
            head_bytes: header.head_bytes(),
            file_bytes: header.file_bytes,
        })
    }

    /// The head of a model that lies in another project's file of `file_bytes`.
    ///
    /// # Errors
    ///
    /// If a tensor is there twice or the tensors are not those of the config.
    pub(crate) fn of_foreign(
        metadata: Metadata,
        tensors: Vec<TensorDescriptor>,
        file_bytes: usize,
    ) -> Result<Self> {
        let by_name = sort_by_name(&tensors)?;
        agreement::check(&metadata.config, &tensors).map_err(Error::Disagreement)?;
        Ok(Self {
            version: Version::of(&metadata.config),
            metadata,
            tensors,
            by_name,
            head_bytes: 0,
            file_bytes,
        })
    }

    /// The tensor called `name`.
    pub(crate) fn tensor(&self, name: &str) -> Option<&TensorDescriptor> {
        self.index(name).map(|index| &self.tensors[index])
    }

    /// Which of `tensors` is called `name`.
    pub(crate) fn index(&self, name: &str) -> Option<usize> {
        let found = self
            .by_name
            .binary_search_by(|index| self.tensors[*index].name.as_str().cmp(name));
        found.ok().map(|place| self.by_name[place])
    }
}

/// The config decides which major version a file has; the minor one may be newer.
fn check_version(found: Version, metadata: &Metadata) -> Result<()> {
    let expected = Version::of(&metadata.config);
    match found.major == expected.major {
        true => Ok(()),
        false => Err(Error::WrongVersion { found, expected }),
    }
}

fn cut_in_head(header: &Header, found: u64) -> &'static str {
    if found < (HEADER_BYTES + header.metadata_bytes) as u64 {
        "the metadata"
    } else {
        "the descriptors"
    }
}

fn check_checksum(header: &Header, head: &[u8]) -> Result<()> {
    let found = Header::head_checksum(head);
    if found != header.checksum {
        return Err(Error::HeadChecksum {
            expected: hex(&header.checksum),
            found: hex(&found),
        });
    }
    Ok(())
}

fn read_descriptors(header: &Header, bytes: &[u8]) -> Result<Vec<TensorDescriptor>> {
    let n_tensors = header.n_tensors;
    let mut reader = ByteReader::new(bytes);
    // The header's check has bounded the count by the length of `bytes`.
    let mut tensors = Vec::with_capacity(n_tensors);
    for index in 0..n_tensors {
        let tensor =
            TensorDescriptor::read(&mut reader).map_err(|(name, problem)| Error::Descriptor {
                index,
                n_tensors,
                name,
                problem: Box::new(problem),
            })?;
        tensors.push(tensor);
    }
    if !reader.rest().is_empty() {
        return Err(Error::DescriptorsTooLong {
            n_bytes: reader.rest().len(),
            n_tensors,
        });
    }
    Ok(tensors)
}

/// The data must follow the descriptors in their order, with nothing but padding between: then no
/// two tensors share a byte and no byte is without an owner.
fn check_places(header: &Header, tensors: &[TensorDescriptor]) -> Result<()> {
    let mut end = header.head_bytes();
    for (index, tensor) in tensors.iter().enumerate() {
        end = tensor
            .check_place(end, header.file_bytes)
            .map_err(|problem| in_tensor(tensors, index, problem))?;
    }
    if end != header.file_bytes {
        return Err(Error::Unclaimed {
            end,
            file_bytes: header.file_bytes,
        });
    }
    Ok(())
}

fn sort_by_name(tensors: &[TensorDescriptor]) -> Result<Vec<usize>> {
    let mut by_name: Vec<usize> = (0..tensors.len()).collect();
    by_name.sort_unstable_by(|a, b| (&tensors[*a].name, a).cmp(&(&tensors[*b].name, b)));
    for pair in by_name.windows(2) {
        if tensors[pair[0]].name == tensors[pair[1]].name {
            return Err(in_tensor(tensors, pair[1], DescriptorError::DuplicateName));
        }
    }
    Ok(by_name)
}

fn in_tensor(tensors: &[TensorDescriptor], index: usize, problem: DescriptorError) -> Error {
    Error::Descriptor {
        index,
        n_tensors: tensors.len(),
        name: Some(tensors[index].name.clone()),
        problem: Box::new(problem),
    }
}

/// Compares the file's length with the one in its header, and names the tensor where it is cut.
fn check_length(header: &Header, tensors: &[TensorDescriptor], found: u64) -> Result<()> {
    let needed = header.file_bytes as u64;
    if found > needed {
        return Err(Error::TrailingBytes {
            expected: needed,
            found,
        });
    }
    if found == needed {
        return Ok(());
    }
    let cut = tensors
        .iter()
        .find(|tensor| (tensor.offset + tensor.n_bytes) as u64 > found);
    Err(Error::Truncated {
        needed,
        found,
        cut: cut.map_or_else(String::new, |tensor| {
            format!(
                "tensor `{}`, which starts at byte {}",
                tensor.name, tensor.offset
            )
        }),
    })
}
