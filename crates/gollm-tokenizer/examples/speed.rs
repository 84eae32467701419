//! Encoding speed beside tiktoken-rs, on long runs and on a text of your own:
//!
//! `cargo run --release -p gollm-tokenizer --example speed [FILE]`
//!
//! Both tokenizers hold the same vocabulary (cl100k_base), take turns, and must give the same ids.
//! Each figure is the best of five; quote the ratio, not the seconds of one machine.
#![expect(clippy::print_stdout, reason = "the table is what the program is for")]
#![expect(clippy::unwrap_used, reason = "a panic is how a measurement fails")]

use std::time::{Duration, Instant};

use gollm_tokenizer::{Pattern, Tokenizer};
use tiktoken_rs::cl100k_base_singleton;

/// One megabyte.
const N: usize = 1_000_000;

fn main() {
    let theirs = cl100k_base_singleton();
    let ranks = (0..100_256)
        .map(|id| theirs.decode_bytes(&[id]).unwrap())
        .collect();
    let ours = Tokenizer::new(ranks, Pattern::Cl100k, Vec::new()).unwrap();

    let mut texts = vec![
        ("one letter, 1 MB".to_owned(), "a".repeat(N)),
        (
            "spaces, then a letter, 1 MB".to_owned(),
            " ".repeat(N) + "a",
        ),
        ("two letters in turn, 1 MB".to_owned(), "ab".repeat(N / 2)),
        ("digits, 1 MB".to_owned(), "7".repeat(N)),
    ];
    if let Some(file) = std::env::args().nth(1) {
        let text = std::fs::read_to_string(&file).unwrap();
        texts.push((file, text));
    }

    println!(
        "{:<32} {:>12} {:>12} {:>8}",
        "text", "gollm", "tiktoken-rs", "ratio"
    );
    for (name, text) in texts {
        // tiktoken-rs cannot encode some of these at all; its expression engine gives up.
        let can = std::panic::catch_unwind(|| theirs.encode_ordinary(&text)).ok();
        let (mut best, mut peer) = (Duration::MAX, Duration::MAX);
        for _ in 0..5 {
            let started = Instant::now();
            let ids = ours.encode(&text);
            best = best.min(started.elapsed());
            if let Some(expected) = &can {
                assert_eq!(&ids, expected, "{name}: the same ids");
                let started = Instant::now();
                std::hint::black_box(theirs.encode_ordinary(&text));
                peer = peer.min(started.elapsed());
            }
        }
        let seconds = |d: Duration| format!("{:.3} s", d.as_secs_f64());
        let (peer_column, ratio) = match can {
            Some(_) => (
                seconds(peer),
                format!("{:.1}", peer.as_secs_f64() / best.as_secs_f64()),
            ),
            None => ("fails".to_owned(), "–".to_owned()),
        };
        println!(
            "{name:<32} {:>12} {peer_column:>12} {ratio:>8}",
            seconds(best)
        );
    }
}
