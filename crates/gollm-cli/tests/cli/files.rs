//! The commands that look at files: `inspect`, `verify`, `params`, `perplexity`, `random-model`.

use gollm_tokenizer::Tokenizer;

use crate::support::{CONFIG, Files, TEXT, done, run_with, tokenizer};

#[test]
fn params_prints_the_true_counts_of_the_85m_config() {
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs/gollm-85m.yaml");
    let text = done(&["params", config]).text();
    for number in [
        "100,682,496",
        "75,516,672",
        "25,165,824",
        "1,572,864",
        "4,718,592",
        "6,292,992",
    ] {
        assert!(text.contains(number), "{number} in\n{text}");
    }
    assert_eq!(
        text.lines()
            .filter(|line| line.starts_with("layer "))
            .count(),
        12
    );
    let json = done(&["params", config, "--json"]).json();
    let parameters = &json["parameters"];
    assert_eq!(parameters["total"], 100_682_496);
    assert_eq!(parameters["without_embeddings"], 75_516_672);
    // Norms stay f32: 25 of 768 numbers.
    assert_eq!(json["weight_bytes"]["f16"], 2 * 100_682_496 + 2 * 25 * 768);
}

#[test]
fn params_leaves_out_the_types_that_the_config_cannot_be_stored_in() {
    let files = Files::new();
    let config = files.write("odd.yaml", CONFIG.replace("emb_dim: 32", "emb_dim: 20"));
    let json = done(&["params", &config, "--json"]).json();
    let types: Vec<&String> = json["weight_bytes"].as_object().unwrap().keys().collect();
    assert_eq!(types, ["bf16", "f16", "f32"]);
    let untied = files.write("untied.yaml", format!("{CONFIG}tie_embeddings: false\n"));
    let json = done(&["params", &untied, "--json"]).json();
    assert_eq!(json["parameters"]["head"], 300 * 32);
}

#[test]
fn inspect_shows_config_counts_tokenizer_and_every_tensor() {
    let files = Files::new();
    let model = files.model();
    let text = done(&["inspect", &model]).text();
    for part in [
        "vocab_size       300",
        "total",
        "pattern cl100k",
        "<|end_of_text|> = 296",
        "tensors (20)",
        "blocks.1.ffn.down_proj.weight",
        "[32, 64]",
    ] {
        assert!(text.contains(part), "`{part}` in\n{text}");
    }
    let json = done(&["inspect", "-m", &model, "--json"]).json();
    assert_eq!(json["config"]["n_layers"], 2);
    assert_eq!(json["tokenizer"]["vocab_size"], 300);
    let tensors = json["tensors"].as_array().unwrap();
    let n_elements = |tensor: &serde_json::Value| {
        tensor["shape"]
            .as_array()
            .unwrap()
            .iter()
            .map(|dim| dim.as_u64().unwrap())
            .product::<u64>()
    };
    let total: u64 = tensors.iter().map(n_elements).sum();
    assert_eq!(json["parameters"]["total"], total);
    let env = [("GOLLM_MODEL", model.as_str())];
    assert_eq!(run_with(&["inspect", "--json"], b"", &env).json(), json);
}

#[test]
fn verify_accepts_a_sound_file_and_the_embedded_one() {
    let files = Files::new();
    let model = files.model();
    let text = done(&["verify", &model]).text();
    assert!(
        text.contains(": ok. ") && text.contains("a tokenizer of 300 ids"),
        "{text}"
    );
    let json = done(&["verify", "-m", &model, "--json"]).json();
    assert_eq!(
        (json["ok"].clone(), json["n_tensors"].clone()),
        (true.into(), 20.into())
    );
    let embedded = done(&["verify"]).text();
    assert!(
        embedded.starts_with("gollm-stories (embedded): ok. "),
        "{embedded}"
    );
}

#[test]
fn verify_finds_a_bit_that_generate_would_not_look_at() {
    let files = Files::new();
    let model = files.model();
    let mut bytes = std::fs::read(&model).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let damaged = files.write("damaged.gollm", bytes);
    for args in [
        vec!["verify", &damaged],
        vec!["generate", "--verify", "-m", &damaged, "Once"],
    ] {
        let ran = crate::support::run(&args);
        assert_eq!(ran.code, Some(3), "{args:?}");
        assert!(
            ran.stderr.contains("is damaged") && ran.stderr.contains("damaged.gollm"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn perplexity_of_even_weights_is_the_vocabulary() {
    let files = Files::new();
    let config = files.write("config.yaml", CONFIG);
    let model = files.path("random.gollm");
    done(&["random-model", &config, &model]);
    let text = files.write("text.txt", TEXT);
    let json = done(&["perplexity", "-m", &model, &text, "--json"]).json();
    // Weights of 0.02 give logits near zero, so every id is about as likely as every other.
    let perplexity = json["perplexity"].as_f64().unwrap();
    assert!((perplexity / 300.0 - 1.0).abs() < 0.05, "{perplexity}");
    let (loss, n_tokens) = (
        json["mean_loss"].as_f64().unwrap(),
        json["n_tokens"].as_f64().unwrap(),
    );
    let bits = loss / std::f64::consts::LN_2 * n_tokens / TEXT.len() as f64;
    assert!((json["bits_per_byte"].as_f64().unwrap() - bits).abs() < 1e-9);
    let plain = run_with(
        &["perplexity", "-q", "-m", &model, "-"],
        TEXT.as_bytes(),
        &[],
    );
    assert!(
        plain
            .text()
            .starts_with(&format!("perplexity     {perplexity:.4}\n")),
        "{}",
        plain.text()
    );
    assert_eq!(plain.stderr, "");
}

#[test]
fn a_random_model_is_the_same_for_a_seed_and_generates() {
    let files = Files::new();
    let config = files.write("config.yaml", CONFIG);
    let make = |name: &str, more: &[&str]| {
        let path = files.path(name);
        done(&[&["random-model", &config, &path], more].concat());
        (std::fs::read(&path).unwrap(), path)
    };
    let (first, path) = make("1.gollm", &[]);
    assert_eq!(first, make("2.gollm", &["--seed", "0"]).0);
    assert_ne!(first, make("3.gollm", &["--seed", "1"]).0);
    done(&["verify", &path]);
    let json = done(&[
        "generate",
        "-m",
        &path,
        "-n",
        "10",
        "--ignore-eos",
        "--json",
        "Once upon",
    ])
    .json();
    assert_eq!(json["ids"].as_array().unwrap().len(), 10);
    let inspected = done(&["inspect", &path, "--json"]).json();
    assert_eq!(inspected["provenance"]["weights"], "random, untrained");
}

#[test]
fn a_random_model_takes_any_storage_type_and_any_tokenizer() {
    let files = Files::new();
    let config = files.write("config.yaml", CONFIG);
    let path = files.path("out.gollm");
    for dtype in ["f32", "f16", "bf16", "q8_0", "q4_0"] {
        done(&["random-model", &config, &path, "--dtype", dtype]);
        done(&["generate", "-m", &path, "-n", "2", "Once"]);
        assert_eq!(
            done(&["inspect", &path, "--json"]).json()["config"]["dtype"],
            dtype
        );
    }
    let ranks = files.path("ranks");
    tokenizer(300).save(&ranks).unwrap();
    done(&["random-model", &config, &path, "--tokenizer", &ranks]);
    let ids = done(&["tokenize", "-m", &path, "--json", "the fox"]).json()["ids"].clone();
    assert_eq!(
        ids,
        serde_json::json!(Tokenizer::load(&ranks).unwrap().encode("the fox"))
    );
    done(&["random-model", &config, &path, "--no-tokenizer"]);
    assert_eq!(
        done(&["inspect", &path, "--json"]).json()["tokenizer"],
        serde_json::Value::Null
    );
    let small = files.write("small.yaml", CONFIG.replace("300", "64"));
    let ran = done(&["random-model", &small, &path]);
    assert!(ran.stderr.contains("--prompt-ids"), "{}", ran.stderr);
    done(&["generate", "-m", &path, "-n", "2", "--prompt-ids", "63"]);
}

#[test]
#[ignore = "writes 200 MB and computes for a while; run with `--ignored` in a release build"]
fn a_model_of_the_85m_config_loads_and_generates() {
    let files = Files::new();
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs/gollm-85m.yaml");
    let model = files.path("85m.gollm");
    done(&["random-model", config, &model]);
    let json = done(&["generate", "-m", &model, "-n", "4", "--json", "Once upon"]).json();
    assert_eq!(json["ids"].as_array().unwrap().len(), 4);
    assert!(
        done(&["verify", &model])
            .text()
            .contains("100,682,496 parameters")
    );
}

#[test]
fn the_embedded_model_has_learned_to_tell_stories() {
    let story = "Once upon a time there was a little girl. She liked to play in the garden.";
    let ran = run_with(&["perplexity", "--json", "-"], story.as_bytes(), &[]);
    // Weights that learned nothing would need about 4,096, the size of the vocabulary.
    let perplexity = ran.json()["perplexity"].as_f64().unwrap();
    assert!(perplexity < 400.0, "{perplexity}");
}
