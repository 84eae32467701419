//! Files and texts that cannot be used: one clear message and the right exit code for each.

use gollm_tokenizer::{Pattern, Tokenizer};

use crate::support::{CONFIG, Files, TEXT, run_with, tokenizer};

pub(crate) const RUNTIME: i32 = 1;
pub(crate) const USAGE: i32 = 2;
pub(crate) const BAD_FILE: i32 = 3;
pub(crate) const RESOURCES: i32 = 4;

/// A command line that must fail: its arguments, the exit code, and what the message must say.
pub(crate) type Mistake<'a> = (&'a [&'a str], i32, &'a str);

pub(crate) fn check(mistakes: &[Mistake<'_>]) {
    for (args, code, message) in mistakes {
        check_with(args, b"", &[], *code, message);
    }
}

/// Runs a command line that must fail, and holds it to the exit code, the one message, and an empty
/// stdout.
pub(crate) fn check_with(
    args: &[&str],
    stdin: &[u8],
    env: &[(&str, &str)],
    code: i32,
    message: &str,
) {
    let ran = run_with(args, stdin, env);
    let what = format!("gollm {}\n{}", args.join(" "), ran.stderr);
    assert_eq!(ran.code, Some(code), "{what}");
    assert!(
        ran.stderr.contains(message),
        "expected `{message}` from {what}"
    );
    let n_errors = ran
        .stderr
        .lines()
        .filter(|line| line.starts_with("error:"))
        .count();
    assert_eq!(n_errors, 1, "{what}");
    assert!(ran.stdout.is_empty(), "stdout of {what}");
    assert!(!ran.stderr.contains("panicked"), "{what}");
}

#[test]
fn a_file_that_is_no_model() {
    let files = Files::new();
    let model = files.model();
    let bytes = std::fs::read(&model).unwrap();
    let mut damaged = bytes.clone();
    damaged[80] ^= 4;
    let missing = files.path("missing.gollm");
    let text = files.write("story.txt", TEXT);
    let truncated = files.write("truncated.gollm", &bytes[..bytes.len() - 100]);
    let headless = files.write("headless.gollm", &bytes[..20]);
    let damaged = files.write("damaged.gollm", damaged);
    let empty = files.write("empty.gollm", "");
    let page = files.write("page.gollm", "<!DOCTYPE html><html></html>");
    let directory = files.path("");
    for (path, message) in [
        (&missing, "missing.gollm: cannot find the file"),
        (
            &text,
            "story.txt: not a .gollm model file: it looks like a text file",
        ),
        (&truncated, "truncated.gollm: the file is cut short"),
        (&headless, "headless.gollm: the file is cut short"),
        (&damaged, "damaged.gollm: "),
        (&empty, "empty.gollm: the file is empty"),
        (&page, "it looks like a web page"),
        (&directory, "is a directory"),
    ] {
        check(&[
            (&["generate", "-m", path, "Once"], BAD_FILE, message),
            (
                &["generate", "--no-mmap", "-m", path, "Once"],
                BAD_FILE,
                message,
            ),
            (&["inspect", path], BAD_FILE, message),
            (&["verify", path], BAD_FILE, message),
            (&["tokenize", "-m", path, "Once"], BAD_FILE, message),
            (&["perplexity", "-m", path, &text], BAD_FILE, message),
        ]);
    }
}

#[test]
fn a_tokenizer_that_is_not_the_models() {
    let files = Files::new();
    let mismatched = files.model_of(CONFIG, Some(&tokenizer(280)));
    let text = files.write("text.txt", TEXT);
    check(&[
        (
            &["generate", "-m", &mismatched, "Once"],
            BAD_FILE,
            "logits for 300 ids but the tokenizer has 280",
        ),
        (
            &["perplexity", "-m", &mismatched, &text],
            BAD_FILE,
            "logits for 300 ids but the tokenizer has 280",
        ),
        (
            &["verify", &mismatched],
            BAD_FILE,
            "vocab_size 300 but the tokenizer has 280 ids",
        ),
    ]);
    let other = Files::new();
    let none = other.model_of(CONFIG, None);
    check(&[
        (&["generate", "-m", &none, "Once"], BAD_FILE, "--prompt-ids"),
        (&["tokenize", "-m", &none, "Once"], BAD_FILE, "--tokenizer"),
        (
            &["perplexity", "-m", &none, &text],
            BAD_FILE,
            "holds no tokenizer",
        ),
        (
            &["generate", "-m", &none, "--prompt-ids", "1", "--stop", "x"],
            USAGE,
            "--stop needs text",
        ),
        (
            &["generate", "-m", &none, "--prompt-ids", "1 300"],
            RUNTIME,
            "token 1 of the prompt has id 300",
        ),
    ]);
}

#[test]
fn a_prompt_that_cannot_be_continued() {
    let files = Files::new();
    let model = files.model();
    let long = "fox ".repeat(100);
    let bad_text = files.write("bad.txt", b"abc\xFFdef");
    let missing = files.path("missing.txt");
    check(&[
        (
            &["generate", "-m", &model, &long],
            RUNTIME,
            "but the model's context is 48",
        ),
        (
            &["generate", "-m", &model, "-f", &bad_text],
            BAD_FILE,
            "bad.txt is not UTF-8 text: byte 3 is 0xff",
        ),
        (
            &["generate", "-m", &model, "-f", &missing],
            BAD_FILE,
            "cannot read",
        ),
        (
            &["generate", "-m", &model, "-f", &files.path("")],
            BAD_FILE,
            "cannot read",
        ),
        (
            &["generate", "-m", &model, "-f", &missing, "Once"],
            USAGE,
            "cannot be used with",
        ),
        (
            &["generate", "-m", &model, "Once", "upon"],
            USAGE,
            "unexpected argument 'upon'",
        ),
        (
            &["generate", "-m", &model, "--prompt-ids", ""],
            USAGE,
            "--prompt-ids is empty",
        ),
        (
            &["generate", "-m", &model, "--prompt-ids", "1 x"],
            USAGE,
            "`x` is no token id",
        ),
        (
            &["generate", "-m", &model, "--prompt-ids", "300"],
            RUNTIME,
            "has id 300, expected an id below 300",
        ),
    ]);
    check_with(
        &["generate", "-m", &model],
        b"\xC3(",
        &[],
        BAD_FILE,
        "stdin is not UTF-8 text",
    );
    let bytes: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
    let bare = Tokenizer::new(bytes, Pattern::Gpt2, Vec::new()).unwrap();
    let without_beginning = files.model_of(&CONFIG.replace("300", "256"), Some(&bare));
    check(&[(
        &["generate", "-m", &without_beginning, ""],
        RUNTIME,
        "the prompt is empty",
    )]);
}

#[test]
fn a_text_or_tokenizer_that_cannot_be_used() {
    let files = Files::new();
    let model = files.model();
    let text = files.write("text.txt", TEXT);
    let bad_text = files.write("bad.txt", b"\xFF");
    let (missing, out) = (files.path("missing"), files.path("out"));
    let (nowhere, below_a_file) = (files.path("no/where"), format!("{text}/out"));
    let train = |more: &[&'static str]| [&["train-tokenizer"], more].concat();
    check(&[
        (
            &["tokenize", "-m", &model, "--decode", "300"],
            RUNTIME,
            "token id 300 stands for nothing",
        ),
        (
            &["tokenize", "-m", &model, "--decode", "one"],
            USAGE,
            "`one` is no token id",
        ),
        (
            &["tokenize", "-m", &model, "-f", &bad_text],
            BAD_FILE,
            "byte 0 is 0xff",
        ),
        (
            &["tokenize", "--tokenizer", &missing, "Once"],
            BAD_FILE,
            "cannot read",
        ),
        (
            &["tokenize", "--tokenizer", &text, "Once"],
            BAD_FILE,
            "text.txt",
        ),
        (
            &["tokenize", "--ids", "--json", "Once"],
            USAGE,
            "cannot be used with",
        ),
        (&train(&["--vocab-size", "280"]), USAGE, "--out"),
        (
            &[
                "train-tokenizer",
                &text,
                "--out",
                &out,
                "--vocab-size",
                "100",
            ],
            USAGE,
            "vocab_size 100 is too small",
        ),
        (
            &[
                "train-tokenizer",
                &text,
                "--out",
                &out,
                "--vocab-size",
                "99999999",
            ],
            USAGE,
            "too large",
        ),
        (
            &[
                "train-tokenizer",
                &text,
                "--out",
                &out,
                "--vocab-size",
                "4096",
            ],
            RUNTIME,
            "too small for vocab_size 4096",
        ),
        (
            &["train-tokenizer", &text, "--out", &out, "--pattern", "gpt5"],
            USAGE,
            "invalid value 'gpt5'",
        ),
        (
            &["train-tokenizer", &missing, "--out", &out],
            BAD_FILE,
            "cannot read",
        ),
        (
            &["train-tokenizer", &bad_text, "--out", &out],
            BAD_FILE,
            "bad.txt is not UTF-8",
        ),
        (
            &["train-tokenizer", &text, "--out", &nowhere],
            RESOURCES,
            "there is no directory",
        ),
        (
            &["train-tokenizer", &text, "--out", &below_a_file],
            RESOURCES,
            "there is no directory",
        ),
        (
            &["train-tokenizer", &text, "--out", &files.path("")],
            RESOURCES,
            "it is a directory",
        ),
        (
            &["perplexity", "-m", &model, &missing],
            BAD_FILE,
            "cannot read",
        ),
        (
            &["perplexity", "-m", &model, &bad_text],
            BAD_FILE,
            "is not UTF-8",
        ),
        (&["perplexity", "-m", &model], USAGE, "<FILE>"),
    ]);
    check_with(
        &["perplexity", "-m", &model, "-"],
        b"",
        &[],
        RUNTIME,
        "the text has 1 tokens",
    );
}
