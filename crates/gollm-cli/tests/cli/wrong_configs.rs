//! Configs, targets and names that cannot be: one clear message and the right exit code for each.

use crate::mistakes::{BAD_FILE, RESOURCES, USAGE, check};
use crate::support::{CONFIG, Files, tokenizer};

#[test]
fn a_config_or_target_that_cannot_be_used() {
    let files = Files::new();
    let config = files.write("config.yaml", CONFIG);
    let misspelled = files.write("misspelled.yaml", CONFIG.replace("n_layers", "n_layer"));
    let impossible = files.write(
        "impossible.yaml",
        CONFIG.replace("n_kv_heads: 1", "n_kv_heads: 3"),
    );
    let odd = files.write("odd.yaml", CONFIG.replace("emb_dim: 32", "emb_dim: 20"));
    let no_yaml = files.write("no.yaml", "a: [b");
    let ranks = files.path("ranks");
    tokenizer(280).save(&ranks).unwrap();
    let (missing, out, nowhere) = (
        files.path("missing.yaml"),
        files.path("out.gollm"),
        files.path("no/where.gollm"),
    );
    check(&[
        (&["params", &missing], BAD_FILE, "missing.yaml"),
        (
            &["params", &misspelled],
            BAD_FILE,
            "misspelled.yaml: config: unknown key `n_layer`; did you mean `n_layers`?",
        ),
        (&["params", &impossible], BAD_FILE, "n_kv_heads"),
        (&["params", &no_yaml], BAD_FILE, "not well-formed YAML"),
        (&["params"], USAGE, "<CONFIG>"),
        (&["random-model", &missing, &out], BAD_FILE, "missing.yaml"),
        (
            &["random-model", &config, &nowhere],
            RESOURCES,
            "there is no directory",
        ),
        (
            &["random-model", &config, &files.path("")],
            RESOURCES,
            "it is a directory",
        ),
        (
            &["random-model", &config, "/dev/null/x"],
            RESOURCES,
            "there is no directory",
        ),
        (
            &["random-model", &config, &out, "--dtype", "f8"],
            USAGE,
            "unknown storage type `f8`",
        ),
        (
            &["random-model", &odd, &out, "--dtype", "q8_0"],
            BAD_FILE,
            "cannot be stored as q8_0",
        ),
        (
            &["random-model", &config, &out, "--tokenizer", &ranks],
            BAD_FILE,
            "has 280 ids but the config says vocab_size 300",
        ),
        (
            &[
                "random-model",
                &config,
                &out,
                "--tokenizer",
                &ranks,
                "--no-tokenizer",
            ],
            USAGE,
            "cannot be used with",
        ),
        (&["man", "--out", &config], RESOURCES, "cannot write"),
        (&["man", "poem"], USAGE, "there is no command `poem`"),
        (&["completions", "dos"], USAGE, "invalid value 'dos'"),
        (&["poem"], USAGE, "unrecognized subcommand 'poem'"),
    ]);
    assert!(!std::path::Path::new(&out).exists());
}
