//! The fast trainer and the fast encoder against the definition, written as plainly as it goes.

#![expect(clippy::unwrap_used, reason = "a panic is how a test's helper fails")]

use std::collections::{BTreeMap, HashMap};

use gollm_tokenizer::{Error, Pattern, Tokenizer, TrainOptions, pretokenize, train};
use proptest::prelude::*;

/// Byte-pair encoding by the book: look at every pair, join the best, start again.
fn encode_by_definition(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    let ids: HashMap<&[u8], u32> = tokenizer
        .ranks()
        .iter()
        .map(Vec::as_slice)
        .zip(0u32..)
        .collect();
    let mut all = Vec::new();
    for piece in pretokenize(tokenizer.pattern().unwrap(), text).unwrap() {
        if let Some(&id) = ids.get(piece.as_bytes()) {
            all.push(id);
            continue;
        }
        let mut parts: Vec<Vec<u8>> = piece.bytes().map(|byte| vec![byte]).collect();
        loop {
            let candidates = parts
                .windows(2)
                .enumerate()
                .filter_map(|(at, pair)| ids.get(pair.concat().as_slice()).map(|&rank| (rank, at)));
            let Some((_, at)) = candidates.min() else {
                break;
            };
            let right = parts.remove(at + 1);
            parts[at].extend(right);
        }
        all.extend(parts.iter().map(|part| ids[part.as_slice()]));
    }
    all
}

/// Training by the book: count every pair of every piece, join the most frequent, start again.
fn train_by_definition(texts: &[String], pattern: Pattern, n_merges: usize) -> Vec<Vec<u8>> {
    let mut pieces: Vec<Vec<Vec<u8>>> = Vec::new();
    for text in texts {
        for piece in pretokenize(pattern, text).unwrap() {
            pieces.push(piece.bytes().map(|byte| vec![byte]).collect());
        }
    }
    let mut ranks: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
    for _ in 0..n_merges {
        let id = |bytes: &Vec<u8>| ranks.iter().position(|token| token == bytes).unwrap();
        let mut counts: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for pair in pieces.iter().flat_map(|piece| piece.windows(2)) {
            *counts.entry((id(&pair[0]), id(&pair[1]))).or_default() += 1;
        }
        // The first of the largest in ascending order of the ids.
        let best = counts
            .iter()
            .filter(|entry| *entry.1 >= 2)
            .rev()
            .max_by_key(|entry| entry.1);
        let Some((&(left, right), _)) = best else {
            break;
        };
        let (left, right) = (ranks[left].clone(), ranks[right].clone());
        for piece in &mut pieces {
            let mut at = 0;
            while at + 1 < piece.len() {
                if piece[at] == left && piece[at + 1] == right {
                    let tail = piece.remove(at + 1);
                    piece[at].extend(tail);
                }
                at += 1;
            }
        }
        ranks.push([left, right].concat());
    }
    ranks
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
        prop_assert_eq!(tokenizer.encode(&text), encode_by_definition(&tokenizer, &text));
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
