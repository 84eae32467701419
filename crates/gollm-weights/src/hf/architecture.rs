//! The kinds of models that are read, and in what transformers' defaults for them differ.

use super::object::{Object, shown};
use crate::foreign_error::{ForeignError, Result};

/// One class of transformers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Architecture {
    /// The class that `architectures` names.
    pub(crate) class: &'static str,
    /// What `model_type` says.
    pub(crate) model_type: &'static str,
    /// The window of attention where the config leaves it out.
    pub(crate) sliding_window: Option<usize>,
    /// Whether the window is used where the config does not say so.
    pub(crate) uses_window: bool,
    /// Heads of key/values where the config leaves them out; `None`: as many as heads.
    pub(crate) n_kv_heads: Option<usize>,
    /// Numbers in a head where the config leaves them out; `None`: the width, dealt out to all heads.
    pub(crate) head_dim: Option<usize>,
    /// Whether queries, keys and values have a bias.
    pub(crate) qkv_bias: bool,
    /// Whether the heads of queries and keys are normalized.
    pub(crate) qk_norm: bool,
    /// Whether each feed-forward part is a mixture of experts.
    pub(crate) has_experts: bool,
}

pub(crate) const LLAMA: Architecture = Architecture {
    class: "LlamaForCausalLM",
    model_type: "llama",
    sliding_window: None,
    uses_window: true,
    n_kv_heads: None,
    head_dim: None,
    qkv_bias: false,
    qk_norm: false,
    has_experts: false,
};

pub(crate) const MISTRAL: Architecture = Architecture {
    class: "MistralForCausalLM",
    model_type: "mistral",
    sliding_window: Some(4096),
    n_kv_heads: Some(8),
    ..LLAMA
};

pub(crate) const QWEN2: Architecture = Architecture {
    class: "Qwen2ForCausalLM",
    model_type: "qwen2",
    sliding_window: Some(4096),
    uses_window: false,
    n_kv_heads: Some(32),
    qkv_bias: true,
    ..LLAMA
};

pub(crate) const QWEN3: Architecture = Architecture {
    class: "Qwen3ForCausalLM",
    model_type: "qwen3",
    head_dim: Some(128),
    qkv_bias: false,
    qk_norm: true,
    ..QWEN2
};

pub(crate) const QWEN3_MOE: Architecture = Architecture {
    class: "Qwen3MoeForCausalLM",
    model_type: "qwen3_moe",
    n_kv_heads: Some(4),
    // Unlike the model without experts, transformers' class deals the width out.
    head_dim: None,
    has_experts: true,
    ..QWEN3
};

pub(crate) const ALL: [&Architecture; 5] = [&LLAMA, &MISTRAL, &QWEN2, &QWEN3, &QWEN3_MOE];

impl Architecture {
    /// The kind of model that a `config.json` describes.
    ///
    /// # Errors
    ///
    /// If it names none that is read, or contradicts itself.
    pub(crate) fn of(config: Object<'_>) -> Result<&'static Self> {
        let class = match config.array("architectures")?.map(Vec::as_slice) {
            None | Some([]) => None,
            Some([one]) => Some(one.as_str().ok_or_else(|| {
                config.problem("architectures", format!("it lists {}", shown(one)))
            })?),
            Some(_) => {
                let problem = "it lists several, expected one";
                return Err(config.problem("architectures", problem));
            }
        };
        let model_type = config.string("model_type")?;
        let Some(named) = class.or(model_type) else {
            return Err(ForeignError::MissingKey("architectures".to_owned()));
        };
        let found = ALL
            .into_iter()
            .find(|known| class.map_or(known.model_type == named, |class| known.class == class));
        let found = found.ok_or_else(|| ForeignError::Architecture {
            found: named.to_owned(),
            supported: ALL.map(|known| known.class).join(", "),
        })?;
        match model_type {
            Some(other) if other != found.model_type => {
                let problem = format!(
                    "it is `{}`, but `architectures` says {}",
                    other.escape_debug(),
                    found.class
                );
                Err(config.problem("model_type", problem))
            }
            _ => Ok(found),
        }
    }
}
