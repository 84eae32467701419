//! A second writer of the format, which follows `docs/format.md` and shares no code with the first:
//! the tests build files with it that the real writer refuses to write.

use gollm_tensor::DType;

/// A file in parts. `None` means "what a valid file has there".
#[derive(Clone)]
pub(crate) struct RawFile {
    pub(crate) magic: [u8; 8],
    pub(crate) major: u32,
    pub(crate) minor: u32,
    pub(crate) metadata: Vec<u8>,
    pub(crate) metadata_bytes: Option<u64>,
    pub(crate) descriptors_bytes: Option<u64>,
    pub(crate) n_tensors: Option<u64>,
    pub(crate) file_bytes: Option<u64>,
    pub(crate) checksum: Option<[u8; 16]>,
    pub(crate) tensors: Vec<RawTensor>,
    /// Bytes between the descriptors and the padding before the data.
    pub(crate) after_descriptors: Vec<u8>,
    /// Bytes after the last tensor.
    pub(crate) after_data: Vec<u8>,
}

/// One tensor, in the same way.
#[derive(Clone)]
pub(crate) struct RawTensor {
    pub(crate) name: Vec<u8>,
    pub(crate) name_bytes: Option<u16>,
    pub(crate) code: u8,
    pub(crate) rank: Option<u8>,
    pub(crate) shape: Vec<u64>,
    pub(crate) offset: Option<u64>,
    pub(crate) n_bytes: Option<u64>,
    pub(crate) checksum: Option<[u8; 32]>,
    pub(crate) data: Vec<u8>,
}

impl RawFile {
    pub(crate) fn new(metadata: &str) -> Self {
        Self {
            magic: [0x89, 0x47, 0x4F, 0x4C, 0x4C, 0x4D, 0x0D, 0x0A],
            major: 1,
            minor: 0,
            metadata: metadata.as_bytes().to_vec(),
            metadata_bytes: None,
            descriptors_bytes: None,
            n_tensors: None,
            file_bytes: None,
            checksum: None,
            tensors: Vec::new(),
            after_descriptors: Vec::new(),
            after_data: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, name: &str, shape: &[usize], dtype: DType, data: Vec<u8>) {
        self.tensors.push(RawTensor {
            name: name.as_bytes().to_vec(),
            name_bytes: None,
            code: code(dtype),
            rank: None,
            shape: shape.iter().map(|dim| *dim as u64).collect(),
            offset: None,
            n_bytes: None,
            checksum: None,
            data,
        });
    }

    /// Where the head ends in a file whose lengths are true.
    pub(crate) fn head_bytes(&self) -> usize {
        let descriptors: usize = self.tensors.iter().map(RawTensor::descriptor_bytes).sum();
        64 + self.metadata.len() + descriptors + self.after_descriptors.len()
    }

    /// Where each tensor's data starts, and where the last one ends.
    pub(crate) fn offsets(&self) -> (Vec<usize>, usize) {
        let mut end = self.head_bytes();
        let mut offsets = Vec::new();
        for tensor in &self.tensors {
            let offset = end.next_multiple_of(64);
            offsets.push(offset);
            end = offset + tensor.data.len();
        }
        (offsets, end)
    }

    /// The bytes of the file, checksums and all.
    pub(crate) fn build(&self) -> Vec<u8> {
        let (offsets, end) = self.offsets();
        let mut descriptors = Vec::new();
        for (tensor, offset) in self.tensors.iter().zip(&offsets) {
            tensor.describe(*offset as u64, &mut descriptors);
        }
        descriptors.extend(&self.after_descriptors);
        let file_bytes = (end + self.after_data.len()) as u64;

        let mut file = self.header(descriptors.len() as u64, file_bytes);
        file.extend(&self.metadata);
        file.extend(&descriptors);
        let hash = blake3::hash(&file);
        let checksum = self
            .checksum
            .unwrap_or_else(|| *hash.as_bytes().first_chunk().unwrap());
        file[48..64].copy_from_slice(&checksum);
        for (tensor, offset) in self.tensors.iter().zip(&offsets) {
            file.resize(*offset, 0);
            file.extend(&tensor.data);
        }
        file.extend(&self.after_data);
        file
    }

    fn header(&self, descriptors_bytes: u64, file_bytes: u64) -> Vec<u8> {
        let mut header = self.magic.to_vec();
        header.extend(self.major.to_le_bytes());
        header.extend(self.minor.to_le_bytes());
        for (forced, found) in [
            (self.metadata_bytes, self.metadata.len() as u64),
            (self.descriptors_bytes, descriptors_bytes),
            (self.n_tensors, self.tensors.len() as u64),
            (self.file_bytes, file_bytes),
        ] {
            header.extend(forced.unwrap_or(found).to_le_bytes());
        }
        header.resize(64, 0);
        header
    }

    /// The tensors in the form that the real writer takes.
    pub(crate) fn encoded_tensors(&self) -> Vec<gollm_weights::EncodedTensor<Vec<u8>>> {
        let encoded = |tensor: &RawTensor| {
            let name = String::from_utf8(tensor.name.clone()).unwrap();
            let shape = tensor.shape.iter().map(|dim| *dim as usize).collect();
            (name, shape, dtype(tensor.code), tensor.data.clone())
        };
        self.tensors.iter().map(encoded).collect()
    }
}

impl RawTensor {
    fn descriptor_bytes(&self) -> usize {
        4 + self.name.len() + 8 * self.shape.len() + 8 + 8 + 32
    }

    fn describe(&self, offset: u64, out: &mut Vec<u8>) {
        let name_bytes = self.name_bytes.unwrap_or(self.name.len() as u16);
        out.extend(name_bytes.to_le_bytes());
        out.push(self.code);
        out.push(self.rank.unwrap_or(self.shape.len() as u8));
        out.extend(&self.name);
        for dim in &self.shape {
            out.extend(dim.to_le_bytes());
        }
        out.extend(self.offset.unwrap_or(offset).to_le_bytes());
        out.extend(self.n_bytes.unwrap_or(self.data.len() as u64).to_le_bytes());
        out.extend(
            self.checksum
                .unwrap_or_else(|| *blake3::hash(&self.data).as_bytes()),
        );
    }
}

fn code(dtype: DType) -> u8 {
    match dtype {
        DType::F32 => 0,
        DType::F16 => 1,
        DType::Q4_0 => 2,
        DType::Q8_0 => 8,
        DType::BF16 => 30,
    }
}

fn dtype(code: u8) -> DType {
    DType::ALL
        .into_iter()
        .find(|dtype| self::code(*dtype) == code)
        .unwrap()
}
