//! GGUF files made byte by byte, right or wrong, without this crate's writer.

/// A value and its kind.
#[derive(Clone)]
pub(crate) enum Raw {
    U32(u32),
    I32(i32),
    F32(f32),
    Bool(u8),
    Text(String),
    Texts(Vec<String>),
    I32s(Vec<i32>),
    /// A kind and bytes that may not fit it.
    Bytes(u32, Vec<u8>),
}

#[derive(Clone)]
pub(crate) struct RawTensor {
    pub(crate) name: String,
    /// As the file has them: the innermost first.
    pub(crate) dims: Vec<u64>,
    pub(crate) code: u32,
    /// Filled in by [`RawGguf::bytes`] if it is not given.
    pub(crate) offset: Option<u64>,
    pub(crate) data: Vec<u8>,
}

#[derive(Clone)]
pub(crate) struct RawGguf {
    pub(crate) magic: [u8; 4],
    pub(crate) version: u32,
    pub(crate) n_tensors: Option<u64>,
    pub(crate) n_values: Option<u64>,
    pub(crate) values: Vec<(String, Raw)>,
    pub(crate) tensors: Vec<RawTensor>,
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text.as_bytes());
}

impl Raw {
    fn encode(&self, bytes: &mut Vec<u8>) {
        let kind = |bytes: &mut Vec<u8>, kind: u32| bytes.extend(kind.to_le_bytes());
        match self {
            Self::U32(value) => {
                kind(bytes, 4);
                bytes.extend(value.to_le_bytes());
            }
            Self::I32(value) => {
                kind(bytes, 5);
                bytes.extend(value.to_le_bytes());
            }
            Self::F32(value) => {
                kind(bytes, 6);
                bytes.extend(value.to_le_bytes());
            }
            Self::Bool(value) => {
                kind(bytes, 7);
                bytes.push(*value);
            }
            Self::Text(value) => {
                kind(bytes, 8);
                text(bytes, value);
            }
            Self::Texts(values) => {
                kind(bytes, 9);
                kind(bytes, 8);
                bytes.extend((values.len() as u64).to_le_bytes());
                values.iter().for_each(|value| text(bytes, value));
            }
            Self::I32s(values) => {
                kind(bytes, 9);
                kind(bytes, 5);
                bytes.extend((values.len() as u64).to_le_bytes());
                bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            }
            Self::Bytes(number, raw) => {
                kind(bytes, *number);
                bytes.extend(raw);
            }
        }
    }
}

impl Raw {
    pub(crate) fn u16(value: u16) -> Self {
        Self::Bytes(2, value.to_le_bytes().to_vec())
    }
}

impl RawGguf {
    /// The same model in several files, cut before these tensors; the values are in the first.
    pub(crate) fn split(&self, cuts: &[usize]) -> Vec<Self> {
        let starts = [&[0], cuts].concat();
        let ends = [cuts, &[self.tensors.len()]].concat();
        let part = |(index, (start, end)): (usize, (usize, usize))| {
            let mut part = Self {
                values: if index == 0 {
                    self.values.clone()
                } else {
                    Vec::new()
                },
                tensors: self.tensors[start..end].to_vec(),
                ..self.clone()
            };
            part.set("split.no", Self::number(index));
            part.set("split.count", Self::number(starts.len()));
            part.set("split.tensors.count", Raw::I32(self.tensors.len() as i32));
            part
        };
        let ranges = starts.iter().copied().zip(ends).enumerate();
        ranges.map(part).collect()
    }

    fn number(value: usize) -> Raw {
        Raw::u16(value as u16)
    }

    pub(crate) fn set(&mut self, key: &str, value: Raw) {
        self.values.retain(|(name, _)| name != key);
        self.values.push((key.to_owned(), value));
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.values.retain(|(name, _)| name != key);
    }

    pub(crate) fn tensor(&mut self, name: &str) -> &mut RawTensor {
        let found = self.tensors.iter_mut().find(|tensor| tensor.name == name);
        found.unwrap()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.magic.to_vec();
        bytes.extend(self.version.to_le_bytes());
        let n_tensors = self.n_tensors.unwrap_or(self.tensors.len() as u64);
        bytes.extend(n_tensors.to_le_bytes());
        let n_values = self.n_values.unwrap_or(self.values.len() as u64);
        bytes.extend(n_values.to_le_bytes());
        for (key, value) in &self.values {
            text(&mut bytes, key);
            value.encode(&mut bytes);
        }
        let mut data: Vec<u8> = Vec::new();
        for tensor in &self.tensors {
            text(&mut bytes, &tensor.name);
            bytes.extend((tensor.dims.len() as u32).to_le_bytes());
            bytes.extend(tensor.dims.iter().flat_map(|dim| dim.to_le_bytes()));
            bytes.extend(tensor.code.to_le_bytes());
            bytes.extend(tensor.offset.unwrap_or(data.len() as u64).to_le_bytes());
            data.extend(&tensor.data);
            data.resize(data.len().next_multiple_of(32), 0);
        }
        bytes.resize(bytes.len().next_multiple_of(32), 0);
        bytes.extend(data);
        bytes
    }
}
