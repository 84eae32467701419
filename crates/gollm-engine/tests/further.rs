//! Going on behind what the model holds already.

mod common;

use common::{END, HEADER, MockModel, bytes, engine, greedy, ignore};
use gollm_engine::GenerateOptions;

fn options() -> GenerateOptions {
    GenerateOptions {
        max_tokens: 3,
        ..greedy()
    }
}

#[test]
fn only_the_ids_behind_the_common_beginning_are_computed() {
    let model = MockModel::hashing();
    let passes = model.passes.clone();
    let given = || -> usize { passes.lock().unwrap().drain(..).map(|pass| pass[0].1).sum() };
    let mut engine = engine(model);
    let first = engine
        .generate_further(bytes("abcdef"), &options(), ignore)
        .unwrap();
    // Six of the prompt and two of the three drawn: the last one is never seen.
    assert_eq!((given(), first.statistics.kept_tokens), (8, 0));
    let longer = [bytes("abcdef"), first.ids.clone(), bytes("xy")].concat();
    let second = engine
        .generate_further(longer.clone(), &options(), ignore)
        .unwrap();
    assert_eq!((given(), second.statistics.kept_tokens), (1 + 2 + 2, 8));
    // A prompt that the model holds whole: its last id gives the logits again.
    let third = engine.generate_further(longer, &options(), ignore).unwrap();
    assert_eq!((given(), third.statistics.kept_tokens), (1 + 2, 10));
    assert_eq!(third.ids, second.ids);
    let other = engine
        .generate_further(bytes("abX"), &options(), ignore)
        .unwrap();
    assert_eq!((given(), other.statistics.kept_tokens), (1 + 2, 2));
}

#[test]
fn the_text_is_that_of_a_fresh_start() {
    let mut further = engine(MockModel::hashing());
    for prompt in ["abcdef", "abcdefgh", "abc", "xyz", "abcdefgh", "abcdefg"] {
        let found = further
            .generate_further(bytes(prompt), &options(), ignore)
            .unwrap();
        let mut fresh = engine(MockModel::hashing());
        let expected = fresh
            .generate_from_ids(bytes(prompt), &options(), ignore)
            .unwrap();
        assert_eq!(found.ids, expected.ids, "{prompt}");
    }
}

#[test]
fn nothing_is_kept_behind_other_work_or_an_error() {
    let mut engine = engine(MockModel::hashing());
    let kept = |engine: &mut gollm_engine::Engine| {
        let generation = engine.generate_further(bytes("abcdef"), &options(), ignore);
        generation.unwrap().statistics.kept_tokens
    };
    assert_eq!((kept(&mut engine), kept(&mut engine)), (0, 5));
    engine.generate("other", &options(), ignore).unwrap();
    assert_eq!(kept(&mut engine), 0);
    engine.parts_mut().0.truncate(0, 0).unwrap();
    assert_eq!(kept(&mut engine), 0);
    assert!(
        engine
            .generate_further(Vec::new(), &options(), ignore)
            .is_err()
    );
    assert_eq!(kept(&mut engine), 0);
}

#[test]
fn special_tokens_are_shown_if_the_caller_wants_them() {
    let script = [u32::from(b'c'), HEADER, u32::from(b'd'), END];
    for (shown_ids, expected) in [(Vec::new(), "cd"), (vec![HEADER], "c<|start_header_id|>d")] {
        let options = GenerateOptions {
            shown_ids,
            ..greedy()
        };
        let mut engine = engine(MockModel::scripted(2, &script));
        assert_eq!(
            engine.generate("ab", &options, ignore).unwrap().text,
            expected
        );
    }
}
