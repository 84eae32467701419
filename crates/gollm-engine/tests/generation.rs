//! The generation loop: prompts, prefill, statistics and what is refused.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{
    BEGIN, END, HEADER, HELLO, MockModel, bytes, engine, greedy, ignore, stopping_at, tokenizer,
};
use gollm_engine::{Engine, Error, GenerateOptions};
use gollm_sampler::SamplerOptions;
use gollm_tokenizer::Tokenizer;

fn message(prompt: &str, options: &GenerateOptions) -> String {
    let mut engine = engine(MockModel::scripted(0, &[]));
    engine
        .generate(prompt, options, ignore)
        .unwrap_err()
        .to_string()
}

#[test]
fn an_empty_prompt_starts_from_begin_of_text_or_is_an_error() {
    let options = GenerateOptions {
        begin_of_text: true,
        ..greedy()
    };
    let mut engine = engine(MockModel::scripted(1, &[HELLO, END]));
    assert_eq!(engine.generate("", &options, ignore).unwrap().text, "hello");
    assert!(message("", &greedy()).starts_with("the prompt is empty"));
}

#[test]
fn begin_of_text_comes_first_and_user_text_never_becomes_special() {
    let engine = engine(MockModel::scripted(0, &[]));
    assert_eq!(engine.encode_prompt("ab", true), [BEGIN, 97, 98]);
    assert_eq!(engine.encode_prompt("ab", false), [97, 98]);
    let typed = engine.encode_prompt("<|eot_id|>", true);
    assert_eq!(typed[0], BEGIN);
    assert!(
        typed[1..]
            .iter()
            .all(|&id| !engine.tokenizer().is_special(id))
    );
}

#[test]
fn a_continuation_keeps_the_space_between_two_words_and_a_beginning_has_none() {
    let json = serde_json::json!({
        "kind": "sentencepiece", "version": 1,
        "special": {"<unk>": 0, "<s>": 1, "</s>": 2},
        "tokens": ["", "", "", "▁", "a", "▁a"], "scores": [0, 0, 0, -1, -2, -3], "unknown": 0,
        "first_space": "each_part", "strips_first_space": true, "begin": 1, "end": [2],
    });
    for (prompt, n_prompt, expected) in [("a", 2, " aa"), ("", 1, "aa")] {
        let script = [5, 4, 2];
        let mut model = MockModel::new(move |history| {
            let mut logits = vec![0.0; 6];
            logits[script[history.len() - n_prompt]] = 30.0;
            logits
        });
        model.vocab_size = 6;
        let tokenizer = Tokenizer::from_json(&json).unwrap();
        let mut engine = Engine::new(Box::new(model), tokenizer).unwrap();
        let options = GenerateOptions {
            begin_of_text: true,
            ..greedy()
        };
        let generation = engine.generate(prompt, &options, ignore).unwrap();
        assert_eq!(generation.text, expected, "{prompt:?}");
    }
}

#[test]
fn a_prompt_of_ids_may_hold_special_tokens_but_no_unknown_ones() {
    let mut engine = engine(MockModel::scripted(2, &[HELLO, END]));
    let generation = engine
        .generate_from_ids(vec![BEGIN, HEADER], &greedy(), ignore)
        .unwrap();
    assert_eq!(generation.text, "hello");
    let error = engine
        .generate_from_ids(vec![BEGIN, 262], &greedy(), ignore)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "token 1 of the prompt has id 262, expected an id below 262"
    );
}

#[test]
fn chunked_prefill_gives_the_result_of_a_single_pass() {
    let prompt = "a prompt of some length";
    let run = |prefill_chunk| {
        let model = MockModel::hashing();
        let passes = model.passes.clone();
        let sampler = SamplerOptions {
            temperature: 1.0,
            seed: 5,
            ..Default::default()
        };
        let options = GenerateOptions {
            prefill_chunk,
            sampler,
            max_tokens: 20,
            ..greedy()
        };
        let generation = engine(model).generate(prompt, &options, ignore).unwrap();
        let sizes: Vec<usize> = passes
            .lock()
            .unwrap()
            .iter()
            .map(|pass| pass[0].1)
            .collect();
        (generation.text, sizes)
    };
    let (whole, sizes) = run(1000);
    assert_eq!(sizes[..2], [23, 1]);
    for (chunk, expected) in [(1, vec![1; 23]), (10, vec![10, 10, 3]), (23, vec![23])] {
        let (text, sizes) = run(chunk);
        assert_eq!(text, whole);
        assert_eq!(sizes[..expected.len()], expected);
    }
}

#[test]
fn options_that_make_no_sense_are_errors() {
    let chunk = GenerateOptions {
        prefill_chunk: 0,
        ..greedy()
    };
    assert_eq!(
        message("ab", &chunk),
        "option `prefill_chunk`: it is 0, expected at least 1 token per pass"
    );
    assert!(
        message("ab", &stopping_at(&[""])).starts_with("option `stop_strings`: string 0 is empty")
    );
    let mut hot = greedy();
    hot.sampler.temperature = -1.0;
    assert!(message("ab", &hot).starts_with("sampling option `temperature` is -1"));
}

#[test]
fn the_statistics_count_tokens_and_order_the_times() {
    let options = GenerateOptions {
        max_tokens: 4,
        begin_of_text: true,
        ..greedy()
    };
    let mut engine = engine(MockModel::scripted(3, &bytes("cdefgh")));
    let statistics = engine.generate("ab", &options, ignore).unwrap().statistics;
    assert_eq!(statistics.prompt_tokens, 3);
    assert_eq!(statistics.generated_tokens, 4);
    assert!(statistics.time_to_first_token.unwrap() <= statistics.total_time);
}

#[test]
fn a_second_generation_does_not_remember_the_first() {
    let mut engine = engine(MockModel::hashing());
    let options = GenerateOptions {
        max_tokens: 12,
        ..greedy()
    };
    let first = engine.generate("ab", &options, ignore).unwrap();
    let other = engine.generate("something else", &options, ignore).unwrap();
    let again = engine.generate("ab", &options, ignore).unwrap();
    assert_eq!(first.ids, again.ids);
    assert_ne!(first.ids, other.ids);
}

#[test]
fn a_vocabulary_that_does_not_match_is_refused_with_both_counts() {
    for vocab_size in [261, 263] {
        let mut model = MockModel::scripted(0, &[]);
        model.vocab_size = vocab_size;
        let error = Engine::new(Box::new(model), tokenizer())
            .unwrap_err()
            .to_string();
        let expected =
            format!("the model has logits for {vocab_size} ids but the tokenizer has 262;");
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[test]
fn broken_logits_are_an_error_that_says_where() {
    let mut engine = engine(MockModel::new(|history| {
        let mut logits = common::one_hot(HELLO);
        if history.len() == 4 {
            logits[17] = f32::NAN;
        }
        logits
    }));
    let error = engine.generate("ab", &greedy(), ignore).unwrap_err();
    assert!(matches!(error, Error::Sampling { n_tokens: 4, .. }));
    assert!(
        error
            .to_string()
            .starts_with("after 4 tokens: logit 17 of 262 is NaN"),
        "{error}"
    );
}

#[test]
fn a_model_that_breaks_its_contract_is_an_error() {
    let mut engine = engine(MockModel::new(|_| vec![0.0; 5]));
    let error = engine
        .generate("ab", &greedy(), ignore)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("5 logits in list 0, expected vocab_size = 262"),
        "{error}"
    );
}
