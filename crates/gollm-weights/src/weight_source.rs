//! A model file as the source of a decoder's weights.

use gollm_model::{Error, Result, StoredTensor, WeightSource};

use crate::model_file::ModelFile;

impl WeightSource for ModelFile {
    fn tensor(&self, name: &str) -> Result<StoredTensor> {
        // The file has every tensor of its config; another config may ask for more.
        let missing = |_| Error::MissingWeight {
            name: name.to_owned(),
        };
        let descriptor = self.descriptor(name).map_err(missing)?;
        Ok(StoredTensor {
            shape: descriptor.shape.clone(),
            dtype: descriptor.dtype,
            bytes: self.bytes(name).map_err(|error| Error::WeightSource {
                name: name.to_owned(),
                source: Box::new(error),
            })?,
        })
    }
}
