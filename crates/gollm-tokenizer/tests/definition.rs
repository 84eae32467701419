//! The fast trainer and the fast encoder (`src/fast/`) against the definition (`src/bpe.rs`).

#![expect(clippy::unwrap_used, reason = "a panic is how a test's helper fails")]

use gollm_tokenizer::{Error, Pattern, Tokenizer, TrainOptions, bpe, pretokenize, train};
use proptest::prelude::*;

/// Each piece by the definition.
fn encode_by_definition(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    let pieces = pretokenize(tokenizer.pattern().unwrap(), text).unwrap();
    pieces
        .flat_map(|piece| bpe::encode(piece, tokenizer.ranks()))
        .collect()
}

/// All pieces of all texts by the definition.
fn train_by_definition(texts: &[String], pattern: Pattern, n_merges: usize) -> Vec<Vec<u8>> {
    let pieces = texts
        .iter()
        .flat_map(|text| pretokenize(pattern, text).unwrap());
    bpe::train(pieces, n_merges)
}

/// Text in which pairs repeat and overlap: few letters, and runs of them.
fn repetitive_text() -> impl Strategy<Value = String> {
    let letters = prop::sample::select(vec!["a", "b", "aa", "aab", " ", "é", "ab", "🐔", "1"]);
    prop::collection::vec(letters, 0..60).prop_map(|parts| parts.concat())
}

fn any_pattern() -> impl Strategy<Value = Pattern> {
    prop::sample::select(Pattern::ALL.to_vec())
}

proptest! {
    #[test]
    fn training_finds_the_merges_of_the_definition(
        texts in prop::collection::vec(repetitive_text(), 1..4),
        pattern in any_pattern(),
        n_merges in 0usize..40,
    ) {
        let expected = train_by_definition(&texts, pattern, n_merges);
        let options =
            TrainOptions { vocab_size: 256 + n_merges, pattern, special_tokens: Vec::new() };
        match train(&texts, &options) {
            Ok(tokenizer) => prop_assert_eq!(tokenizer.ranks(), expected.as_slice()),
            Err(Error::CorpusTooSmall { reached, .. }) => {
                prop_assert!(reached < 256 + n_merges);
                prop_assert_eq!(reached, expected.len());
            }
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        }
    }

    #[test]
    fn the_order_of_the_texts_does_not_matter(
        mut texts in prop::collection::vec(repetitive_text(), 2..6),
    ) {
        texts.push("abababab aab aab".to_owned());
        let options =
            TrainOptions { vocab_size: 258, pattern: Pattern::Cl100k, special_tokens: Vec::new() };
        let forwards = train(&texts, &options).unwrap();
        texts.reverse();
        let backwards = train(&texts, &options).unwrap();
        prop_assert_eq!(forwards.ranks(), backwards.ranks());
    }

    #[test]
    fn encoding_joins_what_the_definition_joins(
        training in repetitive_text(),
        text in repetitive_text(),
        pattern in any_pattern(),
    ) {
        let training = format!("aab aab abab abab {training}");
        let options = TrainOptions { vocab_size: 259, pattern, special_tokens: Vec::new() };
        let tokenizer = train([training], &options).unwrap();
        let ids = tokenizer.encode(&text);
        prop_assert_eq!(&ids, &encode_by_definition(&tokenizer, &text));
        let bytes = bpe::decode(&ids, tokenizer.ranks());
        prop_assert_eq!(bytes.ok(), tokenizer.decode_bytes(&ids).ok());
    }

    /// A vocabulary that no training would give: a long token may have a lower rank than the
    /// tokens it is made of, and some tokens cannot be reached at all.
    #[test]
    fn encoding_follows_the_definition_with_any_vocabulary(
        tokens in prop::collection::hash_set("[ab]{2,6}", 0..30),
        text in "[ab]{0,60}",
    ) {
        let mut ranks: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
        ranks.extend(tokens.into_iter().map(String::into_bytes));
        let tokenizer = Tokenizer::new(ranks, Pattern::Gpt2, Vec::new()).unwrap();
        prop_assert_eq!(tokenizer.encode(&text), encode_by_definition(&tokenizer, &text));
    }
}
