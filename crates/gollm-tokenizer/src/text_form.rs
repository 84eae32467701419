//! A vocabulary as text: tokens in GPT-2's byte alphabet, and which pairs are joined.
//!
//! GGUF files and Hugging Face's `tokenizer.json` hold vocabularies like this. Ids are in any order, some
//! belong to special tokens, and merges are a list of their own.

use std::collections::HashMap;

use crate::byte_alphabet::ByteAlphabet;
use crate::byte_level::ByteLevel;
use crate::pair_merges::PairMerges;
use crate::quote::quoted;
use crate::{Error, Result, Tokenizer};

/// The ordinary tokens of a vocabulary and its merges, as text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextForm {
    /// The token of each id in GPT-2's byte alphabet; empty where the id belongs to a special token or
    /// to nothing.
    pub tokens: Vec<String>,
    /// Pairs of tokens, a space between them, the one that is joined first at the front.
    pub merges: Vec<String>,
}

impl Tokenizer {
    /// The vocabulary as text, for files of other projects; `None` for SentencePiece, which has another
    /// form.
    ///
    /// A vocabulary of ranks joins any two neighbours whose bytes are a token, so every way to cut a
    /// token into two others becomes a merge, in the order of the tokens' ids. Llama 3's published
    /// `tokenizer.json` was made from ranks in the same way.
    ///
    /// # Examples
    ///
    /// ```
    /// use gollm_tokenizer::{Pattern, Tokenizer};
    ///
    /// let mut tokens: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
    /// tokens.extend([b" a".to_vec(), b"aa".to_vec(), b" aa".to_vec()]);
    /// let form = Tokenizer::new(tokens, Pattern::Gpt2, Vec::new())?.text_form();
    /// let form = form.unwrap_or_default();
    /// assert_eq!(form.tokens[256], "Ġa");
    /// assert_eq!(form.merges, ["Ġ a", "a a", "Ġ aa", "Ġa a"]);
    /// # Ok::<(), gollm_tokenizer::Error>(())
    /// ```
    #[must_use]
    pub fn text_form(&self) -> Option<TextForm> {
        self.byte_level().map(ByteLevel::text_form)
    }
}

impl ByteLevel {
    pub(crate) fn text_form(&self) -> TextForm {
        let alphabet = ByteAlphabet::new();
        let tokens = self.vocabulary.tokens().iter();
        let tokens: Vec<String> = tokens.map(|token| alphabet.write(token)).collect();
        let pairs = match &self.merges {
            Some(merges) => merges.pairs().to_vec(),
            None => self.pairs_of_ranks(),
        };
        let text = |id: u32| tokens.get(id as usize).map_or("", String::as_str);
        let merges = pairs
            .iter()
            .map(|(left, right, _)| format!("{} {}", text(*left), text(*right)))
            .collect();
        TextForm { tokens, merges }
    }

    /// Every way to cut a token into two tokens, in the order of the tokens.
    pub(crate) fn pairs_of_ranks(&self) -> Vec<(u32, u32, u32)> {
        let vocabulary = &self.vocabulary;
        let mut pairs = Vec::new();
        for (joined, token) in (0u32..).zip(vocabulary.tokens()) {
            let cuts = (1..token.len()).filter_map(|at| {
                let (left, right) = token.split_at(at);
                Some((vocabulary.id(left)?, vocabulary.id(right)?, joined))
            });
            let first = pairs.len();
            pairs.extend(cuts);
            pairs[first..].sort_unstable();
        }
        pairs
    }
}

/// The byte strings of tokens that are written as lines; an empty line is no token.
pub(crate) fn read_tokens(lines: &str) -> Result<Vec<Vec<u8>>> {
    let alphabet = ByteAlphabet::new();
    let token = |(id, line): (usize, &str)| {
        alphabet.read(line).map_err(|character| {
            let problem = format!(
                "token {id} ({}) holds {character:?}, which stands for no byte: an ordinary \
                 token of a byte-level vocabulary is written in GPT-2's byte alphabet",
                quoted(line)
            );
            Error::Vocabulary { problem }
        })
    };
    lines.lines().enumerate().map(token).collect()
}

/// The pairs of merges that are written as lines.
pub(crate) fn read_merges(lines: &str, tokens: &str) -> Result<PairMerges> {
    let ids: HashMap<&str, u32> = tokens.lines().zip(0u32..).collect();
    let mut merges = PairMerges::default();
    for (index, line) in lines.lines().enumerate() {
        let pair = line
            .split_once(' ')
            .filter(|(left, right)| !left.is_empty() && !right.is_empty() && !right.contains(' '));
        let (left, right) =
            pair.ok_or_else(|| wrong(index, line, "expected two tokens with a space between"))?;
        let id = |token: &str| {
            let id = ids.get(token).copied();
            id.ok_or_else(|| wrong(index, line, &format!("{} is no token", quoted(token))))
        };
        merges.push(id(left)?, id(right)?, id(&format!("{left}{right}"))?);
    }
    Ok(merges)
}

fn wrong(index: usize, line: &str, problem: &str) -> Error {
    Error::Vocabulary {
        problem: format!("merge {index} ({}): {problem}", quoted(line)),
    }
}
