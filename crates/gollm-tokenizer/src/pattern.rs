//! Which pre-tokenization a vocabulary was trained with.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How text is cut into pieces before any merging; no token crosses a piece's border.
///
/// A vocabulary only makes sense with the pattern it was trained with, so the pattern travels
/// in the tokenizer's metadata under its lower-case name. Each pattern is known by a published
/// regular expression ([`Pattern::regex`]); [`crate::pretokenize`] does the same cutting by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pattern {
    /// GPT-2 (r50k_base): contractions in lower case only, numbers of any length.
    Gpt2,
    /// GPT-4 (cl100k_base): contractions in any case, numbers in groups of up to three digits,
    /// line breaks kept together.
    Cl100k,
    /// GPT-4o (o200k_base): like cl100k, but words also break where lower case turns into
    /// upper case, contractions stay with their word, and combining marks count as letters.
    O200k,
    /// Llama 3: as cl100k, but line breaks at the very end of a text are kept apart from the spaces
    /// after them.
    Llama3,
    /// Qwen 2 and 3: as Llama 3, but every digit is a piece of its own.
    Qwen2,
    /// SmolLM: every digit is a piece of its own, and what lies between digits is cut as GPT-2's.
    SmolLm,
}

impl Pattern {
    /// Every pattern, for tables and tests.
    pub const ALL: [Pattern; 6] = [
        Pattern::Gpt2,
        Pattern::Cl100k,
        Pattern::O200k,
        Pattern::Llama3,
        Pattern::Qwen2,
        Pattern::SmolLm,
    ];

    /// The name used in metadata, in configs and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Pattern::Gpt2 => "gpt2",
            Pattern::Cl100k => "cl100k",
            Pattern::O200k => "o200k",
            Pattern::Llama3 => "llama3",
            Pattern::Qwen2 => "qwen2",
            Pattern::SmolLm => "smollm",
        }
    }

    /// The published regular expression that defines the pattern.
    ///
    /// This crate does not run it: a backtracking engine needs time and stack for `\s+(?!\S)`
    /// on a long run of spaces. The tests run it, and compare every piece.
    ///
    /// Source: `tiktoken_ext/openai_public.py` of <https://github.com/openai/tiktoken>; for Llama 3 and
    /// Qwen 2 the `pre_tokenizer` of their published `tokenizer.json`. SmolLM's is two steps there, digits
    /// and then GPT-2's; the expression says both.
    pub const fn regex(self) -> &'static str {
        match self {
            Pattern::Gpt2 => {
                r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
            }
            Pattern::Cl100k => concat!(
                r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+|",
                r" ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
            ),
            Pattern::O200k => concat!(
                r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+",
                r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|",
                r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*",
                r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|",
                r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
            ),
            Pattern::Llama3 => concat!(
                r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|",
                r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
            ),
            Pattern::Qwen2 => concat!(
                r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|",
                r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
            ),
            // Spaces before a digit are what GPT-2's expression makes of spaces at the end of a text.
            Pattern::SmolLm => concat!(
                r"\p{N}|'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?[^\s\p{L}\p{N}]++|",
                r"\s++(?:$|(?=\p{N}))|\s+(?!\S)|\s",
            ),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Pattern {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Pattern::ALL
            .into_iter()
            .find(|pattern| pattern.name() == name)
            .ok_or_else(|| Error::UnknownPattern {
                found: name.to_owned(),
            })
    }
}
