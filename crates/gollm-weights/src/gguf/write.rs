//! The bytes of a GGUF file's head: version 3, little-endian.

use super::MAGIC;

const VERSION: u32 = 3;

/// The values of a file's metadata, encoded in the order in which they come.
#[derive(Default)]
pub(crate) struct Values {
    count: u64,
    bytes: Vec<u8>,
}

/// The entries of its tensors.
#[derive(Default)]
pub(crate) struct Tensors {
    count: u64,
    bytes: Vec<u8>,
}

fn push_string(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text.as_bytes());
}

impl Values {
    fn push(&mut self, key: &str, kind: u32, value: &[u8]) {
        self.count += 1;
        push_string(&mut self.bytes, key);
        self.bytes.extend(kind.to_le_bytes());
        self.bytes.extend(value);
    }

    pub(crate) fn u32(&mut self, key: &str, value: u32) {
        self.push(key, 4, &value.to_le_bytes());
    }

    pub(crate) fn f32(&mut self, key: &str, value: f32) {
        self.push(key, 6, &value.to_le_bytes());
    }

    pub(crate) fn bool(&mut self, key: &str, value: bool) {
        self.push(key, 7, &[value.into()]);
    }

    pub(crate) fn string(&mut self, key: &str, value: &str) {
        let mut bytes = Vec::new();
        push_string(&mut bytes, value);
        self.push(key, 8, &bytes);
    }

    pub(crate) fn strings(&mut self, key: &str, values: &[String]) {
        let mut bytes = array_head(8, values.len());
        for value in values {
            push_string(&mut bytes, value);
        }
        self.push(key, 9, &bytes);
    }

    pub(crate) fn i32s(&mut self, key: &str, values: &[i32]) {
        let mut bytes = array_head(5, values.len());
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        self.push(key, 9, &bytes);
    }

    pub(crate) fn f32s(&mut self, key: &str, values: &[f32]) {
        let mut bytes = array_head(6, values.len());
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        self.push(key, 9, &bytes);
    }
}

fn array_head(element: u32, count: usize) -> Vec<u8> {
    let mut bytes = element.to_le_bytes().to_vec();
    bytes.extend((count as u64).to_le_bytes());
    bytes
}

impl Tensors {
    /// An entry; `shape` has the outermost dimension first, `offset` counts from the first data.
    pub(crate) fn push(&mut self, name: &str, shape: &[usize], code: u8, offset: usize) {
        self.count += 1;
        push_string(&mut self.bytes, name);
        self.bytes.extend((shape.len() as u32).to_le_bytes());
        for dim in shape.iter().rev() {
            self.bytes.extend((*dim as u64).to_le_bytes());
        }
        self.bytes.extend(u32::from(code).to_le_bytes());
        self.bytes.extend((offset as u64).to_le_bytes());
    }
}

/// Everything before the data.
pub(crate) fn head(values: &Values, tensors: &Tensors) -> Vec<u8> {
    let mut head = MAGIC.to_vec();
    head.extend(VERSION.to_le_bytes());
    head.extend(tensors.count.to_le_bytes());
    head.extend(values.count.to_le_bytes());
    head.extend(&values.bytes);
    head.extend(&tensors.bytes);
    head
}
