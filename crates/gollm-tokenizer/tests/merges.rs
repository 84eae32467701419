//! Vocabularies that come with merges of their own: ids in any order, gaps, roles.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use gollm_tokenizer::{Pattern, Roles, TextForm, Tokenizer, TrainOptions, pretokenize, train};
use proptest::prelude::*;
use serde_json::{Value, json};

const TEXT: &str = "the cat sat on the mat; the cats sat on the mats, and that was that. \
                    It's 2026! Wie schön: 猫も座る。 the the the théâtre\n\n  \n";

fn trained(vocab_size: usize) -> Tokenizer {
    let options = TrainOptions {
        vocab_size,
        pattern: Pattern::Llama3,
        special_tokens: vec!["<s>".to_owned()],
    };
    train([TEXT], &options).unwrap()
}

/// The bytes as tokens in GPT-2's alphabet, in the order of the bytes.
fn byte_tokens() -> Vec<String> {
    let bytes = (0..=255).map(|byte| vec![byte]).collect();
    let tokenizer = Tokenizer::new(bytes, Pattern::Gpt2, Vec::new()).unwrap();
    tokenizer.text_form().unwrap().tokens
}

/// `lines` behind the 256 bytes.
fn json_of(lines: &[&str], merges: &[&str], special: &Value, whole_pieces: bool) -> Value {
    let mut tokens = byte_tokens();
    tokens.extend(lines.iter().map(|line| (*line).to_owned()));
    json!({
        "kind": "bpe", "version": 2, "pattern": "gpt2", "special": special,
        "tokens": tokens.join("\n") + "\n", "merges": merges.join("\n"),
        "whole_pieces": whole_pieces, "end": [],
    })
}

fn tokenizer(lines: &[&str], merges: &[&str], special: &Value, whole: bool) -> Tokenizer {
    Tokenizer::from_json(&json_of(lines, merges, special, whole)).unwrap()
}

#[test]
fn merges_are_joined_in_the_order_of_the_list_whatever_the_ids() {
    let lines = ["ab", "bc", "abc"];
    let first = tokenizer(&lines, &["a b", "b c", "ab c"], &json!({}), false);
    assert_eq!(first.encode("abc"), [258]);
    assert_eq!(first.encode("bc abcb"), [257, 32, 258, 98]);
    let other = tokenizer(&lines, &["b c", "a b", "ab c"], &json!({}), false);
    // "bc" goes first, and nothing joins "a" with it.
    assert_eq!(other.encode("abc"), [97, 257]);
    let whole = tokenizer(&lines, &["b c", "a b", "ab c"], &json!({}), true);
    assert_eq!(whole.encode("abc"), [258]);
}

#[test]
fn only_listed_pairs_are_joined() {
    // "a" and "bc" are together a token, but no merge says so.
    let tokenizer = tokenizer(&["bc", "abc"], &["b c"], &json!({}), false);
    assert_eq!(tokenizer.encode("abc"), [97, 256]);
}

#[test]
fn ids_of_special_tokens_may_lie_between_ordinary_ones() {
    let special = json!({"<s>": 256, "</s>": 258});
    let tokenizer = tokenizer(
        &["", "ab", "", "", "abc"],
        &["a b", "ab c"],
        &special,
        false,
    );
    assert_eq!(tokenizer.vocab_size(), 261);
    assert_eq!(tokenizer.encode_with_special("<s>abc</s>"), [256, 260, 258]);
    assert_eq!(tokenizer.decode(&[256, 260]).unwrap(), "<s>abc");
    assert_eq!(tokenizer.token_bytes(259), None);
    let message = tokenizer.decode(&[259]).unwrap_err().to_string();
    assert!(message.contains("token id 259"), "{message}");
    assert!(!tokenizer.encode("<s>").contains(&256));
}

#[test]
fn the_json_comes_back_with_roles_and_gaps() {
    let mut json = json_of(&["", "ab"], &["a b"], &json!({"<s>": 256}), true);
    json["begin"] = 256.into();
    json["end"] = json!([256, 257]);
    let tokenizer = Tokenizer::from_json(&json).unwrap();
    let roles = Roles {
        begin: Some(256),
        end: vec![256, 257],
    };
    assert_eq!(tokenizer.roles(), Some(&roles));
    let again = Tokenizer::from_json(&tokenizer.to_json()).unwrap();
    assert_eq!(again.to_json(), tokenizer.to_json());
    assert_eq!(again.encode("abab b"), tokenizer.encode("abab b"));
    let directory = tempfile::tempdir().unwrap();
    let message = tokenizer.save(directory.path().join("x")).unwrap_err();
    assert!(
        message.to_string().contains("merges of its own"),
        "{message}"
    );
}

#[test]
fn each_mistake_has_its_message() {
    let none = json!({});
    let cases = [
        (
            "merge 0 (\"ab\"): expected two",
            json_of(&["ab"], &["ab"], &none, true),
        ),
        (
            "merge 0 (\"a b c\"): expected two",
            json_of(&["ab"], &["a b c"], &none, true),
        ),
        (
            "\"ab\" is no token",
            json_of(&["bc"], &["a b"], &none, true),
        ),
        (
            "\"xy\" is no token",
            json_of(&["ab"], &["xy b"], &none, true),
        ),
        (
            "holds '▁', which stands for no byte",
            json_of(&["▁a"], &[], &none, true),
        ),
        (
            "both stand for the bytes",
            json_of(&["ab", "ab"], &[], &none, true),
        ),
        (
            "belongs to an ordinary token",
            json_of(&["ab"], &[], &json!({"<s>": 256}), true),
        ),
    ];
    for (expected, json) in cases {
        let message = Tokenizer::from_json(&json).unwrap_err().to_string();
        assert!(message.contains(expected), "{expected}: {message}");
    }
    let mut missing = json_of(&[], &[], &none, true);
    missing["tokens"] = "a\nb\n".into();
    let message = Tokenizer::from_json(&missing).unwrap_err().to_string();
    assert!(
        message.contains("the single byte 0x00 has no id"),
        "{message}"
    );
    let mut outside = json_of(&[], &[], &none, true);
    outside["end"] = json!([256]);
    let message = Tokenizer::from_json(&outside).unwrap_err().to_string();
    assert!(message.contains("token id 256"), "{message}");
}

/// What every vocabulary of ranks becomes when it goes to a GGUF file and comes back.
fn by_way_of_text(tokenizer: &Tokenizer, whole_pieces: bool) -> Tokenizer {
    let TextForm { mut tokens, merges } = tokenizer.text_form().unwrap();
    tokens.resize(tokenizer.vocab_size(), String::new());
    let special: serde_json::Map<String, Value> = tokenizer
        .special_tokens()
        .map(|(text, id)| (text.to_owned(), id.into()))
        .collect();
    let json = json!({
        "kind": "bpe", "version": 2, "pattern": tokenizer.pattern().unwrap().name(), "special": special,
        "tokens": tokens.join("\n") + "\n", "merges": merges.join("\n"),
        "whole_pieces": whole_pieces, "end": [],
    });
    Tokenizer::from_json(&json).unwrap()
}

#[test]
fn a_vocabulary_of_ranks_encodes_the_same_with_its_merges() {
    let ranks = trained(266);
    for whole_pieces in [true, false] {
        let merges = by_way_of_text(&ranks, whole_pieces);
        assert_eq!(merges.vocab_size(), ranks.vocab_size());
        assert_eq!(merges.encode(TEXT), ranks.encode(TEXT));
        assert_eq!(merges.decode(&merges.encode(TEXT)).unwrap(), TEXT);
    }
}

proptest! {
    #[test]
    fn any_text_encodes_the_same_with_ranks_and_with_merges(
        words in prop::collection::vec(
            prop::sample::select(vec!["the", "cat", " ", "  ", "\n", "mat", "é", "猫", "12", "'s", "ttt"]),
            0..40,
        ),
    ) {
        let ranks = trained(266);
        let merges = by_way_of_text(&ranks, false);
        let text = words.concat();
        prop_assert_eq!(merges.encode(&text), ranks.encode(&text));
    }
}

#[test]
fn llama_3_and_qwen_2_cut_digits_and_last_lines_in_their_own_ways() {
    let pieces =
        |pattern, text| -> Vec<&'static str> { pretokenize(pattern, text).unwrap().collect() };
    assert_eq!(pieces(Pattern::Cl100k, "a \n "), ["a", " \n "]);
    assert_eq!(pieces(Pattern::Llama3, "a \n "), ["a", " \n", " "]);
    assert_eq!(
        pieces(Pattern::Llama3, "it's 12345"),
        ["it", "'s", " ", "123", "45"]
    );
    assert_eq!(
        pieces(Pattern::Qwen2, "it's 123"),
        ["it", "'s", " ", "1", "2", "3"]
    );
}
