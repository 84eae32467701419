//! Several texts in one pass.

mod common;

use std::ops::ControlFlow;

use common::{MockModel, engine, greedy, ignore};
use gollm_engine::{FinishReason, GenerateOptions};
use gollm_sampler::SamplerOptions;

const PROMPTS: [&str; 5] = [
    "a",
    "two words",
    "the third prompt",
    "4",
    "and the last one",
];

fn requests() -> Vec<(Vec<u32>, GenerateOptions)> {
    let request = |(index, prompt): (usize, &&str)| {
        let sampler = SamplerOptions {
            temperature: 1.0,
            seed: index as u64,
            ..Default::default()
        };
        let options = GenerateOptions {
            sampler,
            max_tokens: 5 + 3 * index,
            prefill_chunk: 4,
            ..greedy()
        };
        (common::bytes(prompt), options)
    };
    PROMPTS.iter().enumerate().map(request).collect()
}

fn model_of(n_sequences: usize) -> MockModel {
    let mut model = MockModel::hashing();
    model.histories = vec![Vec::new(); n_sequences];
    model
}

#[test]
fn a_batch_gives_what_single_calls_give_however_many_slots_there_are() {
    let mut single = engine(model_of(1));
    let expected: Vec<_> = requests()
        .into_iter()
        .map(|(prompt, options)| single.generate_from_ids(prompt, &options, ignore).unwrap())
        .collect();
    for n_sequences in [1, 2, 3, 5, 8] {
        let mut streamed = vec![String::new(); PROMPTS.len()];
        let collect = |index: usize, piece: &str| {
            streamed[index].push_str(piece);
            ControlFlow::Continue(())
        };
        let found = engine(model_of(n_sequences))
            .generate_batch(requests(), collect)
            .unwrap();
        assert_eq!(found.len(), PROMPTS.len());
        for ((found, expected), streamed) in found.iter().zip(&expected).zip(&streamed) {
            assert_eq!(found.ids, expected.ids, "{n_sequences} slots");
            assert_eq!(&found.text, streamed);
            assert_eq!(found.finish_reason, FinishReason::Length);
        }
    }
}

#[test]
fn a_free_slot_is_given_to_the_next_prompt_while_the_others_go_on() {
    let model = model_of(2);
    let passes = model.passes.clone();
    engine(model)
        .generate_batch(requests(), |_, _| ControlFlow::Continue(()))
        .unwrap();
    let passes = passes.lock().unwrap();
    assert!(passes.iter().all(|pass| (1..=2).contains(&pass.len())));
    assert!(
        passes
            .iter()
            .flatten()
            .all(|(slot, n_tokens)| *slot < 2 && *n_tokens <= 4)
    );
    let shared = passes.iter().filter(|pass| pass.len() == 2).count();
    // Only the last prompt runs alone, once the others are done.
    assert!(
        shared * 2 > passes.len(),
        "{shared} of {} passes were shared",
        passes.len()
    );
    let mixed =
        |pass: &&common::Pass| pass.iter().any(|e| e.1 > 1) && pass.iter().any(|e| e.1 == 1);
    assert!(
        passes.iter().any(|pass| mixed(&pass)),
        "a prompt is read while another text grows"
    );
}

#[test]
fn breaking_off_ends_one_text_only() {
    let break_third = |index: usize, _: &str| match index {
        2 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let found = engine(model_of(3))
        .generate_batch(requests(), break_third)
        .unwrap();
    let reasons: Vec<&str> = found.iter().map(|g| g.finish_reason.name()).collect();
    assert_eq!(
        reasons,
        ["length", "length", "cancelled", "length", "length"]
    );
    assert_eq!(found[2].ids.len(), 1);
}

#[test]
fn no_prompts_give_no_texts() {
    let found = engine(model_of(2)).generate_batch(Vec::new(), |_, _| ControlFlow::Continue(()));
    assert_eq!(found.unwrap(), []);
}
