//! `gollm chat` where stdin is no terminal, and the size of the context. The terminal is tested in
//! `python/tests/test_chat_terminal.py`, which has one.

use crate::mistakes::{BAD_FILE, RUNTIME, USAGE, check, check_with};
use crate::support::{CONFIG, Files, done, run_with, tokenizer};

/// Says what it was given, as an error: the tests see what would go to the model.
const TELLTALE: &str = "{% set ns = namespace(text='') %}{% for m in messages %}\
    {% set ns.text = ns.text ~ m.role ~ '=' ~ m.content ~ ';' %}{% endfor %}\
    {{ raise_exception(ns.text ~ enable_thinking) }}";

/// A model with a context of 96 tokens and this template in its file.
fn model(files: &Files, template: Option<&str>) -> String {
    let config = CONFIG.replace("context_length: 48", "context_length: 96");
    files.chat_model(&config, &tokenizer(300), template)
}

const CHATML: &str = "{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>{{ m.content }}\
    <|eot_id|>{% endfor %}{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>{% endif %}";

#[test]
fn a_message_on_stdin_or_the_command_line_is_answered_on_stdout() {
    let files = Files::new();
    let model = model(&files, Some(CHATML));
    let common = ["chat", "-m", &model, "--temp", "0", "-n", "5"];
    let given = done(&[&common[..], &["-p", "the fox"]].concat());
    assert!(given.text().len() > 1);
    assert!(!given.text().contains("the fox\n<|"), "{}", given.text());
    let piped = run_with(&common, b"the fox\n", &[]);
    assert_eq!(piped.code, Some(0), "{}", piped.stderr);
    assert_eq!(piped.stdout, given.stdout);
    for part in ["model ", "5 tokens generated", "--max-tokens reached"] {
        assert!(given.stderr.contains(part), "{}", given.stderr);
    }
    let quiet = done(&[&common[..], &["-q", "-p", "the fox"]].concat());
    assert_eq!((quiet.stderr.as_str(), quiet.stdout), ("", given.stdout));
}

#[test]
fn the_template_is_given_what_the_command_line_says() {
    let files = Files::new();
    let model = model(&files, Some(TELLTALE));
    let saved = r#"{"version": 1, "system": "old", "messages": [
        {"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "cut": true}]}"#;
    let saved = files.write("talk.json", saved);
    let chat = ["chat", "-m", &model, "-p", "hi"];
    for (more, expected) in [
        (&[][..], "user=hi;"),
        (&["--system", "be brief"], "system=be brief;user=hi;"),
        (&["--thinking", "off"], "user=hi;False"),
        (
            &["--load", &saved],
            "system=old;user=a;assistant=b;user=hi;",
        ),
        (
            &["--load", &saved, "--system", "new"],
            "system=new;user=a;assistant=b;user=hi;",
        ),
    ] {
        let args = [&chat[..], more].concat();
        let message = format!("chat template, line 1: {expected}\n");
        check_with(&args, b"", &[], BAD_FILE, &message);
    }
}

#[test]
fn a_model_without_a_template_says_what_to_do() {
    let files = Files::new();
    let model = model(&files, None);
    for message in ["`gollm generate`", "--template", "chatml, gemma, llama2"] {
        check(&[(&["chat", "-m", &model, "-p", "hi"], BAD_FILE, message)]);
    }
    let file = files.write("own.jinja", CHATML);
    for template in ["chatml", "llama2", "llama3", "mistral", "gemma", &file] {
        done(&[
            "chat",
            "-m",
            &model,
            "-n",
            "3",
            "--template",
            template,
            "-p",
            "hi",
        ]);
    }
}

#[test]
fn templates_and_messages_that_cannot_be_used_are_refused() {
    let files = Files::new();
    let good = model(&files, Some(CHATML));
    let broken = files.write("broken.jinja", "a\n{% if %}");
    let endless = "{% for a in range(10**9) %}{% for b in range(10**9) %}{% endfor %}{% endfor %}";
    let endless = files.write("endless.jinja", endless);
    let conversation = files.write("talk.json", "{}");
    let long = "word ".repeat(200);
    check(&[
        (
            &["chat", "-m", &good, "--template", "none", "-p", "hi"],
            USAGE,
            "no such file, and built in are chatml",
        ),
        (
            &["chat", "-m", &good, "--template", &broken, "-p", "hi"],
            BAD_FILE,
            "broken.jinja: chat template, line 2",
        ),
        (
            &["chat", "-m", &good, "--template", &endless, "-p", "hi"],
            BAD_FILE,
            "chat template, line 1",
        ),
        (
            &["chat", "-m", &good, "--load", &conversation, "-p", "hi"],
            BAD_FILE,
            "no saved conversation",
        ),
        (
            &["chat", "-m", &good, "--load", "none.json", "-p", "hi"],
            BAD_FILE,
            "cannot read none.json",
        ),
        (
            &["chat", "-m", &good, "-p", " \n"],
            USAGE,
            "the message is empty",
        ),
        (&["chat", "-m", &good], USAGE, "the message is empty"),
        (
            &["chat", "-m", &good, "-p", "hi", "-n", "0"],
            USAGE,
            "at least 1",
        ),
        (
            &["chat", "-m", &good, "-p", "hi", "--stop", ""],
            USAGE,
            "--stop is empty",
        ),
        (
            &["chat", "-m", &good, "-p", &long],
            RUNTIME,
            "the context of 96 leaves 72",
        ),
    ]);
    let refusing = model(&files, Some("{{ 'a' * 99999999 }}"));
    check(&[(
        &["chat", "-m", &refusing, "-p", "hi"],
        BAD_FILE,
        "--template takes another one",
    )]);
    let bare = files.model_of(CONFIG, None);
    check(&[(&["chat", "-m", &bare, "-p", "hi"], BAD_FILE, "no tokenizer")]);
}

#[test]
fn the_context_can_be_smaller_than_the_model_s() {
    let files = Files::new();
    let model = model(&files, Some(CHATML));
    let text = [
        "generate",
        "-m",
        &model,
        "--temp",
        "0",
        "--ignore-eos",
        "--json",
        "Once",
    ];
    let n_tokens = |args: &[&str], env: &[(&str, &str)]| {
        let ran = run_with(&[&text[..], args].concat(), b"", env);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let json = ran.json();
        assert_eq!(json["finish_reason"], "context");
        let count = |key: &str| json["statistics"][key].as_u64().unwrap();
        count("prompt_tokens") + count("generated_tokens")
    };
    // The last token is drawn and never seen.
    for (args, expected) in [
        (&[][..], 97),
        (&["--ctx-size", "0"], 97),
        (&["-c", "20"], 21),
        (&["--context-length", "96"], 97),
    ] {
        assert_eq!(n_tokens(args, &[]), expected, "{args:?}");
    }
    assert_eq!(n_tokens(&[], &[("GOLLM_CTX_SIZE", "30")]), 31);
    let file = files.write("text.txt", "Once upon a time there was a fox and a bird.");
    let perplexity = |size: &str| {
        let args = ["perplexity", "-m", &model, "-c", size, "--json", &file];
        done(&args).json()["mean_loss"].clone()
    };
    assert_ne!(
        perplexity("4"),
        perplexity("96"),
        "shorter windows see less"
    );
    check(&[
        (
            &["generate", "-m", &model, "-c", "97", "Once"],
            USAGE,
            "more than the model's context of 96",
        ),
        (
            &["generate", "-m", &model, "-c", "-1", "Once"],
            USAGE,
            "--ctx-size",
        ),
        (
            &["generate", "-m", &model, "-c", "2", "Once upon a time"],
            RUNTIME,
            "context is 2",
        ),
        (
            &["chat", "-m", &model, "-c", "16", "-p", "hello"],
            RUNTIME,
            "the context of 16 leaves 12",
        ),
    ]);
}

#[test]
fn a_long_context_is_not_reserved_unless_it_is_asked_for() {
    let files = Files::new();
    let config = CONFIG.replace("context_length: 48", "context_length: 131072");
    let model = files.model_of(&config, Some(&tokenizer(300)));
    let ran = done(&["generate", "-m", &model, "-n", "2", "Once"]);
    let note = "context 8,192 of the model's 131,072 tokens";
    assert!(ran.stderr.contains(note), "{}", ran.stderr);
    let ran = done(&["generate", "-m", &model, "-n", "2", "-c", "100000", "Once"]);
    assert!(!ran.stderr.contains("of the model's"), "{}", ran.stderr);
}
