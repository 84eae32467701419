//! Chapter 8, what fewer bits cost: the embedded model on stories that it was not trained on.
//! Run with `cargo test --test ch08`; read with notes/ch08-quantization.md.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are not marked as tests"
)]

use std::path::Path;

use gollm_engine::{CancelFlag, GenerateOptions, load, perplexity};
use gollm_sampler::SamplerOptions;
use gollm_tensor::{DType, Device};
use gollm_weights::{ModelFile, OpenOptions, Quantizer};

/// How much of the text is read, in tokens: about 4 kB of its 52, two contexts of the embedded model.
/// The readable backend predicts some 300 tokens a second in an unoptimised build, and there are
/// three models to be asked.
const N_TOKENS: usize = 1_025;

fn test_data(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../test_data")
        .join(name)
}

/// Writes the embedded model with its matrices in `dtype`.
fn write_embedded(dtype: DType, path: &Path) {
    let source = ModelFile::open(test_data("gollm-stories.gollm"), &OpenOptions::default());
    let source = source.unwrap();
    let quantizer = Quantizer::create(&source, dtype, path).unwrap();
    quantizer.finish().unwrap();
}

/// The perplexity of the first [`N_TOKENS`] of the held-out text.
fn held_out_perplexity(dtype: DType) -> f64 {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model.gollm");
    write_embedded(dtype, &path);
    let mut engine = load(&path, &Device::reference()).unwrap();
    let text = std::fs::read_to_string(test_data("held-out-stories.txt")).unwrap();
    let ids = engine.encode_prompt(&text, true);
    assert!(
        ids.len() > N_TOKENS,
        "the text has only {} tokens",
        ids.len()
    );
    let (model, _) = engine.parts_mut();
    let measured = perplexity(model, &ids[..N_TOKENS], &CancelFlag::new()).unwrap();
    measured.perplexity()
}

#[test]
fn s5_q8_0_costs_less_than_half_a_percent_of_perplexity_and_q4_0_less_than_six() {
    let exact = held_out_perplexity(DType::F32);
    // A model that has learned nothing would not notice what is done to its weights.
    assert!(exact < 100.0, "perplexity {exact}: the model knows nothing");
    // An error of 0.55 % in each weight moves a logit by about as much of its spread over tokens, and
    // the loss by its square: hardly measurable. The bound is twenty times what was found. The error
    // of q4_0 is sixteen times as large; the bound leaves room for another model.
    for (dtype, bound) in [(DType::Q8_0, 0.005), (DType::Q4_0, 0.06)] {
        let cost = held_out_perplexity(dtype) / exact - 1.0;
        println!("{dtype}: {:+.3} % of {exact:.4}", 100.0 * cost);
        // Chance may also make it a little better, but not by more.
        assert!(cost.abs() < bound, "{dtype} costs {cost} of {exact}");
    }
}

#[test]
fn s5_the_embedded_model_still_writes_in_every_type() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model.gollm");
    for dtype in DType::ALL {
        write_embedded(dtype, &path);
        let mut engine = load(&path, &Device::reference()).unwrap();
        let options = GenerateOptions {
            sampler: SamplerOptions::greedy(),
            max_tokens: 20,
            ..GenerateOptions::default()
        };
        let generation = engine
            .generate("Once upon a time", &options, |_| {
                std::ops::ControlFlow::Continue(())
            })
            .unwrap();
        assert!(
            generation.text.split_whitespace().count() > 5,
            "{dtype}: {generation:?}"
        );
    }
}
