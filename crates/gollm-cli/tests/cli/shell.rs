//! Help, completions, manual pages, devices: what a shell and its user ask for.

use crate::support::{Files, done, run};

const COMMANDS: [&str; 15] = [
    "generate",
    "chat",
    "tokenize",
    "train-tokenizer",
    "inspect",
    "verify",
    "params",
    "perplexity",
    "quantize",
    "convert",
    "random-model",
    "bench",
    "devices",
    "completions",
    "man",
];

#[test]
fn help_and_version_go_to_stdout() {
    let help = done(&["--help"]);
    for command in COMMANDS {
        assert!(help.text().contains(command), "{command}");
        let ran = done(&[command, "--help"]);
        assert!(ran.text().contains("Usage: gollm"), "{command}");
        assert_eq!(ran.stderr, "");
    }
    assert!(help.text().contains("Exit codes"));
    assert_eq!(
        done(&["--version"]).text(),
        concat!("gollm ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn every_shell_has_completions_for_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = done(&["completions", shell]).text();
        for command in COMMANDS {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let files = Files::new();
    let directory = files.path("man");
    let ran = done(&["man", "--out", &directory]);
    assert_eq!(ran.text(), "");
    let overview = std::fs::read_to_string(format!("{directory}/gollm.1")).unwrap();
    assert!(overview.contains(".TH gollm 1"), "{overview}");
    assert_eq!(done(&["man"]).text(), overview);
    for command in COMMANDS {
        let page = std::fs::read_to_string(format!("{directory}/gollm-{command}.1")).unwrap();
        assert!(
            page.contains(&format!(".TH gollm-{command} 1").replace('-', "\\-"))
                || page.contains(&format!(".TH gollm-{command} 1")),
            "{page}"
        );
        assert_eq!(done(&["man", command]).text(), page);
    }
    assert_eq!(
        std::fs::read_dir(&directory).unwrap().count(),
        // `pull` has a page in builds that have `pull`.
        1 + COMMANDS.len() + usize::from(cfg!(feature = "hub"))
    );
}

#[test]
fn devices_lists_what_generate_accepts_and_what_is_missing() {
    let json = done(&["devices", "--json"]).json();
    let text = done(&["devices"]).text();
    let devices = json["devices"].as_array().unwrap();
    for name in ["cpu", "reference"] {
        assert!(
            devices.iter().any(|device| device["name"] == name),
            "{json}"
        );
    }
    for (device, line) in devices.iter().zip(text.lines()) {
        let name = device["name"].as_str().unwrap();
        assert!(line.starts_with(&format!("{name}\t")), "{line}");
        done(&["generate", "-n", "1", "--device", name, "Once"]);
    }
    for missing in json["missing"].as_array().unwrap() {
        let name = missing["name"].as_str().unwrap();
        assert!(text.contains(&format!("no {name}\t")), "{text}");
        let refused = run(&["generate", "-n", "1", "--device", name, "Once"]);
        assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    }
    let threads = &devices
        .iter()
        .find(|device| device["name"] == "cpu")
        .unwrap()["facts"]["threads"];
    assert!(threads.as_u64().unwrap() > 0, "{json}");
}

#[test]
fn no_command_shows_the_help_and_is_a_mistake() {
    let ran = run::<&str>(&[]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("Usage: gollm"), "{}", ran.stderr);
    assert!(ran.stdout.is_empty());
}
