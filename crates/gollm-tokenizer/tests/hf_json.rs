//! Hugging Face's `tokenizer.json`: which chains of steps are read, and which are refused.
//!
//! That the ids are those of `tokenizers` is a test in Python (`test_tokenizers.py`).

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use gollm_tokenizer::{Pattern, Roles, Tokenizer, TrainOptions, train};
use serde_json::{Value, json};
use support::gpt2_file;

fn good() -> Value {
    gpt2_file(
        &["ab", "Ġab"],
        &json!([["a", "b"], ["Ġ", "ab"]]),
        &[("<s>", true), ("<tool>", false)],
    )
}

fn read(file: &Value) -> Tokenizer {
    Tokenizer::from_hf_json(file, None, &[]).unwrap()
}

fn refused(file: &Value) -> String {
    Tokenizer::from_hf_json(file, None, &[])
        .unwrap_err()
        .to_string()
}

fn split(expression: &str) -> Value {
    json!({"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": expression}, "behavior": "Isolated", "invert": false},
        {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false},
    ]})
}

#[test]
fn added_tokens_that_are_not_special_are_found_in_any_text() {
    let tokenizer = read(&good());
    assert_eq!(tokenizer.vocab_size(), 260);
    assert_eq!(tokenizer.encode("ab<tool> ab"), [256, 259, 257]);
    assert_eq!(tokenizer.encode_with_special("<s>ab"), [258, 256]);
    assert!(!tokenizer.encode("<s>").contains(&258));
    assert_eq!(tokenizer.decode(&[258, 259, 257]).unwrap(), "<s><tool> ab");
    assert!(tokenizer.is_special(258) && !tokenizer.is_special(259));
    // And so they are when the tokenizer comes back from a .gollm file.
    assert_eq!(tokenizer.to_json()["version"], 3);
    let again = Tokenizer::from_json(&tokenizer.to_json()).unwrap();
    assert_eq!(again.encode("ab<tool> ab"), [256, 259, 257]);
}

#[test]
fn each_published_way_to_cut_is_recognised() {
    for pattern in [Pattern::O200k, Pattern::Llama3, Pattern::Qwen2] {
        let mut file = good();
        file["pre_tokenizer"] = split(pattern.regex());
        assert_eq!(read(&file).pattern(), Some(pattern));
        // Older conversions keep what does not not match.
        file["pre_tokenizer"]["pretokenizers"][0]["behavior"] = "Removed".into();
        file["pre_tokenizer"]["pretokenizers"][0]["invert"] = true.into();
        assert_eq!(read(&file).pattern(), Some(pattern));
    }
    let mut file = good();
    assert_eq!(read(&file).pattern(), Some(Pattern::Gpt2));
    file["pre_tokenizer"] = json!({"type": "Sequence", "pretokenizers": [
        {"type": "Digits", "individual_digits": true},
        {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
    ]});
    assert_eq!(read(&file).pattern(), Some(Pattern::SmolLm));
    assert_eq!(read(&file).encode("ab1"), [256, 49]);
}

#[test]
fn composing_is_a_step_before_all_others() {
    let mut file = good();
    let apart = read(&file).encode("e\u{301}");
    file["normalizer"] = json!({"type": "NFC"});
    let tokenizer = read(&file);
    assert_eq!(tokenizer.encode("e\u{301}"), tokenizer.encode("\u{e9}"));
    assert_ne!(tokenizer.encode("e\u{301}"), apart);
    let again = Tokenizer::from_json(&tokenizer.to_json()).unwrap();
    assert_eq!(again.encode("e\u{301}"), tokenizer.encode("\u{e9}"));
}

#[test]
fn the_files_say_what_begins_and_ends_a_text() {
    let mut file = good();
    let none = Roles {
        begin: None,
        end: vec![],
    };
    assert_eq!(read(&file).roles(), Some(&none));
    file["post_processor"] = json!({"type": "Sequence", "processors": [
        {"type": "ByteLevel"},
        {"type": "TemplateProcessing",
         "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
         "special_tokens": {"<s>": {"id": "<s>", "ids": [258], "tokens": ["<s>"]}}},
    ]});
    assert_eq!(read(&file).roles().unwrap().begin, Some(258));
    let config =
        json!({"add_bos_token": false, "bos_token": "<s>", "eos_token": {"content": "<tool>"}});
    let tokenizer = Tokenizer::from_hf_json(&file, Some(&config), &[97]).unwrap();
    let expected = Roles {
        begin: None,
        end: vec![97, 259],
    };
    assert_eq!(tokenizer.roles(), Some(&expected));
    let config = json!({"add_bos_token": true, "bos_token": "<s>"});
    let tokenizer = Tokenizer::from_hf_json(&good(), Some(&config), &[]).unwrap();
    assert_eq!(tokenizer.roles().unwrap().begin, Some(258));
    let message = Tokenizer::from_hf_json(&good(), None, &[260])
        .unwrap_err()
        .to_string();
    assert!(message.contains("token id 260"), "{message}");
}

#[test]
fn a_vocabulary_of_ranks_goes_out_and_comes_back() {
    for pattern in Pattern::ALL {
        let options = TrainOptions {
            vocab_size: 264,
            pattern,
            special_tokens: vec!["<s>".to_owned(), "</s>".to_owned()],
        };
        let text = "the cat sat on the mat, the cats sat on the mats: 123 123\n\n";
        let ours = train([text], &options).unwrap();
        let roles = Roles {
            begin: Some(262),
            end: vec![263],
        };
        let files = ours.to_hf_json(&roles, Some("{{ messages }}")).unwrap();
        assert_eq!(files.config["chat_template"], "{{ messages }}");
        assert_eq!(
            (&files.config["bos_token"], &files.config["eos_token"]),
            (&"<s>".into(), &"</s>".into())
        );
        let back = Tokenizer::from_hf_json(&files.tokenizer, Some(&files.config), &[]).unwrap();
        assert_eq!(back.roles(), Some(&roles));
        assert_eq!(back.pattern(), Some(pattern));
        for text in [text, "It's 2026!  \n ", "<s>the</s> cat", " \u{3000}x\r\n"] {
            assert_eq!(back.encode(text), ours.encode(text), "{pattern}: {text:?}");
            assert_eq!(
                back.encode_with_special(text),
                ours.encode_with_special(text)
            );
        }
    }
}

#[test]
fn two_tokens_that_would_be_written_alike_are_refused() {
    let mut tokens: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
    tokens.push(b"<s>".to_vec());
    let ours = Tokenizer::new(tokens, Pattern::Gpt2, vec![("<s>".to_owned(), 257)]).unwrap();
    let message = ours
        .to_hf_json(&Roles::default(), None)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("ids 256 and 257 are both written \"<s>\""),
        "{message}"
    );
}

#[test]
fn the_file_is_loaded_by_its_path() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tokenizer.json");
    std::fs::write(&path, good().to_string()).unwrap();
    assert_eq!(
        Tokenizer::load(&path).unwrap().to_json(),
        read(&good()).to_json()
    );
}

#[test]
fn steps_that_are_not_known_are_named() {
    let byte_level = json!({"type": "ByteLevel", "add_prefix_space": false, "use_regex": false});
    let cases = [
        (
            "normalizer",
            json!({"type": "NFKC"}),
            "`normalizer` is \"NFKC\"",
        ),
        (
            "normalizer",
            json!({"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Lowercase"}]}),
            "\"NFC\", \"Lowercase\"",
        ),
        ("normalizer", json!([1]), "a step without a type"),
        (
            "pre_tokenizer",
            json!({"type": "ByteLevel", "add_prefix_space": true}),
            "`add_prefix_space`",
        ),
        (
            "pre_tokenizer",
            json!({"type": "ByteLevel"}),
            "`add_prefix_space`",
        ),
        (
            "pre_tokenizer",
            json!({"type": "ByteLevel", "add_prefix_space": 1}),
            "`add_prefix_space` is 1, expected true or false",
        ),
        ("pre_tokenizer", byte_level.clone(), "`use_regex`"),
        (
            "pre_tokenizer",
            json!({"type": "Whitespace"}),
            "`pre_tokenizer` is \"Whitespace\"",
        ),
        (
            "pre_tokenizer",
            json!({"type": "Sequence", "pretokenizers": 7}),
            "`pretokenizers` is missing or no list",
        ),
        (
            "pre_tokenizer",
            split(r"\w+|\S"),
            r"by the expression `\\w+|\\S`",
        ),
        (
            "pre_tokenizer",
            split("\u{1b}[31m"),
            r"expression `\u{1b}[31m`",
        ),
        (
            "pre_tokenizer",
            json!({"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": false}, byte_level]}),
            "Digits",
        ),
        (
            "pre_tokenizer",
            Value::Null,
            "nothing says what becomes of spaces",
        ),
        (
            "post_processor",
            json!({"type": "RobertaProcessing"}),
            "`post_processor` is \"RobertaProcessing\"",
        ),
        (
            "post_processor",
            json!({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<x>"}}], "special_tokens": {}}),
            "lack \"<x>\"",
        ),
        (
            "post_processor",
            json!({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x"}}], "special_tokens": {"x": {"ids": [1, 2]}}}),
            "2 tokens before a text",
        ),
        (
            "decoder",
            json!({"type": "WordPiece"}),
            "`decoder` is \"WordPiece\"",
        ),
        ("decoder", Value::Null, "`decoder` is missing or empty"),
        (
            "model",
            json!({"type": "Unigram", "vocab": []}),
            "of type \"Unigram\", which is not read; BPE is",
        ),
        (
            "model",
            json!({"type": "WordPiece"}),
            "of type \"WordPiece\"",
        ),
        (
            "model",
            json!({"type": 3}),
            "`type` of its model is no string",
        ),
        ("model", Value::Null, "`model` is missing"),
        (
            "model",
            json!({"type": "BPE", "merges": []}),
            "`vocab` is missing or no object",
        ),
        (
            "model",
            json!({"type": "BPE", "vocab": {}, "merges": [], "dropout": 0.1}),
            "`dropout` is set",
        ),
        (
            "model",
            json!({"type": "BPE", "vocab": {}, "merges": [], "end_of_word_suffix": "</w>"}),
            "`end_of_word_suffix` is set",
        ),
        (
            "model",
            json!({"type": "BPE", "vocab": {}, "merges": []}),
            "single byte 0x00 has no id",
        ),
        (
            "added_tokens",
            json!([{"id": 258, "content": "x", "lstrip": true}]),
            "\"x\" has `lstrip` set",
        ),
        (
            "added_tokens",
            json!([{"id": 300, "content": "ab"}]),
            "added token \"ab\" has id 300, and 256 in the vocabulary",
        ),
        ("added_tokens", json!([{"id": 258}]), "`content` is missing"),
        (
            "added_tokens",
            json!({}),
            "`added_tokens` is missing or no list",
        ),
    ];
    for (key, value, reason) in cases {
        let mut file = good();
        file[key] = value.clone();
        let message = refused(&file);
        assert!(message.contains(reason), "{key} = {value}: {message}");
        assert!(!message.contains(char::is_control), "{key} = {value}");
    }
}
