//! The architectures of GGUF files that our one decoder computes, and what tells them apart.
//!
//! Source of the keys: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>, section "LLM"; of the
//! parts: llama.cpp's `src/llama-arch.cpp` and `convert_hf_to_gguf.py`.

use gollm_model::Config;

use super::container::Container;
use super::error::{GgufError, Result};

/// A kind of model, by the name that a file gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Architecture {
    /// Llama 1 to 3, Mistral, TinyLlama, SmolLM: adjacent RoPE pairs.
    Llama,
    /// Biases of queries, keys and values; split halves, as here.
    Qwen2,
    /// Norms of queries and keys in place of biases.
    Qwen3,
    /// Qwen3 with experts.
    Qwen3Moe,
}

impl Architecture {
    const ALL: [Self; 4] = [Self::Llama, Self::Qwen2, Self::Qwen3, Self::Qwen3Moe];

    /// The architecture of a file, before anything else of it is looked at.
    pub(crate) fn of_file(file: &Container<'_>) -> Result<Self> {
        const KEY: &str = "general.architecture";
        let found = file.string(KEY)?;
        let found = found.ok_or_else(|| GgufError::MissingKey(KEY.to_owned()))?;
        let known = Self::ALL.into_iter().find(|known| known.name() == found);
        known.ok_or_else(|| GgufError::Architecture(found.to_owned()))
    }

    /// The architecture that computes what a model of this config does.
    pub(crate) fn of_config(config: &Config) -> Result<Self> {
        let found = match (config.qkv_bias, config.qk_norm, config.has_experts()) {
            (false, false, false) => Some(Self::Llama),
            (true, false, false) => Some(Self::Qwen2),
            (false, true, false) => Some(Self::Qwen3),
            // llama.cpp always divides the weights of the chosen experts by their sum.
            (false, true, true) if config.norm_topk_prob => Some(Self::Qwen3Moe),
            _ => None,
        };
        found.ok_or_else(|| {
            let experts = match (config.has_experts(), config.norm_topk_prob) {
                (false, _) => "no experts",
                (true, false) => "experts with norm_topk_prob: false",
                (true, true) => "experts with norm_topk_prob: true",
            };
            GgufError::NoArchitecture(format!(
                "qkv_bias: {}, qk_norm: {}, {experts}",
                config.qkv_bias, config.qk_norm
            ))
        })
    }

    /// As `general.architecture` has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
            Self::Qwen3Moe => "qwen3moe",
        }
    }

    /// A key of this architecture: `qwen3.block_count`.
    pub(crate) fn key(self, name: &str) -> String {
        format!("{}.{name}", self.name())
    }

    /// Whether rows of queries and keys are in the order of adjacent pairs.
    pub(crate) fn has_adjacent_pairs(self) -> bool {
        self == Self::Llama
    }

    pub(crate) fn has_bias(self) -> bool {
        self == Self::Qwen2
    }

    pub(crate) fn has_qk_norm(self) -> bool {
        matches!(self, Self::Qwen3 | Self::Qwen3Moe)
    }

    pub(crate) fn has_experts(self) -> bool {
        self == Self::Qwen3Moe
    }
}
