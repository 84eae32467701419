//! A vocabulary as the keys of a GGUF file.

use super::write::Values;

/// A vocabulary in the form that a GGUF file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct GgufVocabulary {
    /// The text of each id. Ordinary tokens of bytes are in GPT-2's byte alphabet, all others as they
    /// are.
    pub tokens: Vec<String>,
    /// What each id is.
    pub kinds: Vec<GgufToken>,
    /// How tokens are made of smaller ones.
    pub merging: GgufMerging,
    /// The token that begins a text, if one does.
    pub begin: Option<u32>,
    /// The tokens that end a text or a turn; a GGUF file has room for two.
    pub end: Vec<u32>,
}

/// How tokens are made of smaller ones.
#[derive(Debug, Clone, PartialEq)]
pub enum GgufMerging {
    /// From bytes, by a list of pairs (`gpt2`).
    Merges {
        /// Pairs of tokens, a space between them, the one that is joined first at the front.
        merges: Vec<String>,
        /// llama.cpp's name for the way text is cut into pieces, such as `llama-bpe`.
        pre: String,
    },
    /// From characters, by scores (`llama`).
    Scores {
        /// One for each id.
        scores: Vec<f32>,
        /// What a character becomes that has neither a token nor bytes.
        unknown: Option<u32>,
        /// Whether a space is put before a text.
        adds_space: bool,
    },
}

/// What a token is. Source: `enum llama_token_type` of llama.cpp's `include/llama.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GgufToken {
    /// Text becomes it, and it becomes text.
    Normal = 1,
    /// What a character becomes that the vocabulary lacks.
    Unknown = 2,
    /// A mark that no text becomes.
    Control = 3,
    /// A text that is found whole, before anything is merged.
    UserDefined = 4,
    /// An id that stands for nothing.
    Unused = 5,
    /// A byte of a character that the vocabulary lacks.
    Byte = 6,
}

impl GgufVocabulary {
    pub(super) fn write(&self, values: &mut Values) {
        match &self.merging {
            GgufMerging::Merges { pre, .. } => {
                values.string("tokenizer.ggml.model", "gpt2");
                values.string("tokenizer.ggml.pre", pre);
            }
            GgufMerging::Scores { .. } => {
                values.string("tokenizer.ggml.model", "llama");
                values.string("tokenizer.ggml.pre", "default");
            }
        }
        values.strings("tokenizer.ggml.tokens", &self.tokens);
        let kinds: Vec<i32> = self.kinds.iter().map(|kind| *kind as i32).collect();
        values.i32s("tokenizer.ggml.token_type", &kinds);
        match &self.merging {
            GgufMerging::Merges { merges, .. } => {
                values.strings("tokenizer.ggml.merges", merges);
            }
            GgufMerging::Scores {
                scores,
                unknown,
                adds_space,
            } => {
                values.f32s("tokenizer.ggml.scores", scores);
                if let Some(id) = unknown {
                    values.u32("tokenizer.ggml.unknown_token_id", *id);
                }
                values.bool("tokenizer.ggml.add_space_prefix", *adds_space);
            }
        }
        if let Some(id) = self.begin {
            values.u32("tokenizer.ggml.bos_token_id", id);
        }
        values.bool("tokenizer.ggml.add_bos_token", self.begin.is_some());
        let keys = ["tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id"];
        for (key, id) in keys.into_iter().zip(&self.end) {
            values.u32(key, *id);
        }
    }
}
