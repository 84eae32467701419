//! `gollm tokenize` and `gollm train-tokenizer`.

use gollm_tokenizer::Tokenizer;

use crate::support::{Files, TEXT, done, run, run_with, tokenizer};

#[test]
fn tokens_come_one_a_line_with_their_bytes() {
    let files = Files::new();
    let model = files.model();
    let ran = done(&["tokenize", "-m", &model, "the fox\n\u{e9}"]);
    let tokenizer = tokenizer(300);
    let ids: Vec<u32> = ran
        .text()
        .lines()
        .map(|line| line.split('\t').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(ids, tokenizer.encode("the fox\n\u{e9}"));
    // "é" is two bytes that this small vocabulary has not joined.
    assert!(
        ran.text()
            .ends_with("10\t\"\\n\"\n195\t\"\\xC3\"\n169\t\"\\xA9\"\n"),
        "{}",
        ran.text()
    );
    assert!(ran.stderr.contains("tokens, 10 bytes"), "{}", ran.stderr);
}

#[test]
fn ids_and_json_say_the_same() {
    let files = Files::new();
    let model = files.model();
    let ids = done(&["tokenize", "-m", &model, "--ids", "Once upon"]).text();
    let ids: Vec<u32> = ids
        .split_whitespace()
        .map(|id| id.parse().unwrap())
        .collect();
    let json = done(&["tokenize", "-m", &model, "--json", "Once upon"]).json();
    assert_eq!(json["ids"], serde_json::json!(ids));
    assert_eq!(json["n_tokens"], ids.len());
    assert_eq!(json["n_bytes"], 9);
    let pieces: String = json["tokens"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["text"].as_str().unwrap())
        .collect();
    assert_eq!(pieces, "Once upon");
}

#[test]
fn decoding_gives_the_bytes_back_exactly() {
    let files = Files::new();
    let model = files.model();
    for text in [
        "Once upon a time\n",
        "",
        "\u{1F600} caf\u{e9}\r\n\r\n",
        "<|end_of_text|>",
    ] {
        let ids = run_with(&["tokenize", "-m", &model, "--ids"], text.as_bytes(), &[]);
        assert_eq!(ids.code, Some(0), "{}", ids.stderr);
        let back = run_with(
            &["tokenize", "-m", &model, "--decode", "-"],
            &ids.stdout,
            &[],
        );
        assert_eq!(back.stdout, text.as_bytes());
        let file = files.write("text.txt", text);
        assert_eq!(
            done(&["tokenize", "-m", &model, "--ids", "-f", &file]).stdout,
            ids.stdout
        );
    }
    assert_eq!(
        done(&["tokenize", "-m", &model, "--decode", "72,105"]).stdout,
        b"Hi"
    );
}

#[test]
fn special_tokens_are_text_unless_they_are_asked_for() {
    let files = Files::new();
    let model = files.model();
    let text = "a<|end_of_text|>";
    let plain = done(&["tokenize", "-m", &model, "--json", text]).json();
    assert!(
        plain["tokens"]
            .as_array()
            .unwrap()
            .iter()
            .all(|token| token["special"] == false)
    );
    let special = done(&["tokenize", "-m", &model, "--json", "--special", text]).json();
    assert_eq!(special["n_tokens"], 2);
    assert_eq!(special["tokens"][1]["special"], true);
}

#[test]
fn colours_appear_only_where_they_are_wanted() {
    let files = Files::new();
    let model = files.model();
    let args = ["tokenize", "-m", &model, "the fox"];
    let coloured = run_with(&args, b"", &[("CLICOLOR_FORCE", "1")]).text();
    assert!(coloured.contains("\u{1b}["), "{coloured}");
    let mut bare = String::new();
    for part in coloured.split('\u{1b}') {
        bare.push_str(
            part.strip_prefix('[')
                .map_or(part, |rest| rest.split_once('m').unwrap().1),
        );
    }
    let ids = done(&["tokenize", "-m", &model, "--ids", "the fox"]).text();
    assert_eq!(bare, format!("the fox\n{ids}"));
    assert!(!run_with(&args, b"", &[]).text().contains('\u{1b}'));
    assert!(
        !run_with(&args, b"", &[("NO_COLOR", "1")])
            .text()
            .contains('\u{1b}')
    );
}

#[test]
fn a_trained_tokenizer_is_written_reported_and_used() {
    let files = Files::new();
    let text = files.write("text.txt", TEXT);
    let out = files.path("small.ranks");
    let args = [
        "train-tokenizer",
        &text,
        "--out",
        &out,
        "--vocab-size",
        "280",
        "--pattern",
        "gpt2",
    ];
    let ran = done(&args);
    assert!(
        ran.text()
            .contains("280 ids: 256 bytes, 19 merges, 5 special tokens"),
        "{}",
        ran.text()
    );
    let learned = Tokenizer::load(&out).unwrap();
    let json = done(&[args.as_slice(), &["--json"]].concat()).json();
    assert_eq!(json["vocab_size"], 280);
    assert_eq!(json["pattern"], "gpt2");
    assert_eq!(json["n_bytes"], TEXT.len());
    assert_eq!(json["n_tokens"], learned.encode(TEXT).len());
    let ids = done(&["tokenize", "--tokenizer", &out, "--json", "the fox"]).json();
    assert_eq!(ids["ids"], serde_json::json!(learned.encode("the fox")));
}

#[test]
fn files_and_stdin_teach_the_same_vocabulary() {
    let files = Files::new();
    // Between two lines, where no piece is cut in two.
    let (first, second) = TEXT.split_at(TEXT.find("Then").unwrap());
    let parts = [files.write("1.txt", first), files.write("2.txt", second)];
    let (from_files, from_stdin) = (files.path("files"), files.path("stdin"));
    let common = ["train-tokenizer", "--vocab-size", "290", "--out"];
    done(&[common.as_slice(), &[&from_files, &parts[0], &parts[1]]].concat());
    let ran = run_with(
        &[common.as_slice(), &[&from_stdin]].concat(),
        TEXT.as_bytes(),
        &[],
    );
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let read = |path| std::fs::read_to_string(path).unwrap();
    assert_eq!(read(from_files), read(from_stdin));
}

#[test]
fn a_failed_training_leaves_no_file() {
    let files = Files::new();
    let text = files.write("text.txt", "too little text");
    let out = files.path("out");
    let ran = run(&[
        "train-tokenizer",
        &text,
        "--out",
        &out,
        "--vocab-size",
        "5000",
    ]);
    assert_eq!(ran.code, Some(1));
    assert!(!std::path::Path::new(&out).exists());
}
