//! The embedded model on an adapter: the same text as on the reference, in every storage type, and no
//! allocation and no more than one submission for each token.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are not marked as tests"
)]

mod common;

use std::ops::ControlFlow;
use std::path::Path;

use gollm_engine::{GenerateOptions, load_file};
use gollm_sampler::SamplerOptions;
use gollm_tensor::{DType, Device};
use gollm_weights::{ModelFile, OpenOptions, Quantizer};
use gollm_wgpu::Options;

const PROMPT: &str = "Once upon a time, there was a little girl who had a red boat. One day she";

fn embedded() -> ModelFile {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test_data/gollm-stories.gollm");
    ModelFile::open(path, &OpenOptions::default()).unwrap()
}

/// The most likely continuation, `n` tokens of it.
fn greedy(file: &ModelFile, device: &Device, n: usize) -> Vec<u32> {
    let options = GenerateOptions {
        sampler: SamplerOptions {
            temperature: 0.0,
            ..SamplerOptions::default()
        },
        max_tokens: n,
        ignore_end_of_text: true,
        ..GenerateOptions::default()
    };
    let mut engine = load_file(file, device, 1).unwrap();
    let all = |_: &str| ControlFlow::Continue(());
    engine.generate(PROMPT, &options, all).unwrap().ids
}

/// A greedy choice changes only where two logits are closer than what the order of a sum changes, which
/// is a millionth of them.
#[test]
fn the_embedded_model_writes_the_same_64_tokens_as_on_the_reference() {
    let file = embedded();
    let expected = greedy(&file, &Device::reference(), 64);
    assert_eq!(expected.len(), 64);
    // The second cuts the embedding table, which is the output head too, into several windows.
    for max_binding_bytes in [None, Some(500_000)] {
        let options = Options {
            max_binding_bytes,
            ..Options::default()
        };
        let Some(wgpu) = common::open(options) else {
            return;
        };
        assert_eq!(greedy(&file, &Device::new(wgpu), 64), expected);
    }
}

#[test]
fn quantized_files_write_what_they_write_on_the_reference() {
    let Some(wgpu) = common::open(Options::default()) else {
        return;
    };
    let device = Device::new(wgpu);
    let directory = tempfile::tempdir().unwrap();
    for dtype in [DType::F16, DType::BF16, DType::Q8_0, DType::Q4_0] {
        let path = directory.path().join(dtype.name());
        let source = embedded();
        let quantizer = Quantizer::create(&source, dtype, &path).unwrap();
        quantizer.finish().unwrap();
        let file = ModelFile::open(&path, &OpenOptions::default()).unwrap();
        let expected = greedy(&file, &Device::reference(), 16);
        assert_eq!(greedy(&file, &device, 16), expected, "{dtype}");
    }
}

/// The engine reads the logits of each token: one wait, hence one command buffer. What a prompt needed is
/// made for the prompt, what a step needs in the first step.
#[test]
fn a_decode_step_is_one_submission_and_makes_no_buffer() {
    let Some(wgpu) = common::open(Options::default()) else {
        return;
    };
    let (file, device) = (embedded(), Device::new(wgpu.clone()));
    let counts = |n: usize| {
        let before = (wgpu.submissions(), wgpu.buffers_made());
        greedy(&file, &device, n);
        (
            wgpu.submissions() - before.0,
            wgpu.buffers_made() - before.1,
        )
    };
    // The first run leaves its buffers to the others.
    counts(3);
    let (few, many) = (counts(3), counts(13));
    assert_eq!(many.0 - few.0, 10, "submissions of ten steps more");
    assert_eq!(many.1, few.1, "buffers: weights and caches only");
}
