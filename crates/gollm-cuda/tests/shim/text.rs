//! The embedded model's greedy text in each storage type: what the reference writes, and what a device would
//! have written at each place of it.

use std::path::PathBuf;

use gollm_model::{Decoder, SequenceTokens};
use gollm_tensor::{DType, Device};
use gollm_weights::{ModelFile, OpenOptions, Quantizer};

/// The reference's text, with the logits from which each id was chosen.
pub(crate) struct Text {
    prompt: Vec<u32>,
    pub(crate) ids: Vec<u32>,
    logits: Vec<Vec<f32>>,
}

/// The embedded model, in `test_data` or where `GOLLM_TEST_DATA` says.
fn embedded() -> ModelFile {
    let folder = std::env::var_os("GOLLM_TEST_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../test_data")),
        PathBuf::from,
    );
    ModelFile::open(folder.join("gollm-stories.gollm"), &OpenOptions::default()).unwrap()
}

/// The embedded model with weights of another type.
pub(crate) fn model(weights: DType) -> ModelFile {
    if weights == DType::F32 {
        return embedded();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gollm");
    let source = embedded();
    let quantizer = Quantizer::create(&source, weights, &path).unwrap();
    quantizer.finish().unwrap();
    // The file stays as long as it is open, also without a name.
    ModelFile::open(&path, &OpenOptions::default()).unwrap()
}

impl Text {
    /// `n_tokens` on the reference, behind a prompt.
    pub(crate) fn of(file: &ModelFile, prompt: &[u32], n_tokens: usize) -> Self {
        let mut text = Self {
            prompt: prompt.to_vec(),
            ids: Vec::new(),
            logits: Vec::new(),
        };
        let decoder = Decoder::load(file.config(), file, &Device::reference()).unwrap();
        let mut cache = decoder.new_cache(1).unwrap();
        let mut tokens = prompt.to_vec();
        for _ in 0..n_tokens {
            let append = SequenceTokens {
                sequence: 0,
                tokens: &tokens,
            };
            let logits = decoder.forward(&[append], &mut cache).unwrap();
            tokens = logits.argmax().unwrap();
            text.ids.extend(&tokens);
            text.logits.push(logits.to_vec().unwrap());
        }
        text
    }

    /// What the device chooses at each place of this text, read as it stands. The same ids mean that the
    /// device would have written it.
    pub(crate) fn read(&self, file: &ModelFile, device: &Device) -> Vec<u32> {
        let decoder = Decoder::load(file.config(), file, device).unwrap();
        let mut cache = decoder.new_cache(1).unwrap();
        let mut read = |tokens: &[u32]| {
            let append = SequenceTokens {
                sequence: 0,
                tokens,
            };
            let logits = decoder.forward(&[append], &mut cache).unwrap();
            logits.argmax().unwrap()[0]
        };
        let mut found = vec![read(&self.prompt)];
        let all_but_last = self.ids.iter().take(self.ids.len() - 1);
        found.extend(all_but_last.map(|id| read(&[*id])));
        found
    }

    /// By how much the reference's logit of the worst of these choices is below its largest.
    pub(crate) fn worst(&self, found: &[u32]) -> f32 {
        assert_eq!(found.len(), self.ids.len());
        let pairs = found.iter().zip(&self.ids).zip(&self.logits);
        pairs.fold(0.0, |worst, ((found, id), logits)| {
            worst.max(logits[*id as usize] - logits[*found as usize])
        })
    }
}
