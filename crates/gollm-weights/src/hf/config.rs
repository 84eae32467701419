//! `config.json` as our config.
//!
//! A key that would change the arithmetic in a way that we do not compute is refused by name: a model
//! that runs and answers wrongly is worse than one that does not run. A key that is left out means what
//! it means in transformers.

use gollm_model::Config;
use gollm_tensor::DType;
use serde_json::Value;

use super::architecture::Architecture;
use super::object::{Object, shown};
use super::rope;
use crate::foreign_error::{ForeignError, Result};

/// The shape of the model. Whether its tensors fit, and how they are stored, is looked at afterwards.
pub(crate) fn config(json: Object<'_>, kind: &Architecture) -> Result<Config> {
    refuse_other_arithmetic(json, kind)?;
    let emb_dim = json.needed_size("hidden_size")?;
    let n_heads = json.needed_size("num_attention_heads")?;
    let full_context = full_context(json)?;
    let window = window(json, kind)?;
    let experts = experts(json, kind)?;
    let config = Config {
        vocab_size: json.needed_size("vocab_size")?,
        context_length: window.map_or(full_context, |window| window.min(full_context)),
        emb_dim,
        n_heads,
        n_kv_heads: n_kv_heads(json, kind, n_heads)?,
        head_dim: head_dim(json, kind, emb_dim, n_heads)?,
        hidden_dim: json.needed_size(experts.width_key)?,
        n_layers: json.needed_size("num_hidden_layers")?,
        rope_theta: rope::theta(json)?,
        rope_scaling: rope::scaling(json, full_context)?,
        norm_eps: json.number("rms_norm_eps")?.unwrap_or(1e-6) as f32,
        tie_embeddings: json.bool("tie_word_embeddings")?.unwrap_or(false),
        dtype: DType::F32,
        qkv_bias: kind.qkv_bias,
        qk_norm: kind.qk_norm,
        n_experts: experts.n_experts,
        n_experts_per_token: experts.n_per_token,
        norm_topk_prob: experts.norm_topk_prob,
    };
    let invalid = |error: gollm_model::Error| {
        ForeignError::layout(format!("in this program's words: {error}"))
    };
    config.validate().map_err(invalid)?;
    Ok(config)
}

/// Left out it is the default of the class; a `null` stands for as many as there are heads.
fn n_kv_heads(json: Object<'_>, kind: &Architecture, n_heads: usize) -> Result<usize> {
    const KEY: &str = "num_key_value_heads";
    let left_out = match json.names(KEY) {
        true => n_heads,
        false => kind.n_kv_heads.unwrap_or(n_heads),
    };
    Ok(json.size(KEY)?.unwrap_or(left_out))
}

fn head_dim(
    json: Object<'_>,
    kind: &Architecture,
    emb_dim: usize,
    n_heads: usize,
) -> Result<usize> {
    if let Some(head_dim) = json.size("head_dim")?.or(kind.head_dim) {
        return Ok(head_dim);
    }
    match emb_dim.checked_rem(n_heads) {
        Some(0) => Ok(emb_dim / n_heads),
        Some(_) => {
            let problem = format!(
                "it is {emb_dim}, no multiple of the {n_heads} heads, and `head_dim` is left out"
            );
            Err(json.problem("hidden_size", problem))
        }
        None => Err(json.problem("num_attention_heads", "it is 0, expected at least 1")),
    }
}

/// The part of a config that is about experts.
struct Experts {
    n_experts: usize,
    n_per_token: usize,
    norm_topk_prob: bool,
    /// The key of the inner width.
    width_key: &'static str,
}

/// The mixture of experts, in every layer or in none.
fn experts(json: Object<'_>, kind: &Architecture) -> Result<Experts> {
    if !kind.has_experts {
        return Ok(Experts {
            n_experts: 0,
            n_per_token: 0,
            norm_topk_prob: false,
            width_key: "intermediate_size",
        });
    }
    if json
        .size("decoder_sparse_step")?
        .is_some_and(|step| step != 1)
        || json
            .array("mlp_only_layers")?
            .is_some_and(|layers| !layers.is_empty())
    {
        let problem = "layers without experts among layers with them are not computed";
        return Err(json.problem("decoder_sparse_step, mlp_only_layers", problem));
    }
    // The second name is that of transformers' own attribute.
    let n_experts = match json.size("num_experts")? {
        Some(n_experts) => n_experts,
        None => json.needed_size("num_local_experts")?,
    };
    Ok(Experts {
        n_experts,
        n_per_token: json.needed_size("num_experts_per_tok")?,
        norm_topk_prob: json.bool("norm_topk_prob")?.unwrap_or(false),
        width_key: "moe_intermediate_size",
    })
}

fn refuse_other_arithmetic(json: Object<'_>, kind: &Architecture) -> Result<()> {
    match json.string("hidden_act")? {
        None | Some("silu" | "swish") => {}
        Some(other) => {
            let problem = format!("`{}` is not computed, silu is", other.escape_debug());
            return Err(json.problem("hidden_act", problem));
        }
    }
    for key in ["attention_bias", "mlp_bias"] {
        // A class that always has biases does not look at the key.
        if json.bool(key)? == Some(true) && !kind.qkv_bias {
            return Err(json.problem(key, "such biases are not computed"));
        }
    }
    for key in ["quantization_config", "compression_config"] {
        if let Some(value) = json.object(key, "quantization_config.")? {
            let method = value.string("quant_method")?.unwrap_or("of some kind");
            let problem = format!(
                "weights quantized as `{}` are not read; take the model in bf16, f16 or f32, or as GGUF",
                method.escape_debug()
            );
            return Err(json.problem(key, problem));
        }
    }
    Ok(())
}

/// The longest text that the file claims the model is for.
pub(crate) fn full_context(json: Object<'_>) -> Result<usize> {
    json.needed_size("max_position_embeddings")
}

/// How many of the last tokens attention sees, where some layer does not see all of them. Up to that many
/// nothing is different, so the context is cut to it.
fn window(json: Object<'_>, kind: &Architecture) -> Result<Option<usize>> {
    const FULL: &str = "full_attention";
    const WINDOW: &str = "sliding_attention";
    let layers = json.array("layer_types")?.map_or(&[][..], Vec::as_slice);
    let is = |layer: &Value, name| layer.as_str() == Some(name);
    let other = |layer: &&Value| !is(layer, FULL) && !is(layer, WINDOW);
    if let Some(layer) = layers.iter().find(other) {
        let problem = format!("{} is not computed, {FULL} is", shown(layer));
        return Err(json.problem("layer_types", problem));
    }
    let has_window_layer = layers.iter().any(|layer| is(layer, WINDOW));
    let window = match json.get("sliding_window") {
        // Told to be none.
        None if json.names("sliding_window") => None,
        None => kind.sliding_window,
        Some(_) => json.size("sliding_window")?,
    };
    let in_use = json.bool("use_sliding_window")?.unwrap_or(kind.uses_window);
    match window {
        None if has_window_layer => {
            let problem = format!("it has {WINDOW}, but `sliding_window` does not say how long");
            Err(json.problem("layer_types", problem))
        }
        Some(0) if in_use || has_window_layer => {
            Err(json.problem("sliding_window", "it is 0, expected at least 1"))
        }
        window => Ok(window.filter(|_| in_use || has_window_layer)),
    }
}
