//! A tokenizer that nobody trained, for models that nobody trained.
//!
//! A file of random weights shows how a size of model runs. To be run like any other it needs a
//! tokenizer of exactly its vocabulary: the 256 bytes, then pairs of bytes, then triples, as many as
//! there are ids, and the five special tokens. It encodes and decodes every text; it just does so
//! with tokens that no language has.

use gollm_tokenizer::{Pattern, SPECIAL_TOKENS, Tokenizer};

use crate::cli_error::CliError;

/// The smallest vocabulary that holds every byte and the special tokens.
pub(crate) const SMALLEST: usize = 256 + SPECIAL_TOKENS.len();

/// A tokenizer of `vocab_size` ids, at least [`SMALLEST`].
pub(crate) fn untrained(vocab_size: usize) -> Result<Tokenizer, CliError> {
    let n_ranks = vocab_size.saturating_sub(SPECIAL_TOKENS.len());
    let singles = (0..=u8::MAX).map(|byte| vec![byte]);
    let ranks = singles
        .chain(pairs())
        .chain(triples())
        .take(n_ranks)
        .collect();
    let specials = SPECIAL_TOKENS.iter().map(ToString::to_string);
    let specials = specials.zip(n_ranks as u32..).collect();
    Ok(Tokenizer::new(ranks, Pattern::Cl100k, specials)?)
}

/// All bytes, those that are read as letters and signs first, so that a small vocabulary decodes to
/// something that can be printed.
fn bytes() -> impl Iterator<Item = u8> + Clone {
    let printable = |byte: &u8| (b' '..=b'~').contains(byte);
    let other = (0..=u8::MAX).filter(move |byte| !printable(byte));
    (0..=u8::MAX).filter(printable).chain(other)
}

/// Every pair of bytes once, in growing squares: all pairs of the first `n` bytes come before any
/// pair with a later one.
fn pairs() -> impl Iterator<Item = Vec<u8>> {
    bytes().enumerate().flat_map(|(n, last)| {
        let right = bytes().take(n + 1).map(move |first| vec![first, last]);
        let left = bytes().take(n).map(move |second| vec![last, second]);
        right.chain(left)
    })
}

/// Every triple of bytes once.
fn triples() -> impl Iterator<Item = Vec<u8>> {
    pairs().flat_map(|pair| {
        bytes().map(move |third| {
            let mut triple = pair.clone();
            triple.push(third);
            triple
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_has_exactly_its_ids_and_encodes_every_text() {
        // The last two reach into the pairs of unprintable bytes and into the triples.
        for vocab_size in [SMALLEST, SMALLEST + 1, 4096, 32_768, 70_000] {
            let tokenizer = untrained(vocab_size).unwrap();
            assert_eq!(tokenizer.vocab_size(), vocab_size);
            let text = "Once upon a time\n\u{1F600} \0";
            assert_eq!(tokenizer.decode(&tokenizer.encode(text)).unwrap(), text);
            let all: Vec<u32> = (0..vocab_size as u32).collect();
            tokenizer.decode(&all).unwrap();
        }
    }

    #[test]
    fn each_pair_comes_once() {
        let mut all: Vec<Vec<u8>> = pairs().collect();
        assert_eq!(all.len(), 256 * 256);
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 256 * 256);
    }
}
