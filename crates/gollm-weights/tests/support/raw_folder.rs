//! Hugging Face folders made byte by byte, right or wrong, without this crate's writer.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

/// A tensor of a safetensors file.
#[derive(Clone)]
pub(crate) struct RawTensor {
    pub(crate) name: String,
    pub(crate) dtype: &'static str,
    pub(crate) shape: Vec<u64>,
    /// Filled in by [`safetensors`] if they are not given.
    pub(crate) offsets: Option<[u64; 2]>,
    pub(crate) data: Vec<u8>,
}

/// The bytes of a file with these tensors, in this order.
pub(crate) fn safetensors(tensors: &[RawTensor]) -> Vec<u8> {
    let mut data = Vec::new();
    let entries = tensors.iter().map(|tensor| {
        let start = data.len() as u64;
        data.extend(&tensor.data);
        let offsets = tensor.offsets.unwrap_or([start, data.len() as u64]);
        let entry = json!({
            "dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": offsets,
        });
        format!("{}:{entry}", json!(tensor.name))
    });
    let entries: Vec<String> = entries.collect();
    with_header(&format!("{{{}}}", entries.join(",")), &data)
}

/// A file with this head.
pub(crate) fn with_header(header: &str, data: &[u8]) -> Vec<u8> {
    let length = (header.len() as u64).to_le_bytes();
    [&length[..], header.as_bytes(), data].concat()
}

/// The parts of a folder.
#[derive(Clone)]
pub(crate) struct RawFolder {
    pub(crate) config: Value,
    pub(crate) tensors: Vec<RawTensor>,
}

impl RawFolder {
    /// The folder with its weights in one file.
    pub(crate) fn write(&self, path: &Path) {
        self.write_config(path);
        let bytes = safetensors(&self.tensors);
        fs::write(path.join("model.safetensors"), bytes).unwrap();
    }

    /// The folder with every second tensor in another file; gives the index, which is written as well.
    pub(crate) fn write_sharded(&self, path: &Path) -> Value {
        self.write_config(path);
        let mut map = serde_json::Map::new();
        for shard in 0..2 {
            let name = format!("model-0000{}-of-00002.safetensors", shard + 1);
            let tensors = self.tensors.iter().skip(shard).step_by(2);
            let tensors: Vec<RawTensor> = tensors.cloned().collect();
            map.extend(
                tensors
                    .iter()
                    .map(|t| (t.name.clone(), name.clone().into())),
            );
            fs::write(path.join(name), safetensors(&tensors)).unwrap();
        }
        let total: usize = self.tensors.iter().map(|tensor| tensor.data.len()).sum();
        let index = json!({"metadata": {"total_size": total}, "weight_map": map});
        write_index(path, &index);
        index
    }

    fn write_config(&self, path: &Path) {
        fs::write(path.join("config.json"), self.config.to_string()).unwrap();
    }

    pub(crate) fn tensor(&mut self, name: &str) -> &mut RawTensor {
        let found = self.tensors.iter_mut().find(|tensor| tensor.name == name);
        found.unwrap()
    }
}

pub(crate) fn write_index(path: &Path, index: &Value) {
    fs::write(path.join("model.safetensors.index.json"), index.to_string()).unwrap();
}
