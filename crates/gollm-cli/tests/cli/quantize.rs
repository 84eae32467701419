//! `gollm quantize`: the same model in fewer bits, and every way in which it cannot be done.

use std::fs;

use crate::mistakes::{BAD_FILE, RESOURCES, USAGE, check};
use crate::support::{CONFIG, Files, TEXT, done, run_with, tokenizer};

const TYPES: [&str; 5] = ["f32", "f16", "bf16", "q8_0", "q4_0"];

#[test]
fn every_type_can_be_written_verified_and_run() {
    let files = Files::new();
    let (model, text) = (files.model(), files.write("text.txt", TEXT));
    for dtype in TYPES {
        let out = files.path(&format!("{dtype}.gollm"));
        let ran = done(&["quantize", &model, &out, "--type", dtype]);
        assert!(
            ran.text().ends_with(&format!("written to {out}\n")),
            "{}",
            ran.text()
        );
        assert_eq!(
            ran.stderr.contains("5 vectors kept in f32"),
            dtype != "f32",
            "{}",
            ran.stderr
        );
        done(&["verify", &out]);
        let inspected = done(&["inspect", &out, "--json"]).json();
        assert_eq!(inspected["config"]["dtype"], dtype);
        for tensor in inspected["tensors"].as_array().unwrap() {
            let matrix = tensor["shape"].as_array().unwrap().len() == 2;
            assert_eq!(tensor["dtype"], if matrix { dtype } else { "f32" });
        }
        assert_eq!(inspected["provenance"]["quantized_from"][0]["dtype"], "f32");
        let generated = done(&[
            "generate",
            "-m",
            &out,
            "-n",
            "5",
            "--ignore-eos",
            "--json",
            "Once",
        ])
        .json();
        assert_eq!(generated["ids"].as_array().unwrap().len(), 5);
        done(&["perplexity", "-m", &out, &text]);
    }
}

#[test]
fn the_report_has_sizes_and_errors_of_each_kind_of_tensor() {
    let files = Files::new();
    let (model, out) = (files.model(), files.path("out.gollm"));
    let json = done(&["quantize", &model, &out, "-t", "q8_0", "--json"]).json();
    let length = |path: &str| fs::metadata(path).unwrap().len();
    assert_eq!(json["bytes_before"], length(&model));
    assert_eq!(json["bytes_after"], length(&out));
    assert_eq!(
        (&json["dtype_before"], &json["dtype"]),
        (&"f32".into(), &"q8_0".into())
    );
    let rows = json["tensors"].as_array().unwrap();
    let kinds: Vec<&str> = rows
        .iter()
        .map(|row| row["tensors"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "tok_emb",
            "attn_norm",
            "attn.q_proj",
            "attn.k_proj",
            "attn.v_proj",
            "attn.o_proj",
            "ffn_norm",
            "ffn.gate_proj",
            "ffn.up_proj",
            "ffn.down_proj",
            "final_norm"
        ]
    );
    // 300 · 32 numbers in blocks of 34 bytes; two layers of every kind in between.
    assert_eq!(
        (&rows[0]["n_values"], &rows[0]["n_bytes"]),
        (&9600.into(), &10_200.into())
    );
    assert_eq!(
        (&rows[0]["n_tensors"], &rows[2]["n_tensors"]),
        (&1.into(), &2.into())
    );
    for row in rows {
        let error = |key: &str| row[key].as_f64().unwrap();
        let (rms, largest) = (error("relative_rms_error"), error("relative_largest_error"));
        if row["dtype"] == "f32" {
            assert_eq!((rms, largest), (0.0, 0.0), "{row}");
        } else {
            // Numbers spread evenly over ±0.5 have an RMS of 0.289, and a step is at most 0.5/127:
            // an error of step/√12 is 0.4 %, the largest (half a step) 0.7 %. The f16 scale adds
            // 2⁻¹¹ of a number, at most 0.085 % of the RMS.
            assert!(rms > 0.002 && rms < 0.005, "{row}");
            assert!(largest > rms && largest < 0.008, "{row}");
        }
    }
    let ran = done(&["quantize", &model, &out, "-t", "q8_0", "--force"]);
    assert_eq!(
        ran.text()
            .lines()
            .filter(|line| line.contains("q_proj"))
            .count(),
        1
    );
    assert!(
        ran.text().contains("(f32) to ") && ran.text().contains("(q8_0): "),
        "{}",
        ran.text()
    );
}

#[test]
fn rows_that_are_not_whole_blocks_are_named() {
    let files = Files::new();
    let config = CONFIG.replace("hidden_dim: 64", "hidden_dim: 48");
    let model = files.model_of(&config, Some(&tokenizer(300)));
    let out = files.path("out.gollm");
    let ran = done(&["quantize", &model, &out, "--type", "q4_0", "--json"]);
    let named = [
        "blocks.0.ffn.down_proj.weight",
        "blocks.1.ffn.down_proj.weight",
    ];
    assert_eq!(ran.json()["not_whole_blocks"], serde_json::json!(named));
    for name in named {
        let line = format!("{name} is stored as f16: its rows of 48 are not whole blocks of 32");
        assert!(ran.stderr.contains(&line), "{}", ran.stderr);
    }
    done(&["generate", "-m", &out, "-n", "2", "Once"]);
}

#[test]
fn quantizing_twice_is_warned_of() {
    let files = Files::new();
    let model = files.model();
    let (first, second) = (files.path("1.gollm"), files.path("2.gollm"));
    let ran = done(&["quantize", &model, &first, "--type", "q4_0"]);
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
    let ran = done(&["quantize", &first, &second, "--type", "q8_0"]);
    assert!(
        ran.stderr.contains("stored as q4_0 already") && ran.stderr.contains("loss adds up"),
        "{}",
        ran.stderr
    );
    // To the type that it has: every byte of every tensor is copied, so nothing more is lost.
    let ran = done(&["quantize", &first, &second, "--type", "q4_0", "--force"]);
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
    let quiet = done(&[
        "quantize", "-q", &first, &second, "--type", "f16", "--force",
    ]);
    assert_eq!(quiet.stderr, "");
}

#[test]
fn what_is_there_is_only_replaced_when_asked_and_the_source_never() {
    let files = Files::new();
    let model = files.model();
    let out = files.write("out.gollm", "precious");
    check(&[
        (
            &["quantize", &model, &out, "--type", "q8_0"],
            USAGE,
            "out.gollm is there already; --force replaces it",
        ),
        (
            &["quantize", &model, &model, "--type", "q8_0", "--force"],
            USAGE,
            "IN and OUT are the same file",
        ),
    ]);
    assert_eq!(fs::read(&out).unwrap(), b"precious");
    let force = [("GOLLM_FORCE", "1"), ("GOLLM_TYPE", "q8_0")];
    let ran = run_with(&["quantize", &model, &out], b"", &force);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    done(&["verify", &out]);
}

#[cfg(unix)]
#[test]
fn a_link_to_the_source_is_the_source() {
    let files = Files::new();
    let model = files.model();
    let link = files.path("link.gollm");
    std::os::unix::fs::symlink(&model, &link).unwrap();
    let before = fs::read(&model).unwrap();
    for args in [[&model, &link], [&link, &model]] {
        let args = ["quantize", args[0], args[1], "--type", "q8_0", "--force"];
        check(&[(&args, USAGE, "IN and OUT are the same file")]);
    }
    assert_eq!(fs::read(&model).unwrap(), before);
}

#[test]
fn files_and_types_that_cannot_be() {
    let files = Files::new();
    let model = files.model();
    let mut damaged = fs::read(&model).unwrap();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    let damaged = files.write("damaged.gollm", damaged);
    let text = files.write("story.txt", TEXT);
    let (missing, out) = (files.path("missing.gollm"), files.path("out.gollm"));
    let (nowhere, directory) = (files.path("no/where.gollm"), files.path(""));
    let quantize = |from: &str, to: &str, code, message: &str| {
        check(&[(&["quantize", from, to, "--type", "q8_0"], code, message)]);
        assert!(fs::metadata(&out).is_err(), "something was written");
    };
    quantize(&missing, &out, BAD_FILE, "cannot find the file");
    quantize(&text, &out, BAD_FILE, "it looks like a text file");
    quantize(&directory, &out, BAD_FILE, "is a directory");
    quantize(&damaged, &out, BAD_FILE, "damaged.gollm: tensor `");
    quantize(&model, &nowhere, RESOURCES, "there is no directory");
    quantize(&model, &directory, RESOURCES, "it is a directory");
    check(&[
        (
            &["quantize", &model, &out, "--type", "q5_1"],
            USAGE,
            "'q5_1'",
        ),
        (&["quantize", &model, &out], USAGE, "--type <TYPE>"),
        (&["quantize", &model, "--type", "q8_0"], USAGE, "<OUT>"),
    ]);
}
