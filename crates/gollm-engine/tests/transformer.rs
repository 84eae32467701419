//! The real decoder behind the engine: a small one with random weights.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::ops::ControlFlow;

use common::{BEGIN, CONTEXT, bytes, config, greedy, ignore, tokenizer, weights};
use gollm_engine::{
    CancelFlag, Engine, FinishReason, GenerateOptions, LanguageModel, SequenceTokens,
    TransformerModel, perplexity,
};
use gollm_model::Decoder;
use gollm_sampler::SamplerOptions;
use gollm_tensor::Device;

fn model_of(n_sequences: usize) -> TransformerModel {
    let (config, weights) = (config(), weights());
    let decoder = Decoder::load(&config, &weights, &Device::reference()).unwrap();
    TransformerModel::new(decoder, n_sequences).unwrap()
}

fn engine_of(n_sequences: usize) -> Engine {
    Engine::new(Box::new(model_of(n_sequences)), tokenizer()).unwrap()
}

/// 1e-5 relative, the bound for cached decode against a full pass on one backend; logits here are
/// of the order of 1.
fn assert_close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let bound = 1e-5 * expected.abs().max(1.0);
        assert!(
            (found - expected).abs() <= bound,
            "{index}: {found}, expected {expected}"
        );
    }
}

fn last_logits(model: &mut TransformerModel, sequence: usize, tokens: &[u32]) -> Vec<f32> {
    model
        .forward(&[SequenceTokens { sequence, tokens }])
        .unwrap()
        .remove(0)
}

#[test]
fn a_prompt_in_chunks_leaves_the_same_logits_as_in_one_pass() {
    let prompt = bytes("the quick brown fox");
    let whole = last_logits(&mut model_of(1), 0, &prompt);
    for chunk in [1, 2, 5] {
        let mut model = model_of(1);
        let mut found = Vec::new();
        for tokens in prompt.chunks(chunk) {
            found = last_logits(&mut model, 0, tokens);
        }
        assert_close(&found, &whole);
        assert_eq!(model.length(0), prompt.len());
    }
}

#[test]
fn logits_after_every_token_are_those_of_one_pass_each() {
    let tokens = bytes("stories");
    let every = model_of(1).forward_every(SequenceTokens {
        sequence: 0,
        tokens: &tokens,
    });
    let every = every.unwrap();
    assert_eq!(every.len(), tokens.len());
    let mut model = model_of(1);
    for (token, expected) in tokens.chunks(1).zip(&every) {
        assert_close(&last_logits(&mut model, 0, token), expected);
    }
}

#[test]
fn sequences_in_one_batch_do_not_see_each_other() {
    let (first, second) = (bytes("once upon"), bytes("a"));
    let mut model = model_of(3);
    let batch = [(2, &first), (0, &second)];
    let batch = batch.map(|(sequence, tokens)| SequenceTokens { sequence, tokens });
    let logits = model.forward(&batch).unwrap();
    assert_close(&logits[0], &last_logits(&mut model_of(1), 0, &first));
    assert_close(&logits[1], &last_logits(&mut model_of(1), 0, &second));
    assert_eq!([0, 1, 2].map(|sequence| model.length(sequence)), [1, 0, 9]);
}

#[test]
fn a_truncated_sequence_goes_on_as_if_the_rest_had_never_been() {
    let mut model = model_of(1);
    last_logits(&mut model, 0, &bytes("abcXYZ"));
    model.truncate(0, 3).unwrap();
    let found = last_logits(&mut model, 0, &bytes("d"));
    assert_close(&found, &last_logits(&mut model_of(1), 0, &bytes("abcd")));
    assert!(model.truncate(0, 5).is_err());
    assert!(model.truncate(1, 0).is_err());
}

#[test]
fn generated_text_equals_that_of_a_model_without_a_cache() {
    let options = GenerateOptions {
        max_tokens: 20,
        ignore_end_of_text: true,
        begin_of_text: true,
        prefill_chunk: 4,
        ..greedy()
    };
    let generation = engine_of(1)
        .generate("once upon", &options, ignore)
        .unwrap();

    let mut ids = vec![BEGIN];
    ids.extend(bytes("once upon"));
    let n_prompt = ids.len();
    for _ in 0..20 {
        let logits = last_logits(&mut model_of(1), 0, &ids);
        let best = (0..logits.len()).max_by(|a, b| logits[*a].total_cmp(&logits[*b]));
        ids.push(best.unwrap() as u32);
    }
    assert_eq!(generation.ids, ids[n_prompt..]);
}

#[test]
fn a_batch_of_sampled_texts_equals_single_ones() {
    let request = |seed: u64| {
        let sampler = SamplerOptions {
            seed,
            temperature: 1.0,
            ..Default::default()
        };
        let options = GenerateOptions {
            sampler,
            max_tokens: 10,
            ..greedy()
        };
        (bytes(["hi", "there", "x"][seed as usize]), options)
    };
    let requests: Vec<_> = (0..3).map(request).collect();
    let together = engine_of(2)
        .generate_batch(requests.clone(), |_, _| ControlFlow::Continue(()))
        .unwrap();
    for ((prompt, options), together) in requests.into_iter().zip(together) {
        let alone = engine_of(1)
            .generate_from_ids(prompt, &options, ignore)
            .unwrap();
        assert_eq!(together.ids, alone.ids);
    }
}

#[test]
fn generation_stops_where_the_context_ends() {
    let options = GenerateOptions {
        max_tokens: usize::MAX,
        ignore_end_of_text: true,
        ..greedy()
    };
    let generation = engine_of(1).generate("abc", &options, ignore).unwrap();
    assert_eq!(generation.finish_reason, FinishReason::Context);
    assert_eq!(
        3 + generation.ids.len(),
        CONTEXT + 1,
        "the last id was drawn but never seen"
    );
}

#[test]
fn perplexity_in_one_pass_equals_the_token_by_token_default() {
    /// The same model without its own `forward_every`.
    struct OneByOne(TransformerModel);
    impl LanguageModel for OneByOne {
        fn vocab_size(&self) -> usize {
            self.0.vocab_size()
        }
        fn context_length(&self) -> usize {
            self.0.context_length()
        }
        fn n_sequences(&self) -> usize {
            self.0.n_sequences()
        }
        fn forward(&mut self, batch: &[SequenceTokens<'_>]) -> gollm_engine::Result<Vec<Vec<f32>>> {
            self.0.forward(batch)
        }
        fn length(&self, sequence: usize) -> usize {
            self.0.length(sequence)
        }
        fn truncate(&mut self, sequence: usize, length: usize) -> gollm_engine::Result<()> {
            self.0.truncate(sequence, length)
        }
    }
    // Longer than the context, so that there are three windows.
    let text = bytes(&"a little text of words. ".repeat(5));
    let fast = perplexity(&mut model_of(1), &text, &CancelFlag::new()).unwrap();
    let slow = perplexity(&mut OneByOne(model_of(1)), &text, &CancelFlag::new()).unwrap();
    assert_eq!(fast.n_predicted, 119);
    assert!(
        (fast.mean_loss - slow.mean_loss).abs() < 1e-5,
        "{fast:?}, one by one {slow:?}"
    );
}

#[test]
fn what_the_decoder_refuses_arrives_as_its_own_message() {
    let mut model = model_of(1);
    let batch = [SequenceTokens {
        sequence: 4,
        tokens: &[1],
    }];
    let error = model.forward(&batch).unwrap_err().to_string();
    assert!(error.contains('4'), "{error}");
    let long = vec![1; CONTEXT + 1];
    let error = model
        .forward(&[SequenceTokens {
            sequence: 0,
            tokens: &long,
        }])
        .unwrap_err();
    assert!(error.to_string().contains(&CONTEXT.to_string()), "{error}");
}
