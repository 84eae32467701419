//! Flags and variables with values that cannot be: one clear message and the right exit code for each.

use crate::mistakes::{BAD_FILE, USAGE, check_with};
use crate::support::Files;

#[test]
fn a_flag_with_a_value_that_cannot_be() {
    let files = Files::new();
    let model = files.model();
    let table: [(&[&str], i32, &str); 20] = [
        (
            &["--device", "gpu"],
            USAGE,
            "invalid value 'gpu' for '--device",
        ),
        (&["--device", "cuda:x"], USAGE, "cuda or cuda:N"),
        (
            &["--cache-type", "q8_0"],
            USAGE,
            "possible values: f32, f16",
        ),
        (&["--temp", "hot"], USAGE, "invalid value 'hot'"),
        (&["--temp", "-1"], USAGE, "`temperature` is -1"),
        (&["--temp", "nan"], USAGE, "`temperature` is NaN"),
        (&["--top-k", "-1"], USAGE, "--top-k"),
        (&["--top-p", "0"], USAGE, "`top_p` is 0"),
        (&["--top-p", "1.5"], USAGE, "`top_p` is 1.5"),
        (&["--min-p", "-0.1"], USAGE, "`min_p` is -0.1"),
        (
            &["--repeat-penalty", "0"],
            USAGE,
            "`repetition_penalty` is 0",
        ),
        (
            &["--presence-penalty", "inf"],
            USAGE,
            "`presence_penalty` is inf",
        ),
        (&["--frequency-penalty", "x"], USAGE, "--frequency-penalty"),
        (&["--repeat-last-n", "1.5"], USAGE, "--repeat-last-n"),
        (&["--seed", "dice"], USAGE, "or `random`"),
        (&["--max-tokens", "-3"], USAGE, "'-3'"),
        (&["--threads", "0"], USAGE, "0 is not in 1..=1024"),
        (&["--threads", "many"], USAGE, "invalid value 'many'"),
        (&["--stop", ""], USAGE, "--stop is empty"),
        (
            &["--model-file", "x"],
            USAGE,
            "unexpected argument '--model-file'",
        ),
    ];
    for (flags, code, message) in table {
        let args = [&["generate", "-m", &model, "Once"], flags].concat();
        check_with(&args, b"", &[], code, message);
    }
}

#[test]
fn a_variable_with_a_value_that_cannot_be() {
    for (name, value, message) in [
        (
            "GOLLM_TEMPERATURE",
            "hot",
            "invalid value 'hot' for '--temperature",
        ),
        ("GOLLM_JSON", "maybe", "expected 1 or 0"),
        ("GOLLM_DEVICE", "gpu", "invalid value 'gpu'"),
        ("GOLLM_SEED", "x", "--seed"),
    ] {
        check_with(&["generate", "Once"], b"", &[(name, value)], USAGE, message);
    }
    let missing = [("GOLLM_MODEL", "/no/such.gollm")];
    check_with(
        &["generate", "Once"],
        b"",
        &missing,
        BAD_FILE,
        "/no/such.gollm",
    );
}
