//! When a text ends, and what of it is shown.

mod common;

use common::{
    END, END_OF_TURN, HEADER, HELLO, MockModel, WORLD, bytes, engine, greedy, ignore, run,
    stopping_at, tokenizer,
};
use gollm_engine::{FinishReason, GenerateOptions};

#[test]
fn generation_ends_after_max_tokens() {
    let (generation, _) = run(
        &bytes("cdefgh"),
        &GenerateOptions {
            max_tokens: 3,
            ..greedy()
        },
    );
    assert_eq!(generation.text, "cde");
    assert_eq!(generation.ids, bytes("cde"));
    assert_eq!(generation.finish_reason, FinishReason::Length);
}

#[test]
fn max_tokens_zero_asks_the_model_nothing() {
    let model = MockModel::scripted(2, &[]);
    let passes = model.passes.clone();
    let options = GenerateOptions {
        max_tokens: 0,
        ..greedy()
    };
    let generation = engine(model).generate("ab", &options, ignore).unwrap();
    assert_eq!(
        (generation.text.as_str(), generation.finish_reason),
        ("", FinishReason::Length)
    );
    assert_eq!(generation.statistics.time_to_first_token, None);
    assert!(passes.lock().unwrap().is_empty());
}

#[test]
fn every_end_of_text_token_ends_the_text_and_is_not_part_of_it() {
    for end in [END, END_OF_TURN] {
        let (generation, _) = run(&[HELLO, end, WORLD], &greedy());
        assert_eq!(generation.text, "hello");
        assert_eq!(generation.ids, [HELLO]);
        assert_eq!(generation.finish_reason, FinishReason::EndOfText);
        assert_eq!(
            generation.statistics.generated_tokens, 2,
            "the end was drawn too"
        );
    }
}

#[test]
fn end_of_text_can_be_ignored_and_then_leaves_no_trace_in_the_text() {
    let options = GenerateOptions {
        ignore_end_of_text: true,
        max_tokens: 3,
        ..greedy()
    };
    let (generation, _) = run(&[HELLO, END, WORLD], &options);
    assert_eq!(generation.text, "hello world");
    assert_eq!(generation.ids, [HELLO, END, WORLD]);
}

#[test]
fn a_special_token_never_becomes_text() {
    let (generation, _) = run(&[HELLO, HEADER, WORLD, END], &greedy());
    assert_eq!(generation.text, "hello world");
}

#[test]
fn a_stop_id_of_the_caller_ends_the_text() {
    let options = GenerateOptions {
        stop_ids: vec![7, WORLD],
        ..greedy()
    };
    let (generation, _) = run(&[HELLO, WORLD], &options);
    assert_eq!(generation.text, "hello");
    assert_eq!(generation.finish_reason, FinishReason::StopId(WORLD));
}

#[test]
fn a_stop_string_over_three_tokens_is_found_and_none_of_it_shown() {
    let (generation, pieces) = run(&bytes("one.END of it"), &stopping_at(&["END"]));
    assert_eq!(pieces, ["o", "n", "e", "."]);
    assert_eq!(
        generation.finish_reason,
        FinishReason::StopString("END".to_owned())
    );
    assert_eq!(
        generation.ids,
        bytes("one.END"),
        "the ids are those that were drawn"
    );
}

#[test]
fn a_stop_string_inside_one_token_cuts_that_token() {
    let (generation, _) = run(&[HELLO, WORLD], &stopping_at(&["o w", "ll"]));
    assert_eq!(generation.text, "he");
    assert_eq!(
        generation.finish_reason,
        FinishReason::StopString("ll".to_owned())
    );
    let (generation, _) = run(&[HELLO, WORLD], &stopping_at(&["o w"]));
    assert_eq!(generation.text, "hell");
}

#[test]
fn the_beginning_of_a_stop_string_is_shown_once_it_is_none() {
    let (generation, pieces) = run(
        &[&bytes("ENDE.")[..], &[END]].concat(),
        &stopping_at(&["ENDING"]),
    );
    assert_eq!(pieces, ["END", "E."]);
    assert_eq!(generation.finish_reason, FinishReason::EndOfText);
}

#[test]
fn text_held_back_for_a_stop_string_is_shown_at_the_end() {
    let (generation, pieces) = run(
        &[&bytes("xEN")[..], &[END]].concat(),
        &stopping_at(&["END"]),
    );
    assert_eq!(pieces, ["x", "EN"]);
    assert_eq!(generation.finish_reason, FinishReason::EndOfText);
    let options = GenerateOptions {
        max_tokens: 3,
        ..stopping_at(&["END"])
    };
    let (generation, _) = run(&bytes("xEN"), &options);
    assert_eq!(
        (generation.text.as_str(), generation.finish_reason),
        ("xEN", FinishReason::Length)
    );
}

#[test]
fn a_stop_string_wins_over_the_limit_that_its_last_token_reaches() {
    let options = GenerateOptions {
        max_tokens: 4,
        ..stopping_at(&["END"])
    };
    let (generation, _) = run(&bytes("xEND"), &options);
    assert_eq!(generation.text, "x");
    assert_eq!(
        generation.finish_reason,
        FinishReason::StopString("END".to_owned())
    );
}

#[test]
fn the_prompt_is_not_searched_for_stop_strings() {
    let (generation, _) = run(
        &[&bytes("cd")[..], &[END]].concat(),
        &stopping_at(&["ab", "bc"]),
    );
    assert_eq!(generation.text, "cd");
}

#[test]
fn a_character_over_several_tokens_arrives_whole() {
    // 2, 3 and 4 bytes, one token each byte.
    let (generation, pieces) = run(&[&bytes("é€😀")[..], &[END]].concat(), &greedy());
    assert_eq!(pieces, ["é", "€", "😀"]);
    assert_eq!(generation.text, "é€😀");
}

#[test]
fn half_a_character_at_the_end_is_the_replacement_character_as_in_decode() {
    let half = &bytes("x😀")[..3];
    let (generation, pieces) = run(
        half,
        &GenerateOptions {
            max_tokens: 3,
            ..greedy()
        },
    );
    assert_eq!(pieces, ["x", "\u{FFFD}"]);
    assert_eq!(
        generation.text,
        tokenizer().decode(&generation.ids).unwrap()
    );
}

#[test]
fn the_context_limits_what_the_model_sees_and_ends_the_text() {
    let mut model = MockModel::scripted(2, &bytes("cdefgh"));
    model.context_length = 5;
    let generation = engine(model).generate("ab", &greedy(), ignore).unwrap();
    // The model saw "abcde" and drew one more.
    assert_eq!(generation.text, "cdef");
    assert_eq!(generation.finish_reason, FinishReason::Context);
}

#[test]
fn a_prompt_that_fills_the_context_is_continued_by_one_token_and_a_longer_one_is_an_error() {
    let engine_of_context = |context_length| {
        let mut model = MockModel::scripted(4, &bytes("xyz"));
        model.context_length = context_length;
        engine(model)
    };
    let generation = engine_of_context(4)
        .generate("abcd", &greedy(), ignore)
        .unwrap();
    assert_eq!(
        (generation.text.as_str(), generation.finish_reason),
        ("x", FinishReason::Context)
    );
    let error = engine_of_context(3)
        .generate("abcd", &greedy(), ignore)
        .unwrap_err();
    let expected = "the prompt has 4 tokens but the model's context is 3; leave out at least 1";
    assert_eq!(error.to_string(), expected);
}
