//! `gollm bench`: rows that a script can read. What the figures are, no test can say.

use crate::support::{done, run};

const CONFIG: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../configs/gollm-stories.yaml"
);

/// As little work as a measurement can be.
fn little(extra: &[&str]) -> Vec<String> {
    let always = [
        "bench", "--random", CONFIG, "-p", "16", "-n", "4", "-r", "2",
    ];
    [&always, extra]
        .concat()
        .into_iter()
        .map(str::to_owned)
        .collect()
}

#[test]
fn json_rows_carry_what_scripts_need() {
    let args = little(&["--type", "q8_0", "-t", "1,2", "-b", "1,2", "-o", "json"]);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let json = done(&args).json();
    let rows = json.as_array().unwrap();
    let names: Vec<&str> = rows
        .iter()
        .map(|row| row["test"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["pp16", "tg4", "tg4@2", "pp16", "tg4", "tg4@2"]);
    for row in rows {
        assert!(row["avg_ts"].as_f64().unwrap() > 0.0, "{row}");
        assert!(row["stddev_ts"].as_f64().unwrap() >= 0.0, "{row}");
        assert!(row["roofline_fraction"].as_f64().unwrap() > 0.0, "{row}");
        assert_eq!(
            (&row["type"], &row["device"]),
            (&"q8_0".into(), &"cpu".into())
        );
    }
    assert_eq!(
        (&rows[0]["n_threads"], &rows[5]["n_threads"]),
        (&1.into(), &2.into())
    );
}

#[test]
fn tables_have_a_line_for_each_row() {
    let args = little(&["-t", "1", "--device", "reference,cpu"]);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    assert_eq!(done(&args).text().lines().count(), 2 + 4);
    let csv = done(&[&args[..], &["-o", "csv"]].concat()).text();
    assert!(
        csv.lines()
            .next()
            .unwrap()
            .split(',')
            .any(|name| name == "avg_ts"),
        "{csv}"
    );
    assert_eq!(csv.lines().count(), 1 + 4);
}

#[test]
fn ladders_time_every_step() {
    let sizes = [
        "--n-tokens",
        "5",
        "--n-in",
        "33",
        "--n-out",
        "17",
        "-r",
        "1",
    ];
    let text = done(&[&["bench", "matmul"][..], &sizes].concat()).text();
    for step in ["plain", "sums", "vectors", "tile", "packed", "threads"] {
        assert!(text.contains(step), "{text}");
    }
    let json = done(&[
        "bench",
        "attention",
        "--n-tokens",
        "9",
        "-r",
        "1",
        "-o",
        "json",
    ])
    .json();
    assert_eq!(json.as_array().unwrap().len(), 4);
}

#[test]
fn what_cannot_be_measured_is_said() {
    for (args, message) in [
        (&["-p", "513"][..], "context_length 512"),
        (&["-t", "0"], "--threads"),
        (&["--kernels", "sse9"], "sse9"),
        (&["--type", "q9_0"], "q9_0"),
    ] {
        let args = [&["bench", "--random", CONFIG, "-r", "1"], args].concat();
        let ran = run(&args);
        assert_eq!(ran.code, Some(2), "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(message), "{args:?}: {}", ran.stderr);
    }
}
