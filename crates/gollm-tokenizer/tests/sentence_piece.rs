//! Vocabularies of texts with scores: spaces that are seen, bytes for what is missing.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use gollm_tokenizer::Tokenizer;
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{llama2c_file, pieces};

const TOKENS: [(&str, f32); 12] = [
    ("▁", -10.0),
    ("a", -11.0),
    ("b", -12.0),
    ("c", -13.0),
    ("é", -14.0),
    ("▁a", -1.0),
    ("ab", -2.0),
    ("bc", -3.0),
    ("▁ab", -4.0),
    ("▁▁", -5.0),
    ("aa", -6.0),
    ("abc", -7.0),
];

fn tokenizer(json: &Value) -> Tokenizer {
    Tokenizer::from_json(json).unwrap()
}

/// With bytes, the first token's id is 259.
fn small() -> Tokenizer {
    tokenizer(&pieces(&TOKENS, true))
}

fn texts(tokenizer: &Tokenizer, ids: &[u32]) -> Vec<String> {
    let text = |id: &u32| {
        tokenizer
            .token_bytes(*id)
            .unwrap()
            .escape_ascii()
            .to_string()
    };
    ids.iter().map(text).collect()
}

#[test]
fn a_word_is_the_same_token_at_the_beginning_and_in_the_middle() {
    let tokenizer = small();
    assert_eq!(tokenizer.encode("ab ab"), [267, 267]);
    assert_eq!(texts(&tokenizer, &[267, 264]), [" ab", " a"]);
    assert_eq!(tokenizer.decode(&[267, 267]).unwrap(), "ab ab");
    assert_eq!(tokenizer.encode(""), [] as [u32; 0]);
}

#[test]
fn the_highest_score_is_joined_first_and_the_leftmost_of_equals() {
    let tokenizer = small();
    // "▁a" (-1) goes before "ab" (-2), then "bc" (-3) before "▁ab" (-4).
    assert_eq!(texts(&tokenizer, &tokenizer.encode("abc")), [" a", "bc"]);
    assert_eq!(
        texts(&tokenizer, &tokenizer.encode("cabc")),
        [" ", "c", "abc"]
    );
    assert_eq!(
        texts(&tokenizer, &tokenizer.encode("caaa")),
        [" ", "c", "aa", "a"]
    );
}

#[test]
fn a_character_without_a_token_becomes_its_bytes() {
    let tokenizer = small();
    let ids = tokenizer.encode("aü猫");
    assert_eq!(ids, [264, 3 + 0xC3, 3 + 0xBC, 3 + 0xE7, 3 + 0x8C, 3 + 0xAB]);
    assert_eq!(tokenizer.decode(&ids).unwrap(), "aü猫");
    // What is written like the token of a byte is text like any other.
    assert_eq!(
        tokenizer.decode(&tokenizer.encode("<0x0A>")).unwrap(),
        "<0x0A>"
    );
    assert!(!tokenizer.encode("<0x0A>").contains(&(3 + 0x0A)));
}

#[test]
fn without_bytes_unknown_characters_become_one_unknown_token() {
    let tokenizer = tokenizer(&pieces(&TOKENS, false));
    assert_eq!(
        texts(&tokenizer, &tokenizer.encode("axyzb x")),
        [" a", "<unk>", "b", " ", "<unk>"]
    );
}

#[test]
fn a_stream_shows_whole_characters_and_no_space_before_a_text() {
    let tokenizer = small();
    let mut stream = tokenizer.stream();
    assert_eq!(stream.push(267).unwrap(), "ab");
    assert_eq!(stream.push(267).unwrap(), " ab");
    assert_eq!(stream.push(3 + 0xC3).unwrap(), "");
    assert_eq!(stream.push(3 + 0xBC).unwrap(), "ü");
    // What continues a text begins with the space between two words, unless the text was a mark.
    assert_eq!(tokenizer.stream_after(&[267]).push(267).unwrap(), " ab");
    assert_eq!(tokenizer.stream_after(&[267, 1]).push(267).unwrap(), "ab");
    assert_eq!(tokenizer.stream_after(&[]).push(267).unwrap(), "ab");
}

#[test]
fn each_rule_for_the_first_space_is_its_own() {
    let cases = [
        ("never", " a", " a"),
        ("never", "a", "a"),
        ("each_part", " a", "  a"),
        ("each_part_if_missing", " a", " a"),
        ("each_part_if_missing", "a", " a"),
        ("first_part_if_missing", "a", " a"),
    ];
    for (rule, text, expected) in cases {
        let mut json = pieces(&TOKENS, true);
        json["first_space"] = rule.into();
        json["strips_first_space"] = false.into();
        let tokenizer = tokenizer(&json);
        let decoded = tokenizer.decode(&tokenizer.encode(text)).unwrap();
        assert_eq!(decoded, expected, "{rule}: {text:?}");
    }
    // Behind a mark a new part begins, but not a new text.
    for (rule, n_spaces) in [
        ("each_part", 2),
        ("each_part_if_missing", 2),
        ("first_part_if_missing", 1),
    ] {
        let mut json = pieces(&TOKENS, true);
        json["first_space"] = rule.into();
        let tokenizer = tokenizer(&json);
        let ids = tokenizer.encode_with_special("b</s>b");
        let found = ids.iter().filter(|id| **id == 259).count();
        assert_eq!(found, n_spaces, "{rule}: {:?}", texts(&tokenizer, &ids));
    }
}

#[test]
fn tokens_that_reach_across_spaces_are_cut_only_where_asked_for() {
    let tokens = [("▁", -1.0), ("a", -2.0), ("a▁", -3.0), ("a▁a", -4.0)];
    let mut json = pieces(&tokens, true);
    json["first_space"] = "never".into();
    assert_eq!(tokenizer(&json).encode("a a"), [262]);
    json["splits_at_spaces"] = true.into();
    assert_eq!(tokenizer(&json).encode("a a"), [260, 259, 260]);
}

#[test]
fn special_tokens_are_found_in_trusted_text_alone_and_added_ones_in_any() {
    let mut json = pieces(&TOKENS, true);
    json["added"] = json!({"<tool>": 271});
    let tokenizer = tokenizer(&json);
    assert_eq!(tokenizer.encode("a<tool>a"), [264, 271, 264]);
    assert!(!tokenizer.encode("<s>").contains(&1));
    assert_eq!(tokenizer.encode_with_special("<s>a<tool>"), [1, 264, 271]);
    assert!(tokenizer.is_special(1) && !tokenizer.is_special(271));
    assert_eq!(tokenizer.decode(&[271]).unwrap(), "<tool>");
    assert_eq!(
        tokenizer.added_tokens().collect::<Vec<_>>(),
        [("<tool>", 271)]
    );
    assert_eq!(tokenizer.special_id("<tool>"), None);
}

#[test]
fn the_json_comes_back_whole() {
    let mut json = pieces(&TOKENS, true);
    json["added"] = json!({"<tool>": 271});
    let tokenizer = tokenizer(&json);
    let again = Tokenizer::from_json(&tokenizer.to_json()).unwrap();
    assert_eq!(again.to_json(), tokenizer.to_json());
    assert_eq!(again.to_json()["scores"], json["scores"]);
    assert_eq!(again.encode("abc é ü"), tokenizer.encode("abc é ü"));
    assert_eq!((again.pattern(), again.vocab_size()), (None, 272));
    assert_eq!(again.roles(), tokenizer.roles());
}

#[test]
fn scores_and_the_merges_they_become_give_the_same_ids() {
    let scored = small();
    let form = scored.scored_form().unwrap();
    assert_eq!(form.scores[259..], TOKENS.map(|token| token.1));
    assert_eq!((form.tokens[3].as_str(), form.bytes[0]), ("<0x00>", 3));
    let files = scored.to_hf_json(scored.roles().unwrap(), None).unwrap();
    let merged = Tokenizer::from_hf_json(&files.tokenizer, Some(&files.config), &[]).unwrap();
    assert_eq!(merged.roles(), scored.roles());
    // And the merges become scores again, others but in the same order.
    let back = merged.scored_form().unwrap();
    let mut json = merged.to_json();
    json["scores"] = json!(back.scores);
    json.as_object_mut().unwrap().remove("merges");
    let back = tokenizer(&json);
    for text in ["abc abcab", "  a  aaa", "cabcabc ü", "▁a"] {
        assert_eq!(merged.encode(text), scored.encode(text), "{text:?}");
        assert_eq!(back.encode(text), scored.encode(text), "{text:?}");
    }
}

#[test]
fn ids_up_to_the_models_size_can_be_filled() {
    let padded = small().padded_to(300).unwrap();
    assert_eq!(padded.vocab_size(), 300);
    assert!(padded.is_special(299) && padded.decode(&[299]).unwrap() == "[PAD299]");
    assert_eq!(padded.encode("abc"), small().encode("abc"));
    let message = small().padded_to(200).unwrap_err().to_string();
    assert!(message.contains("271 ids, more than the 200"), "{message}");
}

#[test]
fn llama2_c_s_file_is_the_same_vocabulary() {
    let file = llama2c_file(&TOKENS.map(|(text, score)| (text, score)));
    let spaced: Vec<(String, f32)> = TOKENS
        .iter()
        .map(|(t, s)| (t.replace('▁', " "), *s))
        .collect();
    let spaced: Vec<(&str, f32)> = spaced.iter().map(|(t, s)| (t.as_str(), *s)).collect();
    assert_ne!(file, llama2c_file(&spaced));
    let read = Tokenizer::from_llama2c(&llama2c_file(&spaced)).unwrap();
    assert_eq!(read.to_json(), small().to_json());
    assert_eq!(read.roles().unwrap().begin, Some(1));
}

#[test]
fn a_long_run_of_one_letter_is_encoded() {
    let tokenizer = small();
    let ids = tokenizer.encode(&"a".repeat(1_000_001));
    // ▁a, then pairs.
    assert_eq!((ids.len(), ids[0], ids[1]), (500_001, 264, 269));
}

/// The rule as it is said: the neighbours with the highest score, the leftmost of equals.
fn by_definition(tokens: &[(String, f32)], text: &str) -> Vec<String> {
    let score = |text: &str| {
        tokens
            .iter()
            .find(|token| token.0 == text)
            .map(|token| token.1)
    };
    let mut parts: Vec<String> = text.chars().map(String::from).collect();
    loop {
        let mut best: Option<(f32, usize)> = None;
        for at in 1..parts.len() {
            let joined = score(&format!("{}{}", parts[at - 1], parts[at]));
            if let Some(score) = joined.filter(|score| best.is_none_or(|(most, _)| *score > most)) {
                best = Some((score, at));
            }
        }
        let Some((_, at)) = best else { return parts };
        let right = parts.remove(at);
        parts[at - 1].push_str(&right);
    }
}

proptest! {
    #[test]
    fn encoding_follows_the_definition_with_any_vocabulary(
        longer in prop::collection::btree_map("[ab▁]{2,5}", -4i8..0, 0..12),
        text in "[ab ]{0,24}",
    ) {
        let mut tokens: Vec<(String, f32)> =
            ["▁", "a", "b"].iter().map(|token| ((*token).to_owned(), -99.0)).collect();
        tokens.extend(longer.into_iter().map(|(token, score)| (token, f32::from(score))));
        let borrowed: Vec<(&str, f32)> = tokens.iter().map(|t| (t.0.as_str(), t.1)).collect();
        let mut json = pieces(&borrowed, true);
        json["first_space"] = "never".into();
        let tokenizer = tokenizer(&json);
        let found = texts(&tokenizer, &tokenizer.encode(&text));
        let expected = by_definition(&tokens, &text.replace(' ', "▁"));
        let expected: Vec<String> = expected.iter().map(|part| part.replace('▁', " ")).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn any_text_comes_back_but_for_the_visible_space(text in any::<String>()) {
        let tokenizer = small();
        let ids = tokenizer.encode(&text);
        prop_assert_eq!(tokenizer.decode(&ids).unwrap(), text.replace('▁', " "));
        let mut stream = tokenizer.stream();
        let mut streamed = String::new();
        for id in ids {
            streamed.push_str(&stream.push(id).unwrap());
        }
        streamed.push_str(&stream.finish());
        prop_assert_eq!(streamed, text.replace('▁', " "));
    }
}
