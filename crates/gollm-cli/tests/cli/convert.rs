//! `gollm convert`, and GGUF files in every command that takes a model.

use std::fs;

use serde_json::json;

use crate::mistakes::{BAD_FILE, RESOURCES, USAGE, check_with};
use crate::support::{CONFIG, Files, TEXT, done, run, tokenizer};

fn refused(args: &[&str], code: i32, message: &str) {
    check_with(args, b"", &[], code, message);
}

fn greedy(model: &str, prompt: &str) -> String {
    let args = [
        "generate",
        "-m",
        model,
        "--temp",
        "0",
        "-n",
        "20",
        "--ignore-eos",
        prompt,
    ];
    done(&args).text()
}

#[test]
fn a_model_writes_the_same_from_gguf_and_from_what_is_made_of_that() {
    let files = Files::new();
    let (own, there, back) = (
        files.model(),
        files.path("there.gguf"),
        files.path("back.gollm"),
    );
    let said = done(&["convert", &own, &there]).stderr;
    assert!(said.contains("there.gguf written"), "{said}");
    done(&["convert", &there, &back]);
    for prompt in ["Once upon a time", "The fox, 12345 times!\n", "héllo 猫"] {
        let expected = greedy(&own, prompt);
        assert_eq!(greedy(&there, prompt), expected);
        assert_eq!(greedy(&back, prompt), expected);
    }
    done(&["verify", &back, "--verify"]);
    let text = files.write("text.txt", TEXT);
    let perplexity = |model: &str| done(&["perplexity", "-m", model, &text]).text();
    assert_eq!(perplexity(&own), perplexity(&there));
}

#[test]
fn the_embedded_model_writes_the_same_as_gguf() {
    let files = Files::new();
    let embedded = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../test_data/gollm-stories.gollm"
    );
    let there = files.path("stories.gguf");
    done(&["convert", embedded, &there]);
    assert_eq!(
        greedy(&there, "One day, a fox"),
        greedy(embedded, "One day, a fox")
    );
}

#[test]
fn a_tensor_has_one_hash_in_every_kind_of_file() {
    let files = Files::new();
    let own = files.model();
    let (gguf, folder) = (files.path("there.gguf"), files.path("there/"));
    done(&["convert", &own, &gguf]);
    done(&["convert", &own, &folder]);
    let hashes = |model: &str| {
        let text = done(&["verify", model, "--hashes"]).text();
        let lines = text.lines().filter(|line| line.contains(".weight"));
        let mut lines: Vec<String> = lines.map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let expected = hashes(&own);
    let json = done(&["verify", &own, "--json"]).json();
    let tensors = json["tensors"].as_array().unwrap();
    assert_eq!(tensors.len(), expected.len());
    let first = &tensors[0];
    let line = format!(
        "{}  {}",
        first["blake3"].as_str().unwrap(),
        first["name"].as_str().unwrap()
    );
    assert!(expected.contains(&line), "{line}");
    assert_eq!(hashes(&gguf), expected);
    assert_eq!(hashes(&folder), expected);
}

#[test]
fn inspect_and_verify_say_what_kind_of_file_it_is() {
    let files = Files::new();
    let there = files.path("there.gguf");
    done(&["convert", &files.model(), &there]);
    let shown = done(&["inspect", &there]).text();
    assert!(shown.contains("GGUF version 3, "), "{shown}");
    let json = done(&["inspect", &there, "--json"]).json();
    assert_eq!(json["format"], "GGUF version 3");
    assert_eq!(json["tokenizer"]["pattern"], "llama3");
    assert_eq!(json["tensors"][0]["stored_as"], "f32");
    let verified = done(&["verify", &there]).text();
    assert!(
        verified.contains("no checksums in such a file"),
        "{verified}"
    );
    let json = done(&["verify", &there, "--json"]).json();
    assert_eq!(
        (&json["ok"], &json["checksums"]),
        (&json!(true), &json!(false))
    );
    let json = done(&["verify", &files.path("tiny.gollm"), "--json"]).json();
    assert_eq!(json["checksums"], true);
}

#[test]
fn a_file_of_weights_alone_stays_one() {
    let files = Files::new();
    let own = files.model_of(CONFIG, None);
    let there = files.path("there.gguf");
    done(&["convert", &own, &there]);
    assert!(done(&["inspect", &there, "--json"]).json()["tokenizer"].is_null());
    let ids = |model: &str| {
        done(&[
            "generate",
            "-m",
            model,
            "--temp",
            "0",
            "-n",
            "5",
            "--prompt-ids",
            "1,2",
        ])
        .text()
    };
    assert_eq!(ids(&there), ids(&own));
}

#[test]
fn what_cannot_be_converted_is_said_and_nothing_is_lost() {
    let files = Files::new();
    let own = files.model();
    let there = files.write("there.gguf", "kept");
    refused(
        &["convert", &own, &there],
        USAGE,
        "is there already; --force replaces it",
    );
    assert_eq!(fs::read(&there).unwrap(), b"kept");
    done(&["convert", &own, &there, "--force"]);
    refused(
        &["convert", &own, &files.path("out.bin")],
        USAGE,
        "expected .gollm, .gguf, or `/` for a folder",
    );
    refused(
        &["convert", &own, &own, "--force"],
        USAGE,
        "IN and OUT are the same file",
    );
    refused(
        &["convert", &own, &files.path("no/out.gguf")],
        RESOURCES,
        "there is no directory",
    );
    let cut = files.write("cut.gguf", &fs::read(&there).unwrap()[..5000]);
    for command in ["inspect", "verify"] {
        refused(&[command, &cut], BAD_FILE, "cut short or damaged");
    }
    refused(
        &["convert", &cut, &files.path("x.gollm")],
        BAD_FILE,
        "cut.gguf",
    );
    assert!(fs::metadata(files.path("x.gollm")).is_err());
    let other = files.model_of(CONFIG, Some(&tokenizer(290)));
    let ran = run(&["convert", &other, &files.path("y.gguf")]);
    assert!(
        ran.stderr.contains("the tokenizer has 290 ids"),
        "{}",
        ran.stderr
    );
}
