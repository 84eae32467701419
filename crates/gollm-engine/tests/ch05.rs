//! Chapter 5, a model that writes (the book's sections 5.1 and 5.3).
//! Run with `cargo test --test ch05`; read with notes/ch05-training-and-sampling.md.

mod common;

use common::{MockModel, bytes, engine, greedy, ignore};
use gollm_engine::{CancelFlag, Error, GenerateOptions, LanguageModel, perplexity};
use gollm_sampler::SamplerOptions;

fn sampled(seed: u64) -> GenerateOptions {
    GenerateOptions {
        sampler: SamplerOptions {
            temperature: 1.0,
            top_k: 0,
            seed,
            ..Default::default()
        },
        max_tokens: 30,
        ..greedy()
    }
}

#[test]
fn s1_1_the_prompt_is_read_once_and_then_every_id_is_fed_back_alone() {
    let model = MockModel::scripted(3, &bytes("defg"));
    let passes = model.passes.clone();
    let options = GenerateOptions {
        max_tokens: 4,
        ..greedy()
    };
    let generation = engine(model).generate("abc", &options, ignore).unwrap();
    assert_eq!(generation.text, "defg");
    // The fourth id is drawn and never fed: nobody asks what would follow it.
    let sizes: Vec<usize> = passes
        .lock()
        .unwrap()
        .iter()
        .map(|pass| pass[0].1)
        .collect();
    assert_eq!(sizes, [3, 1, 1, 1]);
}

#[test]
fn s1_2_the_perplexity_of_a_model_that_knows_nothing_is_the_vocabulary_size() {
    let mut model = MockModel::new(|_| vec![1.5; 262]);
    let found = perplexity(&mut model, &bytes("any text at all"), &CancelFlag::new()).unwrap();
    assert_eq!(found.n_predicted, 14);
    // f64 arithmetic over 262 equal terms.
    assert!((found.mean_loss - 262f64.ln()).abs() < 1e-12, "{found:?}");
    assert!((found.perplexity() - 262.0).abs() < 1e-9, "{found:?}");
}

#[test]
fn s1_2_the_perplexity_of_a_model_that_knows_the_text_is_one() {
    let mut model = MockModel::scripted(1, &bytes("bcdef"));
    let found = perplexity(&mut model, &bytes("abcdef"), &CancelFlag::new()).unwrap();
    // The other 261 ids share 261 · exp(-30) = 2e-11.
    assert!((found.perplexity() - 1.0).abs() < 1e-10, "{found:?}");
}

#[test]
fn s1_2_the_loss_is_minus_the_log_of_the_probability_of_what_came() {
    // Id 0 has probability 1/2 and id 1 has 1/4, whatever came before.
    let mut logits = vec![-100.0; 262];
    logits[..3].copy_from_slice(&[0.5f32.ln(), 0.25f32.ln(), 0.25f32.ln()]);
    let mut model = MockModel::new(move |_| logits.clone());
    let found = perplexity(&mut model, &[7, 0, 1, 0], &CancelFlag::new()).unwrap();
    let by_hand = (2f64.ln() + 4f64.ln() + 2f64.ln()) / 3.0;
    // The logits are logarithms rounded to f32.
    assert!(
        (found.mean_loss - by_hand).abs() < 1e-6,
        "{found:?}, by hand {by_hand}"
    );
}

#[test]
fn s1_2_a_long_text_is_scored_in_windows_and_every_token_but_the_first_once() {
    let text = bytes(&"abcdefghij".repeat(20));
    let mut model = MockModel::hashing();
    model.context_length = 70;
    let passes = model.passes.clone();
    let found = perplexity(&mut model, &text, &CancelFlag::new()).unwrap();
    assert_eq!(found.n_predicted, 199);
    assert_eq!(passes.lock().unwrap().len(), 199);
    assert_eq!(model.length(0), 0, "the sequence is left empty");
}

#[test]
fn s1_2_what_cannot_be_scored_is_an_error() {
    let score = |ids: &[u32]| perplexity(&mut MockModel::hashing(), ids, &CancelFlag::new());
    assert!(matches!(
        score(&[]),
        Err(Error::TextTooShort { n_tokens: 0 })
    ));
    assert!(matches!(
        score(&[5]),
        Err(Error::TextTooShort { n_tokens: 1 })
    ));
    assert!(matches!(
        score(&[5, 999]),
        Err(Error::UnknownPromptId {
            id: 999,
            position: 1,
            ..
        })
    ));
    let raised = CancelFlag::new();
    raised.cancel();
    let cancelled = perplexity(&mut MockModel::hashing(), &[1, 2], &raised);
    assert!(matches!(cancelled, Err(Error::Cancelled)));
    let mut broken = MockModel::new(|_| vec![f32::NAN; 262]);
    let error = perplexity(&mut broken, &[1, 2], &CancelFlag::new()).unwrap_err();
    assert!(
        error.to_string().contains("expected a finite number"),
        "{error}"
    );
}

#[test]
fn s3_3_the_same_seed_writes_the_same_text_and_another_seed_another() {
    let write = |seed| {
        let mut engine = engine(MockModel::hashing());
        engine
            .generate("once", &sampled(seed), ignore)
            .unwrap()
            .text
    };
    assert_eq!(write(1), write(1));
    assert_ne!(write(1), write(2));
}

#[test]
fn s3_3_a_repetition_penalty_sees_the_prompt_and_what_was_written() {
    // The model would say "aaaa…" for ever, with "b" a little behind.
    let stuck = || {
        MockModel::new(|_| {
            let mut logits = vec![0.0; 262];
            logits[97] = 5.0;
            logits[98] = 4.5;
            logits
        })
    };
    let mut options = GenerateOptions {
        max_tokens: 4,
        ..greedy()
    };
    assert_eq!(
        engine(stuck())
            .generate("x", &options, ignore)
            .unwrap()
            .text,
        "aaaa"
    );
    options.sampler.presence_penalty = 1.0;
    assert_eq!(
        engine(stuck())
            .generate("x", &options, ignore)
            .unwrap()
            .text,
        "abaa"
    );
    assert_eq!(
        engine(stuck())
            .generate("a", &options, ignore)
            .unwrap()
            .text,
        "baaa"
    );
}
