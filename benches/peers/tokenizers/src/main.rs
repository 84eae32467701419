//! Encoding and training beside the fastest tokenizers known to us, on the same text, in turn:
//!
//! `cargo run --release --manifest-path benches/peers/tokenizers/Cargo.toml [FILE or FOLDER]`
//!
//! Without an argument the text is made of the documentation that came with Rust. Each figure is
//! the best of several rounds, and within a round the programs take turns: quote the ratio, not
//! the seconds of one machine.

use gollm_tokenizer::{Pattern, Tokenizer, TrainOptions};
use tiktoken_rs::CoreBPE;

use measure::{Contender, compare};

#[path = "../../../../crates/gollm-tokenizer/examples/speed/corpus.rs"]
mod corpus;
#[path = "../../../../crates/gollm-tokenizer/examples/speed/measure.rs"]
mod measure;
mod train;

const ROUNDS: usize = 5;
const VOCAB_SIZE: usize = 32_768;

fn main() {
    let path = std::env::args().nth(1);
    let text = corpus::read(path.as_deref()).unwrap_or_else(|error| panic!("{error}"));
    println!("text: {} bytes", text.len());
    let r50k = tiktoken_rs::r50k_base_singleton();
    let cl100k = tiktoken_rs::cl100k_base_singleton();
    let o200k = tiktoken_rs::o200k_base_singleton();
    encode("r50k_base", Pattern::Gpt2, 50_256, r50k, None, &text);
    let peer = Some(bpe_openai::cl100k_base());
    encode("cl100k_base", Pattern::Cl100k, 100_256, cl100k, peer, &text);
    let peer = Some(bpe_openai::o200k_base());
    encode("o200k_base", Pattern::O200k, 199_998, o200k, peer, &text);
    train_all(&text);
}

fn encode(
    name: &str,
    pattern: Pattern,
    n_ranks: u32,
    tiktoken: &CoreBPE,
    openai: Option<&bpe_openai::Tokenizer>,
    text: &str,
) {
    let ranks = (0..n_ranks)
        .map(|id| tiktoken.decode_bytes(&[id]).unwrap())
        .collect();
    let gollm = Tokenizer::new(ranks, pattern, Vec::new()).unwrap();
    let ids = gollm.encode(text);
    assert!(
        ids == tiktoken.encode_ordinary(text),
        "{name}: the same ids as tiktoken-rs"
    );

    let hide = |ids: Vec<u32>| drop(std::hint::black_box(ids));
    let mut contenders = vec![
        Contender::new("gollm", || hide(gollm.encode(text))),
        Contender::new("tiktoken-rs", || hide(tiktoken.encode_ordinary(text))),
    ];
    if let Some(openai) = openai {
        // Its expressions differ a little from the published ones (several line breaks).
        let theirs = openai.encode(text);
        println!(
            "{name:<12} ids: {} ours, {} of bpe-openai",
            ids.len(),
            theirs.len()
        );
        contenders.push(Contender::new("bpe-openai", || hide(openai.encode(text))));
    }
    compare(name, text.len(), ROUNDS, contenders);
}

fn train_all(text: &str) {
    let chunks = train::chunks(text);
    let options = TrainOptions {
        vocab_size: VOCAB_SIZE,
        pattern: Pattern::Cl100k,
        special_tokens: Vec::new(),
    };
    let ours = || {
        let tokenizer = gollm_tokenizer::train(&chunks, &options).unwrap();
        assert_eq!(tokenizer.vocab_size(), VOCAB_SIZE);
    };
    let contenders = vec![
        Contender::new("gollm", ours),
        Contender::new("Hugging Face tokenizers", || {
            train::hugging_face(&chunks, VOCAB_SIZE)
        }),
        #[cfg(feature = "rustbpe")]
        Contender::new("rustbpe", || train::rustbpe(&chunks, VOCAB_SIZE)),
    ];
    compare("train 32,768 ids", text.len(), 3, contenders);
}
