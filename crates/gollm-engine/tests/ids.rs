//! Ids without text, and greedy decoding by `argmax` alone: both are cases of the one loop.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use common::{MockModel, engine, greedy, ignore};
use gollm_engine::{
    FinishReason, GenerateOptions, LanguageModel, Result, Sequence, SequenceTokens, generate_ids,
    step,
};
use gollm_sampler::SamplerOptions;

const PROMPT: [u32; 3] = [104, 105, 106];

fn sampled() -> GenerateOptions {
    GenerateOptions {
        sampler: SamplerOptions {
            seed: 3,
            ..SamplerOptions::default()
        },
        max_tokens: 20,
        ..GenerateOptions::default()
    }
}

fn go_on(_id: u32) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[test]
fn without_a_tokenizer_the_same_ids_are_drawn() {
    for options in [greedy(), sampled()] {
        let options = GenerateOptions {
            max_tokens: 20,
            ..options
        };
        let mut with_text = engine(MockModel::hashing());
        let expected = with_text
            .generate_from_ids(PROMPT.to_vec(), &options, ignore)
            .unwrap();
        let mut shown = Vec::new();
        let mut model = MockModel::hashing();
        let found = generate_ids(&mut model, PROMPT.to_vec(), options, |id| {
            shown.push(id);
            go_on(id)
        })
        .unwrap();
        assert_eq!(found.ids, expected.ids);
        assert_eq!(shown, expected.ids);
        assert_eq!(found.text, "");
        assert_eq!(found.finish_reason, FinishReason::Length);
        assert_eq!(found.statistics.generated_tokens, 20);
    }
}

#[test]
fn without_a_tokenizer_only_the_caller_or_the_context_ends_it() {
    // The script draws the id that ends a text where there is a tokenizer to say so.
    let script = [common::END, 7];
    let mut model = MockModel::scripted(3, &script);
    let found = generate_ids(&mut model, PROMPT.to_vec(), greedy(), go_on).unwrap();
    assert_eq!(found.finish_reason, FinishReason::Context);
    assert_eq!(found.ids[..2], script);
    // 64 tokens of context, three of them the prompt's; the model never sees the id drawn last.
    assert_eq!(found.ids.len(), 64 - 3 + 1);

    let broken_off = |id| {
        if id == 7 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let mut model = MockModel::scripted(3, &script);
    let found = generate_ids(&mut model, PROMPT.to_vec(), greedy(), broken_off).unwrap();
    assert_eq!(found.finish_reason, FinishReason::Cancelled);
    assert_eq!(found.ids, script);
}

#[test]
fn stop_strings_without_a_tokenizer_are_refused() {
    let options = GenerateOptions {
        stop_strings: vec!["x".to_owned()],
        ..greedy()
    };
    let mut model = MockModel::hashing();
    let error = generate_ids(&mut model, PROMPT.to_vec(), options, go_on).unwrap_err();
    assert!(error.to_string().contains("no tokenizer"), "{error}");
}

/// Notes which of its two methods served each pass.
struct Noting {
    inner: MockModel,
    passes: Arc<Mutex<Vec<&'static str>>>,
    /// Ids to return instead of the right ones.
    wrong: Option<Vec<u32>>,
}

impl Noting {
    fn new(inner: MockModel) -> Self {
        Self {
            inner,
            passes: Arc::default(),
            wrong: None,
        }
    }
}

impl LanguageModel for Noting {
    fn vocab_size(&self) -> usize {
        self.inner.vocab_size()
    }

    fn context_length(&self) -> usize {
        self.inner.context_length()
    }

    fn n_sequences(&self) -> usize {
        self.inner.n_sequences()
    }

    fn forward(&mut self, batch: &[SequenceTokens<'_>]) -> Result<Vec<Vec<f32>>> {
        self.passes.lock().unwrap().push("logits");
        self.inner.forward(batch)
    }

    fn forward_argmax(&mut self, batch: &[SequenceTokens<'_>]) -> Result<Vec<u32>> {
        self.passes.lock().unwrap().push("argmax");
        let right = self.inner.forward_argmax(batch)?;
        Ok(self.wrong.clone().unwrap_or(right))
    }

    fn length(&self, sequence: usize) -> usize {
        self.inner.length(sequence)
    }

    fn truncate(&mut self, sequence: usize, length: usize) -> Result<()> {
        self.inner.truncate(sequence, length)
    }
}

#[test]
fn greedy_decoding_needs_every_logit_for_its_first_draw_only() {
    let mut model = Noting::new(MockModel::hashing());
    let options = GenerateOptions {
        max_tokens: 4,
        ..greedy()
    };
    let found = generate_ids(&mut model, PROMPT.to_vec(), options.clone(), go_on).unwrap();
    let passes = std::mem::take(&mut *model.passes.lock().unwrap());
    assert_eq!(passes, ["logits", "argmax", "argmax", "argmax"]);

    // Each id is that of the largest logit after the ones before it.
    let mut text = PROMPT.to_vec();
    for id in found.ids {
        let tokens = &text[..];
        let mut fresh = MockModel::hashing();
        let logits = fresh
            .forward(&[SequenceTokens {
                sequence: 0,
                tokens,
            }])
            .unwrap();
        let largest = logits[0].iter().copied().fold(f32::NEG_INFINITY, f32::max);
        assert_eq!(logits[0][id as usize], largest);
        text.push(id);
    }
}

#[test]
fn a_penalty_or_a_temperature_needs_every_logit() {
    let mut penalized = greedy();
    penalized.sampler.frequency_penalty = 0.5;
    for options in [penalized, sampled()] {
        let mut model = Noting::new(MockModel::hashing());
        let options = GenerateOptions {
            max_tokens: 3,
            ..options
        };
        generate_ids(&mut model, PROMPT.to_vec(), options, go_on).unwrap();
        assert_eq!(*model.passes.lock().unwrap(), ["logits"; 3]);
    }
}

#[test]
fn one_pass_serves_a_greedy_and_a_sampled_sequence_as_passes_of_their_own() {
    let alone = |options| {
        let mut model = MockModel::hashing();
        generate_ids(&mut model, PROMPT.to_vec(), options, go_on)
            .unwrap()
            .ids
    };
    let both = [greedy(), sampled()].map(|options| GenerateOptions {
        max_tokens: 5,
        ..options
    });
    let mut model = Noting::new(MockModel {
        histories: vec![Vec::new(); 2],
        ..MockModel::hashing()
    });
    let mut sequences: Vec<_> = (0..2)
        .map(|slot| {
            let options = both[slot].clone();
            Sequence::new(&mut model, None, slot, PROMPT.to_vec(), options).unwrap()
        })
        .collect();
    while sequences
        .iter()
        .any(|sequence| sequence.finish_reason().is_none())
    {
        step(&mut model, &mut sequences).unwrap();
    }
    assert_eq!(*model.passes.lock().unwrap(), ["logits"; 5]);
    for (sequence, options) in sequences.into_iter().zip(both) {
        assert_eq!(sequence.into_generation().ids, alone(options));
    }
}

#[test]
fn ids_that_no_vocabulary_has_are_the_models_fault() {
    for (wrong, expected) in [(vec![], "0 ids"), (vec![9999], "id 9999")] {
        let mut model = Noting::new(MockModel::hashing());
        model.wrong = Some(wrong);
        let error = generate_ids(&mut model, PROMPT.to_vec(), greedy(), go_on).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn logits_that_are_not_finite_are_refused_at_any_token() {
    // NaN at the first draw, and at the third, which the default `forward_argmax` makes.
    for (n_seen, named) in [(3, "after 3 tokens"), (5, "after 5 tokens")] {
        let mut model = MockModel::new(move |history| {
            let mut logits = common::one_hot(9);
            if history.len() == n_seen {
                logits[1] = f32::NAN;
            }
            logits
        });
        let error = generate_ids(&mut model, PROMPT.to_vec(), greedy(), go_on).unwrap_err();
        assert!(error.to_string().contains(named), "{error}");
    }
}
