//! The embedded model writes the same text on the shim as on the reference.

use crate::common::{ORDERS, device};
use crate::text::{self, Text};
use gollm_cuda::{CacheType, ShimLibrary};
use gollm_model::{Decoder, SequenceTokens};
use gollm_tensor::{DType, Device};
use gollm_weights::{ModelFile, OpenOptions};

/// Ids of some text of the model's own kind: any will do, both devices read the same.
const PROMPT: [u32; 7] = [41, 300, 17, 512, 101, 33, 260];

/// Greedy ids after the prompt, by `argmax` on the device, and the logits of the last one.
fn write(device: &Device, n_tokens: usize) -> (Vec<u32>, Vec<f32>) {
    write_with("gollm-stories.gollm", device, &PROMPT, n_tokens)
}

fn write_with(
    file: &str,
    device: &Device,
    prompt: &[u32],
    n_tokens: usize,
) -> (Vec<u32>, Vec<f32>) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../test_data");
    let path = std::path::Path::new(folder).join(file);
    let file = ModelFile::open(path, &OpenOptions::default()).unwrap();
    let decoder = Decoder::load(file.config(), &file, device).unwrap();
    let mut cache = decoder.new_cache(1).unwrap();
    let mut tokens = prompt.to_vec();
    let (mut ids, mut last) = (Vec::new(), Vec::new());
    for _ in 0..n_tokens {
        let append = SequenceTokens {
            sequence: 0,
            tokens: &tokens,
        };
        let logits = decoder.forward(&[append], &mut cache).unwrap();
        tokens = logits.argmax().unwrap();
        ids.extend(&tokens);
        last = logits.to_vec().unwrap();
    }
    (ids, last)
}

#[test]
fn the_embedded_model_writes_the_same_greedy_ids_as_the_reference() {
    let (ids, logits) = write(&Device::reference(), 12);
    // Logits reach some tens; a cache of f16 moves each number by at most 2⁻¹¹ of itself, and the greedy
    // choice of a trained model is seldom that close.
    for (reversed, cache, bound) in ORDERS
        .map(|reversed| (reversed, CacheType::F32, 1e-4))
        .into_iter()
        .chain([(false, CacheType::F16, 5e-2)])
    {
        let (found, its_logits) = write(&device(reversed, ShimLibrary::Off, cache), 12);
        assert_eq!(found, ids, "reversed {reversed}, {cache:?}");
        let differences = logits.iter().zip(&its_logits).map(|(a, b)| (a - b).abs());
        let error = differences.fold(0.0, f32::max);
        assert!(error < bound, "reversed {reversed}, {cache:?}: {error}");
    }
}

#[test]
fn models_with_biases_norms_of_heads_and_experts_write_the_same_as_on_the_reference() {
    // More tokens at first than are multiplied eight at a time.
    let prompt: Vec<u32> = (0..19).map(|i| i * 5 % 97).collect();
    for name in ["qkv_bias", "qk_norm", "experts"] {
        let file = format!("goldens/{name}.gollm");
        let (ids, logits) = write_with(&file, &Device::reference(), &prompt, 12);
        for reversed in ORDERS {
            let device = device(reversed, ShimLibrary::Off, CacheType::F32);
            let (found, its_logits) = write_with(&file, &device, &prompt, 12);
            assert_eq!(found, ids, "{name}, reversed {reversed}");
            let differences = logits.iter().zip(&its_logits).map(|(a, b)| (a - b).abs());
            assert!(differences.fold(0.0, f32::max) < 1e-4, "{name}");
        }
    }
}

#[test]
fn rounded_weights_write_the_text_that_they_write_on_the_reference() {
    for weights in [DType::F16, DType::Q8_0, DType::Q4_0] {
        let file = text::model(weights);
        // As many as are quick: a device test reads 64.
        let expected = Text::of(&file, &PROMPT, 6);
        let device = device(false, ShimLibrary::Off, CacheType::F32);
        assert_eq!(expected.read(&file, &device), expected.ids, "{weights}");
        // A cache of half precision may choose otherwise where two logits are as close as it rounds.
        let device = self::device(true, ShimLibrary::Off, CacheType::F16);
        let found = expected.read(&file, &device);
        assert!(expected.worst(&found) < 5e-2, "{weights}: {found:?}");
    }
}
