//! `gollm generate`: what it prints, and what its flags mean.

use crate::support::{CONFIG, Files, done, run, run_with, tokenizer};

#[test]
fn stdout_holds_the_continuation_and_nothing_else() {
    let files = Files::new();
    let model = files.model();
    let args = [
        "generate",
        "-m",
        &model,
        "-n",
        "12",
        "--seed",
        "3",
        "Once upon",
    ];
    let plain = done(&args);
    let json = done(&[args.as_slice(), &["--json"]].concat()).json();
    let text = json["text"].as_str().unwrap();
    assert!(!text.is_empty());
    let line_end = if text.ends_with('\n') { "" } else { "\n" };
    assert_eq!(plain.text(), format!("{text}{line_end}"));
    assert!(
        !plain.text().contains("Once upon"),
        "the prompt is not generated text"
    );
}

#[test]
fn echo_puts_the_prompt_before_its_continuation() {
    let files = Files::new();
    let model = files.model();
    let args = ["generate", "-m", &model, "--temp", "0", "Once upon"];
    let continuation = done(&args).text();
    let echoed = done(&[args.as_slice(), &["--echo"]].concat()).text();
    assert_eq!(echoed, format!("Once upon{continuation}"));
    let text = |more: &[&str]| done(&[args.as_slice(), more].concat()).json()["text"].clone();
    assert_eq!(text(&["--echo", "--json"]), text(&["--json"]));
}

#[test]
fn stderr_says_model_device_seed_and_statistics() {
    let files = Files::new();
    let model = files.model();
    let ran = done(&["generate", "-m", &model, "-n", "5", "-s", "7", "Once"]);
    let first = ran.stderr.lines().next().unwrap();
    for part in [
        model.as_str(),
        "device cpu: ",
        " kernels, ",
        "(chosen by auto)",
        "seed 7",
        "parameters",
    ] {
        assert!(first.contains(part), "`{part}` in `{first}`");
    }
    let last = ran.stderr.lines().last().unwrap();
    for part in ["5 tokens generated", "first token", "--max-tokens reached"] {
        assert!(last.contains(part), "`{part}` in `{last}`");
    }
}

#[test]
fn quiet_leaves_stderr_empty() {
    let files = Files::new();
    let model = files.model();
    let ran = done(&["generate", "-q", "-m", &model, "-n", "5", "-t", "4", "Once"]);
    assert_eq!(ran.stderr, "");
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_other_ones() {
    let files = Files::new();
    let model = files.model();
    let text = |seed: &str| {
        let args = [
            "generate", "-m", &model, "--temp", "1.5", "--top-k", "0", "-s", seed, "Once",
        ];
        done(&args).stdout
    };
    assert_eq!(text("1"), text("1"));
    assert_ne!(text("1"), text("2"));
}

#[test]
fn a_random_seed_is_printed_and_repeats_the_text() {
    let files = Files::new();
    let model = files.model();
    let first = done(&["generate", "-m", &model, "-n", "20", "Once"]);
    let seed = first
        .stderr
        .lines()
        .next()
        .unwrap()
        .rsplit("seed ")
        .next()
        .unwrap()
        .to_owned();
    let again = done(&[
        "generate", "-m", &model, "-n", "20", "--seed", &seed, "Once",
    ]);
    assert_eq!(first.stdout, again.stdout);
}

#[test]
fn temperature_zero_does_not_depend_on_the_seed() {
    let files = Files::new();
    let model = files.model();
    let text = |seed: &str| {
        done(&[
            "generate",
            "-m",
            &model,
            "--temp",
            "0",
            "-s",
            seed,
            "Once upon",
        ])
        .stdout
    };
    assert!(text("1").len() > 1);
    assert_eq!(text("1"), text("2"));
}

#[test]
fn the_prompt_comes_from_the_command_line_a_file_or_stdin() {
    let files = Files::new();
    let model = files.model();
    let file = files.write("prompt.txt", "Once upon\n");
    let common = ["generate", "-m", &model, "--temp", "0", "--json"];
    let prompt_and_ids = |more: &[&str], stdin: &[u8]| {
        let ran = run_with(&[common.as_slice(), more].concat(), stdin, &[]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let json = ran.json();
        (
            json["prompt"].as_str().unwrap().to_owned(),
            json["ids"].clone(),
        )
    };
    let expected = prompt_and_ids(&["Once upon"], b"");
    assert_eq!(expected.0, "Once upon");
    assert_eq!(prompt_and_ids(&["--file", &file], b""), expected);
    assert_eq!(prompt_and_ids(&["-f", "-"], b"Once upon"), expected);
    assert_eq!(prompt_and_ids(&["-"], b"Once upon\r\n"), expected);
    assert_eq!(prompt_and_ids(&[], b"Once upon\n"), expected);
    // A prompt on the command line is enough; stdin is not looked at.
    assert_eq!(prompt_and_ids(&["Once upon"], b"something else"), expected);
}

#[test]
fn an_empty_prompt_starts_from_the_token_that_begins_every_text() {
    let files = Files::new();
    let model = files.model();
    let json = done(&["generate", "-m", &model, "-n", "4", "--json", ""]).json();
    assert_eq!(json["statistics"]["prompt_tokens"], 1);
    assert_eq!(json["prompt"], "");
}

#[test]
fn json_holds_text_ids_reason_statistics_seed_and_model() {
    let files = Files::new();
    let model = files.model();
    let json = done(&[
        "generate",
        "-m",
        &model,
        "-n",
        "6",
        "-s",
        "9",
        "--ignore-eos",
        "--json",
        "The fox",
    ])
    .json();
    assert_eq!(json["model"], model.as_str());
    assert_eq!(json["device"], "cpu");
    assert_eq!(json["seed"], 9);
    assert_eq!(json["finish_reason"], "length");
    let ids: Vec<u32> = serde_json::from_value(json["ids"].clone()).unwrap();
    assert_eq!(ids.len(), 6);
    let tokenizer = tokenizer(300);
    let ordinary: Vec<u32> = ids
        .into_iter()
        .filter(|&id| !tokenizer.is_special(id))
        .collect();
    assert_eq!(json["text"], tokenizer.decode(&ordinary).unwrap());
    let statistics = &json["statistics"];
    assert_eq!(statistics["generated_tokens"], 6);
    assert_eq!(
        statistics["prompt_tokens"],
        1 + tokenizer.encode("The fox").len()
    );
    assert!(statistics["time_to_first_token_ms"].as_f64().unwrap() > 0.0);
}

#[test]
fn it_goes_on_until_the_context_is_full() {
    let files = Files::new();
    let model = files.model();
    let json = done(&["generate", "-m", &model, "--ignore-eos", "--json", "Once"]).json();
    assert_eq!(json["finish_reason"], "context");
    let statistics = &json["statistics"];
    let total = statistics["prompt_tokens"].as_u64().unwrap()
        + statistics["generated_tokens"].as_u64().unwrap();
    // The last id drawn need not fit: the model never has to see it.
    assert_eq!(total, 48 + 1);
}

#[test]
fn a_stop_string_ends_the_text_before_it() {
    let files = Files::new();
    let model = files.model();
    let args = [
        "generate",
        "-m",
        &model,
        "--temp",
        "0",
        "--ignore-eos",
        "--json",
        "Once",
    ];
    let full = done(&args).json()["text"].as_str().unwrap().to_owned();
    let (at, stop) = full.char_indices().nth(5).unwrap();
    let stop = stop.to_string();
    let first = full.find(&stop).unwrap();
    assert!(first <= at);
    let json = done(&[args.as_slice(), &["--stop", "not in it", "--stop", &stop]].concat()).json();
    assert_eq!(json["text"], full[..first]);
    assert_eq!(json["finish_reason"], "stop_string");
    assert_eq!(json["stop_string"], stop.as_str());
}

#[test]
fn every_spelling_of_a_flag_and_its_variable_mean_the_same() {
    let files = Files::new();
    let model = files.model();
    let expected = done(&["generate", "-m", &model, "-n", "7", "--temp", "0", "Once"]).stdout;
    for flags in [
        ["--max-tokens", "7", "--temperature", "0"],
        ["--predict", "7", "--temp", "0"],
        ["--n-predict", "7", "--temp", "0.0"],
    ] {
        let args = [&["generate", "--model", &model, "Once"], flags.as_slice()].concat();
        assert_eq!(done(&args).stdout, expected, "{flags:?}");
    }
    let env = [
        ("GOLLM_MODEL", model.as_str()),
        ("GOLLM_MAX_TOKENS", "7"),
        ("GOLLM_TEMPERATURE", "0"),
        ("GOLLM_QUIET", "1"),
        ("GOLLM_JSON", "off"),
    ];
    let ran = run_with(&["generate", "Once"], b"", &env);
    assert_eq!(
        (ran.code, ran.stdout, ran.stderr.as_str()),
        (Some(0), expected, "")
    );
    // The command line wins over the environment.
    let ran = run_with(&["generate", "-n", "3", "--json", "Once"], b"", &env);
    assert_eq!(ran.json()["ids"].as_array().unwrap().len(), 3);
}

#[test]
fn mapped_read_and_verified_files_give_the_same_text() {
    let files = Files::new();
    let model = files.model();
    let args = ["generate", "-m", &model, "--temp", "0", "Once"];
    let mapped = done(&args).stdout;
    assert_eq!(
        done(&[args.as_slice(), &["--no-mmap"]].concat()).stdout,
        mapped
    );
    assert_eq!(
        done(&[args.as_slice(), &["--verify"]].concat()).stdout,
        mapped
    );
}

#[test]
fn a_model_without_a_tokenizer_answers_ids_with_ids() {
    let files = Files::new();
    let with_text = files.model();
    let args = [
        "--temp",
        "0",
        "-n",
        "6",
        "--ignore-eos",
        "--prompt-ids",
        "1 2,3",
        "--json",
    ];
    let expected = done(&[&["generate", "-m", &with_text], args.as_slice()].concat()).json();
    let without = files.model_of(CONFIG, None);
    let args = [&["generate", "-m", &without], args.as_slice()].concat();
    let json = done(&args).json();
    assert_eq!(json["ids"], expected["ids"]);
    assert_eq!(json["text"], serde_json::Value::Null);
    assert_eq!(json["finish_reason"], "length");
    let plain = done(&args[..args.len() - 1]);
    let ids: Vec<u32> = plain
        .text()
        .split_whitespace()
        .map(|id| id.parse().unwrap())
        .collect();
    assert_eq!(serde_json::json!(ids), json["ids"]);
    assert!(plain.text().ends_with('\n'));

    let full = done(&["generate", "-m", &without, "--prompt-ids", "7", "--json"]).json();
    assert_eq!(full["finish_reason"], "context");
    assert_eq!(full["ids"].as_array().unwrap().len(), 48);
}

/// The embedded model, 60 tokens: a greedy choice changes only where two logits are closer than what the
/// order of a sum changes, which is a millionth of them.
#[test]
fn cpu_and_reference_write_the_same_greedy_text() {
    let text = |device: &[&str]| {
        let greedy = ["generate", "--temp", "0", "-n", "60", "Once upon a time"];
        done(&[&greedy, device].concat()).text()
    };
    let expected = text(&["--device", "reference"]);
    assert_eq!(text(&["--device", "cpu"]), expected);
    assert_eq!(text(&["--device", "cpu", "-t", "1"]), expected);
    assert_eq!(text(&["--device", "cpu", "-t", "3"]), expected);
}

#[test]
fn a_cache_of_half_precision_is_for_the_cpu_device() {
    let ran = done(&["generate", "-n", "5", "--cache-type", "f16", "Once"]);
    assert!(ran.stderr.contains("f16 cache"), "{}", ran.stderr);
    let refused = run(&[
        "generate",
        "--device",
        "reference",
        "--cache-type",
        "f16",
        "Once",
    ]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("--cache-type"),
        "{}",
        refused.stderr
    );
}

#[test]
fn more_threads_than_the_device_has_are_mentioned() {
    let files = Files::new();
    let model = files.model();
    let ran = done(&[
        "generate",
        "-m",
        &model,
        "-n",
        "1",
        "--device",
        "reference",
        "-t",
        "8",
        "Once",
    ]);
    assert!(
        ran.stderr.contains("--threads 8 changes nothing"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("device reference: "), "{}", ran.stderr);
    let one = done(&["generate", "-m", &model, "-n", "1", "-t", "1", "Once"]);
    assert!(!one.stderr.contains("threads"), "{}", one.stderr);
}

#[test]
fn the_embedded_model_is_the_default() {
    let json = done(&["generate", "-n", "8", "--json", "Once upon a time"]).json();
    assert!(json["model"].as_str().unwrap().contains("embedded"));
    assert!(json["statistics"]["generated_tokens"].as_u64().unwrap() > 0);
}

#[test]
fn generating_nothing_prints_nothing() {
    let files = Files::new();
    let model = files.model();
    let ran = run(&["generate", "-m", &model, "-n", "0", "Once"]);
    assert_eq!((ran.code, ran.text().as_str()), (Some(0), ""));
}
