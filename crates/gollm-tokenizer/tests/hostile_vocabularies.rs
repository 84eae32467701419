//! Vocabularies of other projects that are damaged or malicious: each is refused with a reason.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use gollm_tokenizer::Tokenizer;
use serde_json::{Map, Value, json};
use support::{gpt2_file, llama2c_file, pieces};

fn hf(file: &Value) -> String {
    Tokenizer::from_hf_json(file, None, &[])
        .unwrap_err()
        .to_string()
}

fn good() -> Value {
    gpt2_file(&["ab"], &json!([["a", "b"]]), &[("<s>", true)])
}

#[test]
fn ids_are_whole_numbers_within_reach() {
    let cases = [
        (json!(-1), "the id of \"ab\" is -1, expected a whole number"),
        (json!(1.5), "is 1.5"),
        (json!("256"), "is \"256\""),
        (
            json!(9_223_372_036_854_775_808_u64),
            "is 9223372036854775808",
        ),
        (
            json!(4_294_967_295_u32),
            "the largest id is 4294967295, expected less than 4354",
        ),
        (json!(4_354), "the largest id is 4354"),
        (json!(97), "id 97 belongs to"),
        (Value::Null, "is null"),
    ];
    for (id, reason) in cases {
        let mut file = good();
        file["model"]["vocab"]["ab"] = id.clone();
        let message = hf(&file);
        assert!(message.contains(reason), "{id}: {message}");
    }
    for (id, reason) in [
        (json!(-1), "the id of \"<s>\" is -1"),
        (json!(4_294_967_295_u32), "ids must be below"),
        (json!(97), "belongs to an ordinary token"),
    ] {
        let mut file = good();
        file["added_tokens"][0]["id"] = id.clone();
        let message = hf(&file);
        assert!(message.contains(reason), "{id}: {message}");
    }
}

#[test]
fn merges_join_tokens_to_a_token() {
    let cases = [
        (json!([["a", "c"]]), "merge 0: \"ac\" is no token"),
        (
            json!([["a", "b"], ["ab", "xyz"]]),
            "merge 1: \"xyz\" is no token",
        ),
        (json!(["ab"]), "merge 0 is \"ab\", expected two tokens"),
        (json!(["a b", "a  b"]), "merge 1: \" b\" is no token"),
        (json!([" b"]), "expected two tokens"),
        (json!([["a", "b", "c"]]), "merge 0 is a list"),
        (json!([[1, 2]]), "merge 0 is a list"),
        (json!([7]), "merge 0 is 7"),
        (json!({}), "`merges` is missing or no list"),
        (json!([["<", "s>"]]), "merge 0: \"s>\" is no token"),
    ];
    for (merges, reason) in cases {
        let mut file = good();
        file["model"]["merges"] = merges.clone();
        let message = hf(&file);
        assert!(message.contains(reason), "{merges}: {message}");
    }
    // No merge may make a special token: no text becomes one.
    let file = gpt2_file(&["s>", "<s>"], &json!([["<", "s>"]]), &[]);
    let mut file = file.clone();
    file["added_tokens"] = json!([{"id": 257, "content": "<s>", "special": true}]);
    assert!(hf(&file).contains("merge 0: \"<s>\" is a special token"));
}

#[test]
fn added_tokens_are_there_once_and_have_a_text() {
    let token = |id: u32, text: &str| json!({"id": id, "content": text, "special": true});
    for (tokens, reason) in [
        (json!([token(257, "")]), "its text is empty"),
        (
            json!([token(257, "<x>"), token(258, "<x>")]),
            "\"<x>\" is there twice",
        ),
        (
            json!([token(257, "<x>"), token(257, "<y>")]),
            "id 257 already belongs to \"<x>\"",
        ),
    ] {
        let mut file = good();
        file["added_tokens"] = tokens.clone();
        let message = hf(&file);
        assert!(message.contains(reason), "{tokens}: {message}");
    }
}

#[test]
fn a_hundred_thousand_added_tokens_are_searched_for_at_once() {
    let mut file = good();
    let tokens =
        (0..100_000).map(|n| json!({"id": 257 + n, "content": format!("<{n}>"), "special": false}));
    file["added_tokens"] = tokens.collect();
    let tokenizer = Tokenizer::from_hf_json(&file, None, &[]).unwrap();
    let text = "ab<99999>".repeat(1000);
    assert_eq!(tokenizer.encode(&text), [256, 100_256].repeat(1000));
}

#[test]
fn messages_stay_short_and_harmless_whatever_the_file_holds() {
    let long = "\u{1b}[2J".repeat(300_000);
    let mut files = Vec::new();
    for (part, key) in [
        ("model", "type"),
        ("normalizer", "type"),
        ("pre_tokenizer", "type"),
    ] {
        let mut file = good();
        file[part] = json!({key: long});
        files.push(file);
    }
    let mut file = good();
    file["model"]["vocab"][&long] = 257.into();
    files.push(file);
    let mut file = good();
    file["model"]["merges"] = json!([[long, "b"]]);
    files.push(file);
    let mut file = good();
    file["added_tokens"] = json!([{"id": 97, "content": long, "special": true}]);
    files.push(file);
    for file in files {
        let message = hf(&file);
        assert!(message.len() < 2000, "{} bytes", message.len());
        assert!(!message.contains('\u{1b}'), "{message:?}");
    }
}

#[test]
fn a_token_of_a_megabyte_is_one_token_or_refused() {
    // Of bytes it is one more token, which text may become.
    let long = "a".repeat(1 << 20);
    let mut file = good();
    file["model"]["vocab"][&long] = 257.into();
    file["added_tokens"] = json!([]);
    let tokenizer = Tokenizer::from_hf_json(&file, None, &[]).unwrap();
    assert_eq!(tokenizer.token_bytes(257).map(<[u8]>::len), Some(1 << 20));
    // Of texts it is too long.
    let message = Tokenizer::from_json(&pieces(&[("▁", 0.0), (&long, 0.0)], true)).unwrap_err();
    assert!(
        message
            .to_string()
            .contains("has 1048576 bytes, expected at most 1024"),
        "{message}"
    );
}

#[test]
fn steps_within_steps_end() {
    let mut step = json!({"type": "ByteLevel", "add_prefix_space": false});
    for _ in 0..100 {
        step = json!({"type": "Sequence", "pretokenizers": [step]});
    }
    let mut file = good();
    file["pre_tokenizer"] = step;
    assert!(hf(&file).contains("lie too deep in each other"));
}

#[test]
fn pieces_must_fit_together() {
    let json = pieces(&[("▁", -1.0), ("a", -2.0), ("▁a", -3.0)], true);
    assert!(Tokenizer::from_json(&json).is_ok());
    let set = |key: &str, value: Value| {
        let mut json = json.clone();
        json[key] = value;
        json
    };
    let twice = pieces(&[("▁", -1.0), ("a", -2.0), ("a", -3.0)], true);
    let mut merges = set("merges", json!([[259, 261]]));
    merges.as_object_mut().unwrap().remove("scores");
    let mut outside = set("merges", json!([[259, 4_000_000]]));
    outside.as_object_mut().unwrap().remove("scores");
    let cases = [
        (twice, "ids 260 and 261 both stand for \"a\""),
        (merges, "merge 0 makes \"▁▁a\", which is no token"),
        (outside, "merge 0 names id 4000000, which is no token"),
        (set("scores", json!([1.0])), "1 scores for 262 tokens"),
        (
            set("scores", Value::Null),
            "expected either scores or merges",
        ),
        (set("merges", json!([])), "expected either scores or merges"),
        (set("scores", json!([null])), "invalid type"),
        (
            set("scores", json!(vec![1e300; 262])),
            "the score of token 0 is inf",
        ),
        (
            set("bytes", json!([3, 4])),
            "2 bytes have a token; expected all 256, or none",
        ),
        (set("bytes", json!(vec![3; 256])), "byte 0x01 has id 3"),
        (
            set(
                "bytes",
                json!((0..256).map(|n| n + 262).collect::<Vec<u32>>()),
            ),
            "byte 0x00 has id 262",
        ),
        (set("unknown", json!(262)), "token id 262"),
        (set("unknown", json!(-1)), "invalid value"),
        (set("begin", json!(999)), "token id 999"),
        (
            set("end", json!([4_294_967_295_u32])),
            "token id 4294967295",
        ),
        (
            set("special", json!({"x": 259})),
            "belongs to an ordinary token",
        ),
        (
            set("version", json!(2)),
            "version 2 is not known; this gollm reads up to 1",
        ),
        (set("more", json!(1)), "unknown field `more`"),
        (
            set("first_space", json!("often")),
            "unknown variant `often`",
        ),
        (set("tokens", json!("a\nb")), "invalid type"),
    ];
    for (json, reason) in cases {
        let message = Tokenizer::from_json(&json).unwrap_err().to_string();
        assert!(message.contains(reason), "expected {reason}: {message}");
    }
    let mut nothing = pieces(&[("a", 0.0)], false);
    nothing.as_object_mut().unwrap().remove("unknown");
    let message = Tokenizer::from_json(&nothing).unwrap_err().to_string();
    assert!(
        message.contains("neither tokens for bytes nor an unknown token"),
        "{message}"
    );
}

#[test]
fn every_truncation_of_a_llama2_c_file_is_refused_or_a_shorter_vocabulary() {
    let file = llama2c_file(&[(" ", -1.0), ("a", -2.0), (" a", -3.0)]);
    let whole = Tokenizer::from_llama2c(&file).unwrap();
    assert_eq!(whole.vocab_size(), 262);
    let mut shorter = Vec::new();
    for length in 0..file.len() {
        match Tokenizer::from_llama2c(&file[..length]) {
            // The file does not say how many tokens it has; the model does.
            Ok(tokenizer) => shorter.push(tokenizer.vocab_size()),
            Err(error) => {
                let message = error.to_string();
                let reasons = ["it ends at byte", "expected at least 259"];
                assert!(
                    reasons.iter().any(|reason| message.contains(reason)),
                    "{message}"
                );
            }
        }
    }
    assert_eq!(shorter, [259, 260, 261]);
}

#[test]
fn numbers_of_a_llama2_c_file_are_checked() {
    let file = llama2c_file(&[(" ", -1.0)]);
    let at_last = file.len() - 9;
    let changed = |at: usize, bytes: [u8; 4]| {
        let mut file = file.clone();
        file[at..at + 4].copy_from_slice(&bytes);
        Tokenizer::from_llama2c(&file).unwrap_err().to_string()
    };
    for length in [-1, 28, i32::MAX, i32::MIN] {
        let message = changed(at_last + 4, length.to_le_bytes());
        assert!(
            message.contains(&format!(
                "token 259 has the length {length}, expected 0 to 27"
            )),
            "{message}"
        );
    }
    assert!(changed(at_last + 4, 5i32.to_le_bytes()).contains("it ends at byte"));
    assert!(changed(at_last, f32::NAN.to_le_bytes()).contains("the score of token 259 is NaN"));
    assert!(changed(0, (-1i32).to_le_bytes()).contains("expected 0 to -1"));
    let mut file = file.clone();
    let last = file.len() - 1;
    file[last] = 0xFF;
    let message = Tokenizer::from_llama2c(&file).unwrap_err().to_string();
    assert!(
        message.contains("token 259") && message.contains("is not UTF-8"),
        "{message}"
    );
}

#[test]
fn extras_need_the_version_that_knows_them() {
    let mut json = Tokenizer::from_hf_json(&good(), None, &[])
        .unwrap()
        .to_json();
    assert_eq!(json["version"], 2);
    json["added"] = Value::Object(Map::from_iter([("<t>".to_owned(), 300.into())]));
    let message = Tokenizer::from_json(&json).unwrap_err().to_string();
    assert!(message.contains("need version 3, found 2"), "{message}");
    json["version"] = 3.into();
    let mut other = json.clone();
    other["added"]["<t>"] = 97.into();
    let message = Tokenizer::from_json(&other).unwrap_err().to_string();
    assert!(
        message.contains("id 97 belongs to an ordinary token with another text"),
        "{message}"
    );
    assert_eq!(Tokenizer::from_json(&json).unwrap().encode("<t>"), [300]);
}
