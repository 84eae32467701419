//! Tokenizer files that are damaged, malicious or merely wrong: each is refused with a reason.

#![expect(clippy::unwrap_used, reason = "a panic is how a test's helper fails")]

use std::fs;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gollm_tokenizer::{Pattern, SPECIAL_TOKENS, Tokenizer, TrainOptions, train};
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

fn small_tokenizer() -> Tokenizer {
    let options = TrainOptions {
        vocab_size: 270,
        pattern: Pattern::Cl100k,
        special_tokens: SPECIAL_TOKENS.map(str::to_owned).to_vec(),
    };
    train(
        ["the hen and the dog and the cat and the hen; the then, the other, another"],
        &options,
    )
    .unwrap()
}

/// A directory with a saved tokenizer in it; the directory goes when the value does.
fn saved() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("small.tiktoken");
    small_tokenizer().save(&path).unwrap();
    (directory, path)
}

/// The 256 byte lines of a rank file.
fn byte_lines() -> Vec<String> {
    (0..=255u8)
        .map(|byte| format!("{} {byte}", STANDARD.encode([byte])))
        .collect()
}

fn with_ranks(ranks: &str) -> Value {
    json!({"kind": "bpe", "version": 1, "pattern": "gpt2", "special": {}, "ranks": ranks})
}

/// The message for a JSON form that must be refused.
fn refused(value: &Value) -> String {
    Tokenizer::from_json(value).unwrap_err().to_string()
}

#[test]
fn what_was_saved_is_loaded() {
    let (_directory, path) = saved();
    let original = small_tokenizer();
    let loaded = Tokenizer::load(&path).unwrap();
    assert_eq!(loaded.to_json(), original.to_json());
    assert_eq!(loaded.vocab_size(), 270);
    assert_eq!(loaded.special_id("<|eot_id|>"), Some(269));
    let text = "the hen<|eot_id|> and 123 dögs";
    assert_eq!(
        loaded.encode_with_special(text),
        original.encode_with_special(text)
    );
}

#[test]
fn a_file_that_holds_the_json_form_is_loaded_by_itself() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tokenizer.json");
    let original = small_tokenizer();
    fs::write(&path, format!("\n {}", original.to_json())).unwrap();
    let loaded = Tokenizer::load(&path).unwrap();
    assert_eq!(loaded.to_json(), original.to_json());
    fs::write(&path, "{\"kind\": \"bpe\", ").unwrap();
    let message = Tokenizer::load(&path).unwrap_err().to_string();
    assert!(
        message.contains("tokenizer.json") && message.contains("JSON"),
        "{message}"
    );
}

#[test]
fn what_became_json_becomes_the_same_tokenizer() {
    let original = small_tokenizer();
    let text = serde_json::to_string(&original.to_json()).unwrap();
    let again = Tokenizer::from_json(&serde_json::from_str(&text).unwrap()).unwrap();
    assert_eq!(again.to_json(), original.to_json());
    assert_eq!(again.pattern(), Some(Pattern::Cl100k));
}

#[test]
fn a_rank_file_has_one_token_a_line_in_tiktokens_form() {
    let (_directory, path) = saved();
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 265);
    assert_eq!(text.lines().nth(97), Some("YQ== 97"));
    assert_eq!(
        text.lines().nth(256),
        Some("aGU= 256"),
        "the first merge, \"he\""
    );
    assert!(text.ends_with('\n'));
}

#[test]
fn a_published_rank_file_needs_only_three_keys_beside_it() {
    let (_directory, path) = saved();
    fs::write(
        path.with_extension("tiktoken.json"),
        r#"{"version": 1, "pattern": "gpt2", "special_tokens": {"<|endoftext|>": 265}}"#,
    )
    .unwrap();
    let loaded = Tokenizer::load(&path).unwrap();
    assert_eq!(loaded.pattern(), Some(Pattern::Gpt2));
    assert_eq!(loaded.special_id("<|endoftext|>"), Some(265));
}

#[test]
fn lines_may_come_in_any_order_and_with_windows_line_ends() {
    let mut lines = byte_lines();
    lines.push("YWI= 256".to_owned());
    lines.reverse();
    let tokenizer = Tokenizer::from_json(&with_ranks(&lines.join("\r\n"))).unwrap();
    assert_eq!(tokenizer.encode("ab"), [256]);
}

#[test]
fn every_malformed_line_is_named() {
    let cases = [
        ("", "no space"),
        ("YWI=", "no space in \"YWI=\""),
        ("YWI=256", "no space"),
        ("YWI=\t256", "no space"),
        (" 256", "no bytes"),
        ("YWI= ", "is not a rank"),
        ("YWI= x", "\"x\" is not a rank"),
        ("YWI= -1", "is not a rank"),
        ("YWI= +256", "is not a rank"),
        ("YWI= 256 ", "is not a rank"),
        ("YWI=  256", "is not a rank"),
        ("YWI= 256 7", "is not a rank"),
        ("YWI= 2.5", "is not a rank"),
        ("YWI= ٣", "is not a rank"),
        ("YWI 256", "is not base64"),
        ("Y!I= 256", "is not base64"),
        ("YWI== 256", "is not base64"),
        ("YWJ= 256", "is not base64"),
        ("YW\u{a0}I= 256", "is not base64"),
        ("é 256", "is not base64"),
        ("\0 256", "is not base64"),
        (
            "YWI= 257",
            "rank 257 is out of range; 257 lines have the ranks 0 to 256",
        ),
        ("YWI= 255", "rank 255 is there twice"),
        ("YWI= 4294967296", "out of range"),
        ("YWI= 99999999999999999999999999", "too large"),
    ];
    for (line, reason) in cases {
        let mut lines = byte_lines();
        lines.push(line.to_owned());
        let message = refused(&with_ranks(&(lines.join("\n") + "\n")));
        assert!(
            message.contains("line 257") && message.contains(reason),
            "{line:?}: {message}"
        );
    }
}

#[test]
fn a_quoted_line_is_cut_short() {
    let message = refused(&with_ranks(&"x".repeat(100_000)));
    assert!(message.len() < 200, "{} bytes", message.len());
}

#[test]
fn a_vocabulary_with_a_hole_or_a_repetition_is_refused() {
    for missing in [0, 65, 255] {
        let mut ranks: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
        ranks[missing] = b"something else".to_vec();
        let message = Tokenizer::new(ranks, Pattern::Gpt2, Vec::new())
            .unwrap_err()
            .to_string();
        assert!(
            message.contains(&format!("single byte 0x{missing:02x} has no id")),
            "{message}"
        );
    }
    let mut lines = byte_lines();
    lines.extend(["YWI= 256".to_owned(), "YWI= 257".to_owned()]);
    let message = refused(&with_ranks(&lines.join("\n")));
    assert!(
        message.contains("ids 256 and 257 both stand for the bytes \"ab\""),
        "{message}"
    );

    let mut lines = byte_lines();
    lines.remove(10);
    let message = refused(&with_ranks(&lines.join("\n")));
    assert!(message.contains("rank 255 is out of range"), "{message}");

    assert!(refused(&with_ranks("")).contains("0x00 has no id"));

    let mut ranks: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
    ranks.push(Vec::new());
    let message = Tokenizer::new(ranks, Pattern::Gpt2, Vec::new())
        .unwrap_err()
        .to_string();
    assert!(message.contains("id 256 stands for no bytes"), "{message}");
}

#[test]
fn special_tokens_that_clash_are_refused() {
    let cases = [
        (
            json!({"<|a|>": 255}),
            "id 255 belongs to an ordinary token; the first free id is 256",
        ),
        (json!({"<|a|>": 0}), "belongs to an ordinary token"),
        (
            json!({"<|a|>": 300, "<|b|>": 300}),
            "id 300 already belongs to \"<|a|>\"",
        ),
        (json!({"": 256}), "its text is empty"),
        (json!({"<|a|>": 4_294_967_295_u64}), "too large"),
        (json!({"<|a|>": 16_777_216}), "ids must be below 16777216"),
        (json!({"<|a|>": 4_294_967_296_u64}), "tokenizer metadata"),
        (json!({"<|a|>": -1}), "tokenizer metadata"),
        (json!({"<|a|>": 256.5}), "tokenizer metadata"),
        (json!({"<|a|>": "256"}), "tokenizer metadata"),
        (json!([["<|a|>", 256]]), "tokenizer metadata"),
    ];
    for (special, reason) in cases {
        let mut value = with_ranks(&byte_lines().join("\n"));
        value["special"] = special.clone();
        let message = refused(&value);
        assert!(message.contains(reason), "{special}: {message}");
    }
    let bytes = (0..=255).map(|byte| vec![byte]).collect();
    let twice = vec![("<|a|>".to_owned(), 256), ("<|a|>".to_owned(), 257)];
    let message = Tokenizer::new(bytes, Pattern::Gpt2, twice)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("it is there twice, as id 256 and 257"),
        "{message}"
    );
}

#[test]
fn json_that_is_not_a_tokenizer_is_refused() {
    let good = with_ranks(&byte_lines().join("\n"));
    assert!(Tokenizer::from_json(&good).is_ok());
    let changes = [
        ("kind", json!("wordpiece"), "kind is \"wordpiece\""),
        ("kind", Value::Null, "invalid type"),
        ("version", json!(0), "version 0 is not known"),
        (
            "version",
            json!(4),
            "version 4 is not known; this gollm reads up to 3",
        ),
        ("version", json!("1"), "invalid type"),
        ("pattern", json!("gpt5"), "unknown variant `gpt5`"),
        ("pattern", json!("GPT2"), "unknown variant"),
        ("ranks", json!(["YQ== 0"]), "invalid type"),
        ("special", Value::Null, "invalid type"),
    ];
    for (key, wrong, reason) in changes {
        let mut value = good.clone();
        value[key] = wrong.clone();
        let message = refused(&value);
        assert!(message.contains(reason), "{key} = {wrong}: {message}");
        let mut value = good.clone();
        value.as_object_mut().unwrap().remove(key);
        let message = refused(&value);
        assert!(
            message.contains(&format!("missing field `{key}`")),
            "no {key}: {message}"
        );
    }
    for value in [Value::Null, json!([]), json!("bpe"), json!(1), json!({})] {
        assert!(refused(&value).contains("tokenizer metadata"), "{value}");
    }
}

#[test]
fn a_missing_file_is_named() {
    let (_directory, path) = saved();
    let metadata = path.with_extension("tiktoken.json");
    fs::remove_file(&metadata).unwrap();
    let message = Tokenizer::load(&path).unwrap_err().to_string();
    assert!(
        message.contains("cannot read") && message.contains("small.tiktoken.json"),
        "{message}"
    );
    let message = Tokenizer::load(path.with_file_name("none"))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("cannot read") && message.contains("none"),
        "{message}"
    );
    let directory = path.parent().unwrap();
    assert!(
        Tokenizer::load(directory)
            .unwrap_err()
            .to_string()
            .contains("cannot read")
    );
}

#[test]
fn metadata_of_another_rank_file_is_refused() {
    let (_directory, path) = saved();
    let options = TrainOptions {
        vocab_size: 260,
        pattern: Pattern::Gpt2,
        special_tokens: Vec::new(),
    };
    let other = path.with_file_name("other.tiktoken");
    train(["abcd abcd abcd efgh efgh"], &options)
        .unwrap()
        .save(&other)
        .unwrap();
    fs::copy(&other, &path).unwrap();
    let message = Tokenizer::load(&path).unwrap_err().to_string();
    assert!(message.contains("small.tiktoken.json"), "{message}");
    assert!(
        message.contains("belongs to a rank file with the fingerprint"),
        "{message}"
    );
}

#[test]
fn malformed_metadata_is_refused() {
    let cases = [
        ("", "EOF while parsing"),
        ("[]", "invalid length 0"),
        ("{}", "missing field `version`"),
        (
            r#"{"version": 1, "pattern": "gpt2"}"#,
            "missing field `special_tokens`",
        ),
        (
            r#"{"version": 7, "pattern": "gpt2", "special_tokens": {}}"#,
            "version 7 is not known",
        ),
        (
            r#"{"version": 1, "pattern": "gpt2", "special_token": {}}"#,
            "unknown field",
        ),
        (
            r#"{"version": 1, "pattern": "gpt2", "special_tokens": {}} x"#,
            "trailing characters",
        ),
        (r#"{"version": 1, "version": 1}"#, "duplicate field"),
    ];
    let (_directory, path) = saved();
    for (text, reason) in cases {
        fs::write(path.with_extension("tiktoken.json"), text).unwrap();
        let message = Tokenizer::load(&path).unwrap_err().to_string();
        assert!(message.contains(reason), "{text}: {message}");
        assert!(message.contains("small.tiktoken.json"), "{text}: {message}");
    }
    fs::write(path.with_extension("tiktoken.json"), "[".repeat(100_000)).unwrap();
    let message = Tokenizer::load(&path).unwrap_err().to_string();
    assert!(message.len() < 500, "{} bytes", message.len());
}

#[cfg(unix)]
#[test]
fn a_file_without_an_end_is_refused() {
    let message = Tokenizer::load("/dev/zero").unwrap_err().to_string();
    assert!(message.contains("/dev/zero"), "{message}");
    assert!(message.contains("more than 134217728 bytes"), "{message}");
}

#[test]
fn files_that_are_not_text_are_refused() {
    let (_directory, path) = saved();
    fs::write(&path, [0x47, 0x4F, 0xFF, 0xFE, 0x00]).unwrap();
    let message = Tokenizer::load(&path).unwrap_err().to_string();
    assert!(message.contains("valid UTF-8"), "{message}");
}

#[test]
fn a_failed_save_leaves_nothing_behind() {
    let (directory, path) = saved();
    let error = small_tokenizer()
        .save(directory.path().join("no/such/x.tiktoken"))
        .unwrap_err();
    assert!(error.to_string().contains("cannot write"), "{error}");
    small_tokenizer().save(&path).unwrap();
    let mut names: Vec<_> = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["small.tiktoken", "small.tiktoken.json"],
        "saved twice, no rest"
    );
}

#[cfg(unix)]
#[test]
fn saved_files_are_not_private() {
    use std::os::unix::fs::PermissionsExt;
    let (directory, path) = saved();
    let plain = directory.path().join("plain");
    fs::write(&plain, "").unwrap();
    let mode = |path: &PathBuf| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(
        mode(&path),
        mode(&plain),
        "the same as of any file a program writes"
    );
}

#[test]
fn a_cut_or_damaged_rank_file_is_noticed() {
    let (_directory, path) = saved();
    let whole = fs::read(&path).unwrap();
    for length in (0..whole.len()).step_by(97) {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(
            Tokenizer::load(&path).is_err(),
            "cut to {length} of {} bytes",
            whole.len()
        );
        let mut damaged = whole.clone();
        damaged[length] ^= 1 << (length % 8);
        fs::write(&path, &damaged).unwrap();
        assert!(
            Tokenizer::load(&path).is_err(),
            "a bit of byte {length} flipped"
        );
    }
}

proptest! {
    #[test]
    fn no_rank_text_makes_it_panic(text in any::<String>()) {
        prop_assert!(Tokenizer::from_json(&with_ranks(&text)).is_err());
    }

    #[test]
    fn no_damaged_line_makes_it_panic(at in 0usize..256, line in "[A-Za-z0-9+/= ]{0,12}") {
        let mut lines = byte_lines();
        lines[at] = line;
        // A line that is still a token is possible; then its byte must have survived.
        if let Ok(tokenizer) = Tokenizer::from_json(&with_ranks(&lines.join("\n"))) {
            prop_assert_eq!(tokenizer.ranks().len(), 256);
        }
    }
}
