//! What the tests of this crate share.

#![allow(dead_code, reason = "each test binary uses its own part of this")]
#![allow(
    clippy::unwrap_used,
    reason = "these are tests, though not in functions marked so"
)]

pub(crate) mod bad_files;
pub(crate) mod golden;
pub(crate) mod raw_file;

use gollm_model::{Config, expected_tensors};
use gollm_tensor::DType;
use gollm_weights::{Metadata, Result, write};
use raw_file::RawFile;

/// One layer, 48 numbers: the smallest model in which no two dimensions that matter are equal.
pub(crate) fn tiny_config() -> Config {
    Config::from_yaml(
        "{vocab_size: 4, context_length: 8, emb_dim: 2, n_heads: 1, n_kv_heads: 1,
          hidden_dim: 3, n_layers: 1}",
    )
    .unwrap()
}

/// Numbers that are finite in every storage type and hardly repeat: a Weyl sequence from -1 to 1.
pub(crate) fn values(n_elements: usize, seed: u32) -> Vec<f32> {
    (1..=n_elements as u32)
        .map(|i| {
            let bits = i
                .wrapping_mul(0x9E37_79B9)
                .wrapping_add(seed.wrapping_mul(0x85EB_CA6B));
            f32::from((bits >> 16) as u16) / 32_768.0 - 1.0
        })
        .collect()
}

/// A valid file of `config`, made without this crate's writer.
pub(crate) fn raw_model(config: &Config, dtype: DType) -> RawFile {
    let mut file = RawFile::new(&format!(r#"{{"config":{}}}"#, config.to_json().unwrap()));
    for (index, tensor) in expected_tensors(config).unwrap().iter().enumerate() {
        let dtype = gollm_weights::stored_dtype(&tensor.shape, dtype);
        let values = values(tensor.shape.iter().product(), index as u32);
        let data = gollm_tensor::quantize(&values, dtype).unwrap();
        file.push(&tensor.name, &tensor.shape, dtype, data);
    }
    file
}

/// The bytes of a valid file of the tiny config, in f16.
pub(crate) fn tiny_file() -> RawFile {
    raw_model(&tiny_config(), DType::F16)
}

/// What [`gollm_weights::write`] makes of the same parts, read back from the disk.
pub(crate) fn written(metadata: &Metadata, file: &RawFile) -> Result<Vec<u8>> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model.gollm");
    write(&path, metadata, file.encoded_tensors())?;
    Ok(std::fs::read(&path).unwrap())
}
