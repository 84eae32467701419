//! When the outside world interferes: Ctrl-C, a reader that leaves, a full disk.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use crate::support::{CONFIG, Files, tokenizer};

/// A model that goes on for minutes: a long context, and so little arithmetic that ids come fast.
fn endless_model(files: &Files) -> String {
    let config = CONFIG
        .replace("context_length: 48", "context_length: 200000")
        .replace("n_layers: 2", "n_layers: 1");
    files.model_of(&config, Some(&tokenizer(300)))
}

#[cfg(unix)]
#[test]
fn ctrl_c_finishes_the_line_and_exits_130() {
    let files = Files::new();
    let model = endless_model(&files);
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("gollm"))
        .args([
            "generate",
            "-m",
            &model,
            "-c",
            "0",
            "--ignore-eos",
            "-s",
            "1",
            "Once",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut text = vec![0; 200];
    stdout.read_exact(&mut text).unwrap();
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    stdout.read_to_end(&mut text).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    assert!(text.ends_with(b"\n"));
    let stderr = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
    let last = stderr.lines().last().unwrap();
    assert!(
        last.contains("tokens generated") && last.contains("interrupted"),
        "{stderr}"
    );
}

#[cfg(unix)]
#[test]
fn a_reader_that_leaves_ends_it_quietly() {
    let files = Files::new();
    let model = endless_model(&files);
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("gollm"))
        .args([
            "generate",
            "-q",
            "-m",
            &model,
            "-c",
            "0",
            "--ignore-eos",
            "-s",
            "1",
            "Once",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = Vec::new();
    stdout.read_until(b' ', &mut line).unwrap();
    drop(stdout);
    let status = child.wait().unwrap();
    let stderr = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_under_stdout_is_one_message_and_exit_code_4() {
    let files = Files::new();
    let model = files.model();
    for args in [
        // Some seeds end the text before it begins, and nothing is written.
        vec![
            "generate",
            "-q",
            "-m",
            &model,
            "-s",
            "1",
            "--ignore-eos",
            "Once",
        ],
        vec!["generate", "-q", "-m", &model, "--json", "Once"],
        vec!["inspect", &model],
        vec!["tokenize", "-q", "-m", &model, "Once"],
        vec!["completions", "bash"],
        vec!["--help"],
    ] {
        let full = std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let output = Command::new(assert_cmd::cargo::cargo_bin!("gollm"))
            .args(&args)
            .stdin(Stdio::null())
            .stdout(full)
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(4), "{args:?}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(
            stderr.starts_with("error: cannot write to stdout: "),
            "{stderr}"
        );
    }
}
