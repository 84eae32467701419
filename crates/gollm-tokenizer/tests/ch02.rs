//! Chapter 2, text. Run with `cargo test --test ch02`; read with notes/ch02-text.md.

use gollm_tokenizer::{Pattern, TrainOptions, train};

#[test]
fn s5_training_three_merges_gives_the_ids_of_the_worked_example() {
    let options = TrainOptions {
        vocab_size: 259,
        pattern: Pattern::Gpt2,
        special_tokens: Vec::new(),
    };
    let tokenizer = train(["aaabdaaabac"], &options).unwrap();
    assert_eq!(tokenizer.encode("aaabdaaabac"), [258, 100, 258, 97, 99]);
    assert_eq!(
        tokenizer.decode(&[258, 100, 258, 97, 99]).unwrap(),
        "aaabdaaabac"
    );
}
