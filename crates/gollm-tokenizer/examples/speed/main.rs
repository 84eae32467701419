//! The speed of encoding, beside tiktoken-rs, and of training:
//!
//! `cargo run --release -p gollm-tokenizer --example speed [FILE or FOLDER]`
//!
//! Without an argument the text is made of the documentation that came with Rust. Both
//! tokenizers hold the same vocabulary, take turns, and must give the same ids. Each figure is
//! the best of five; quote the ratio, not the seconds of one machine. More peers, with more to
//! download: `benches/peers/tokenizers`.
#![expect(clippy::print_stdout, reason = "the table is what the program is for")]
#![expect(clippy::unwrap_used, reason = "a panic is how a measurement fails")]

use std::hint::black_box;

use gollm_tokenizer::{Pattern, Tokenizer, TrainOptions, train};
use tiktoken_rs::{CoreBPE, cl100k_base_singleton, o200k_base_singleton, r50k_base_singleton};

use measure::{Contender, compare};

mod corpus;
mod measure;

/// One megabyte.
const N: usize = 1_000_000;

fn main() {
    let path = std::env::args().nth(1);
    let text = corpus::read(path.as_deref()).unwrap();
    let cl100k = ours(cl100k_base_singleton(), Pattern::Cl100k, 100_256);
    let runs = [
        ("cl100k, one letter", "a".repeat(N)),
        ("cl100k, spaces, a letter", " ".repeat(N) + "a"),
        ("cl100k, two letters in turn", "ab".repeat(N / 2)),
        ("cl100k, digits", "7".repeat(N)),
        ("cl100k, text", text.clone()),
    ];
    for (name, run) in &runs {
        encode(name, &cl100k, cl100k_base_singleton(), run);
    }
    let r50k = ours(r50k_base_singleton(), Pattern::Gpt2, 50_256);
    encode("r50k, text", &r50k, r50k_base_singleton(), &text);
    let o200k = ours(o200k_base_singleton(), Pattern::O200k, 199_998);
    encode("o200k, text", &o200k, o200k_base_singleton(), &text);

    let options = TrainOptions {
        vocab_size: 32_768,
        pattern: Pattern::Cl100k,
        special_tokens: Vec::new(),
    };
    let learn = || drop(black_box(train([&text], &options).unwrap()));
    compare(
        "train 32,768 ids",
        text.len(),
        3,
        vec![Contender::new("gollm", learn)],
    );
}

fn ours(theirs: &CoreBPE, pattern: Pattern, n_ranks: u32) -> Tokenizer {
    let ranks = (0..n_ranks)
        .map(|id| theirs.decode_bytes(&[id]).unwrap())
        .collect();
    Tokenizer::new(ranks, pattern, Vec::new()).unwrap()
}

fn encode(name: &str, ours: &Tokenizer, theirs: &CoreBPE, text: &str) {
    let mut contenders = vec![Contender::new("gollm", || {
        drop(black_box(ours.encode(text)));
    })];
    // tiktoken-rs cannot encode some of these at all; its expression engine gives up.
    match std::panic::catch_unwind(|| theirs.encode_ordinary(text)) {
        Ok(expected) => {
            assert!(ours.encode(text) == expected, "{name}: the same ids");
            contenders.push(Contender::new("tiktoken-rs", || {
                drop(black_box(theirs.encode_ordinary(text)));
            }));
        }
        Err(_) => println!("{name}: tiktoken-rs fails"),
    }
    compare(name, text.len(), 5, contenders);
}
