//! Our config as the `config.json` and `generation_config.json` of transformers.
//!
//! Written are the keys of transformers 4 (`rope_theta`, `torch_dtype`), which 5 reads as well.

use gollm_model::Config;
use gollm_tensor::DType;
use serde_json::{Value, json};

use super::architecture::{ALL, Architecture};
use super::text::TokenRoles;
use crate::foreign_error::{ForeignError, Result};

/// The class of transformers that computes what a model of this config does.
///
/// # Errors
///
/// If there is none.
pub(crate) fn architecture(config: &Config) -> Result<&'static Architecture> {
    let fits = |kind: &&Architecture| {
        let has = (kind.qkv_bias, kind.qk_norm, kind.has_experts);
        has == (config.qkv_bias, config.qk_norm, config.has_experts())
    };
    ALL.into_iter().find(fits).ok_or_else(|| {
        ForeignError::layout(format!(
            "no class of transformers that is known here has qkv_bias {}, qk_norm {} and {} experts \
             together; write a .gollm file instead",
            config.qkv_bias, config.qk_norm, config.n_experts
        ))
    })
}

/// `config.json`, for matrices that are stored as `dtype`.
pub(crate) fn config_json(
    config: &Config,
    kind: &Architecture,
    dtype: DType,
    roles: &TokenRoles,
) -> Value {
    let mut json = json!({
        "architectures": [kind.class],
        "model_type": kind.model_type,
        "vocab_size": config.vocab_size,
        "max_position_embeddings": config.context_length,
        "hidden_size": config.emb_dim,
        "intermediate_size": config.hidden_dim,
        "num_hidden_layers": config.n_layers,
        "num_attention_heads": config.n_heads,
        "num_key_value_heads": config.n_kv_heads,
        "head_dim": config.head_dim,
        "hidden_act": "silu",
        "rms_norm_eps": shortest(config.norm_eps),
        "rope_theta": config.rope_theta,
        "tie_word_embeddings": config.tie_embeddings,
        "torch_dtype": torch_name(dtype),
        "bos_token_id": roles.begin,
        "eos_token_id": ids(&roles.end),
    });
    if let Some(scaling) = &config.rope_scaling {
        json["rope_scaling"] = json!({
            "rope_type": "llama3",
            "factor": scaling.factor,
            "low_freq_factor": scaling.low_freq_factor,
            "high_freq_factor": scaling.high_freq_factor,
            "original_max_position_embeddings": scaling.original_context_length,
        });
    }
    if config.has_experts() {
        json["num_experts"] = config.n_experts.into();
        json["num_experts_per_tok"] = config.n_experts_per_token.into();
        json["moe_intermediate_size"] = config.hidden_dim.into();
        json["norm_topk_prob"] = config.norm_topk_prob.into();
    }
    json
}

/// `generation_config.json`: what begins and ends a text.
pub(crate) fn generation_json(roles: &TokenRoles) -> Value {
    json!({"bos_token_id": roles.begin, "eos_token_id": ids(&roles.end)})
}

/// One id, or a list where there are several.
fn ids(ids: &[u32]) -> Value {
    match ids {
        [] => Value::Null,
        [id] => (*id).into(),
        ids => ids.into(),
    }
}

/// The number with as few digits as an f32 needs: 1e-5 and not 9.999999747378752e-6.
fn shortest(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(f64::from(number))
}

fn torch_name(dtype: DType) -> &'static str {
    match dtype {
        DType::F32 => "float32",
        DType::BF16 => "bfloat16",
        DType::F16 | DType::Q8_0 | DType::Q4_0 => "float16",
    }
}
