//! Hugging Face folders in every command that takes a model, and `gollm convert IN DIR/`.

use std::fs;

use crate::mistakes::{BAD_FILE, RESOURCES, USAGE, check_with};
use crate::support::{CONFIG, Files, done};

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
fn a_model_writes_the_same_from_a_folder_and_from_what_is_made_of_that() {
    let files = Files::new();
    let own = files.model();
    let (there, back) = (files.path("there/"), files.path("back.gollm"));
    let said = done(&["convert", &own, &there]).stderr;
    assert!(said.contains("there/ written"), "{said}");
    done(&["convert", &there, &back]);
    let weights = files.path("there/model.safetensors");
    for prompt in ["Once upon a time", "The fox, 12345 times!\n", "héllo 猫"] {
        let expected = greedy(&own, prompt);
        for model in [&there, &weights, &back] {
            assert_eq!(greedy(model, prompt), expected, "{model}");
        }
    }
    let verified = done(&["verify", &there]).text();
    assert!(
        verified.contains("ok. Hugging Face folder (no checksums"),
        "{verified}"
    );
    let json = |model: &str| done(&["params", model, "--json"]).json();
    assert_eq!(json(&there), json(&own));
    let text = done(&["inspect", &there]).text();
    assert!(text.contains("LlamaForCausalLM"), "{text}");
}

#[test]
fn a_folder_of_weights_alone_continues_ids() {
    let files = Files::new();
    let own = files.model_of(CONFIG, None);
    let there = files.path("there/");
    let said = done(&["convert", &own, &there]).stderr;
    assert!(said.contains("without a tokenizer"), "{said}");
    assert!(fs::metadata(files.path("there/tokenizer.json")).is_err());
    let ids = |model: &str| {
        let args = [
            "generate",
            "-m",
            model,
            "--temp",
            "0",
            "-n",
            "5",
            "--prompt-ids",
            "1,2",
        ];
        done(&args).text()
    };
    assert_eq!(ids(&there), ids(&own));
}

#[test]
fn what_a_tokenizer_file_does_wrong_is_said_with_its_name() {
    let files = Files::new();
    let there = files.path("there/");
    done(&["convert", &files.model(), &there]);
    for (text, message) in [
        ("{", "there/tokenizer.json: its JSON cannot be read"),
        ("{}", "there/tokenizer.json: "),
    ] {
        files.write("there/tokenizer.json", text);
        refused(&["generate", "-m", &there, "Once"], BAD_FILE, message);
    }
}

#[test]
fn blocks_become_f16_and_that_is_said() {
    let files = Files::new();
    let quantized = files.path("q8_0.gollm");
    done(&["quantize", &files.model(), &quantized, "--type", "q8_0"]);
    let there = files.path("there/");
    let said = done(&["convert", &quantized, &there]).stderr;
    assert!(said.contains("q8_0 is written as f16"), "{said}");
    let config = fs::read_to_string(files.path("there/config.json")).unwrap();
    assert!(config.contains("\"float16\""), "{config}");
}

#[test]
fn what_would_be_lost_is_never_replaced() {
    let files = Files::new();
    let own = files.model();
    let there = files.path("there");
    fs::create_dir(&there).unwrap();
    // It is there and empty, so a folder is meant.
    done(&["convert", &own, &there]);
    refused(
        &["convert", &own, &there],
        USAGE,
        "not empty; --force replaces",
    );
    done(&["convert", &own, &there, "--force"]);
    files.write("there/notes.txt", "kept");
    refused(
        &["convert", &own, &there, "--force"],
        BAD_FILE,
        "`notes.txt`, which is no part of",
    );
    assert_eq!(fs::read(files.path("there/notes.txt")).unwrap(), b"kept");
    let weights = files.path("there/model.safetensors");
    refused(
        &["convert", &weights, &there, "--force"],
        USAGE,
        "IN lies in OUT",
    );
    refused(
        &["convert", &own, &files.path("no/there/")],
        RESOURCES,
        "there is no directory",
    );
    let size = [
        "convert",
        &own,
        &files.path("x/"),
        "--max-shard-size",
        "5 apples",
    ];
    refused(&size, USAGE, "expected a size such as 5GB");
}
