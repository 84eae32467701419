//! Ending a generation from outside.

mod common;

use std::ops::ControlFlow;

use common::{MockModel, bytes, engine, greedy, ignore, stopping_at};
use gollm_engine::{CancelFlag, FinishReason, GenerateOptions};

#[test]
fn a_raised_flag_ends_the_text_before_the_next_token() {
    let cancel = CancelFlag::new();
    let options = GenerateOptions {
        cancel: cancel.clone(),
        ..greedy()
    };
    let mut n_pieces = 0;
    let mut engine = engine(MockModel::scripted(2, &bytes("cdefgh")));
    let raise = |_: &str| {
        n_pieces += 1;
        if n_pieces == 3 {
            cancel.cancel();
        }
        ControlFlow::Continue(())
    };
    let generation = engine.generate("ab", &options, raise).unwrap();
    assert_eq!(
        (generation.text.as_str(), generation.finish_reason),
        ("cde", FinishReason::Cancelled)
    );
}

#[test]
fn a_flag_raised_before_the_start_asks_the_model_nothing() {
    let model = MockModel::scripted(2, &[]);
    let passes = model.passes.clone();
    let options = greedy();
    options.cancel.cancel();
    let generation = engine(model).generate("ab", &options, ignore).unwrap();
    assert_eq!(generation.finish_reason, FinishReason::Cancelled);
    assert!(passes.lock().unwrap().is_empty());
}

#[test]
fn a_flag_raised_while_the_prompt_is_read_is_noticed_at_the_next_chunk() {
    let cancel = CancelFlag::new();
    let raise = cancel.clone();
    let model = MockModel::new(move |history| {
        if history.len() == 4 {
            raise.cancel();
        }
        common::one_hot(0)
    });
    let passes = model.passes.clone();
    let options = GenerateOptions {
        cancel,
        prefill_chunk: 2,
        ..greedy()
    };
    let generation = engine(model)
        .generate("abcdefghij", &options, ignore)
        .unwrap();
    assert_eq!(generation.finish_reason, FinishReason::Cancelled);
    assert!(generation.ids.is_empty());
    assert_eq!(passes.lock().unwrap().len(), 2, "two chunks of five");
}

#[test]
fn a_callback_that_breaks_off_is_not_called_again() {
    let mut pieces = Vec::new();
    let mut engine = engine(MockModel::scripted(2, &bytes("cdEN")));
    let break_at_d = |piece: &str| {
        pieces.push(piece.to_owned());
        if piece == "d" {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let generation = engine
        .generate("ab", &stopping_at(&["END"]), break_at_d)
        .unwrap();
    assert_eq!(pieces, ["c", "d"]);
    assert_eq!(
        (generation.text.as_str(), generation.finish_reason),
        ("cd", FinishReason::Cancelled)
    );
}
