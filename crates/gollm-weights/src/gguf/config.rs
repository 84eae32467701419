//! The keys of a file as our config.
//!
//! The keys: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>, section "LLM". A key that would
//! change the arithmetic in a way that we do not compute is refused by name: a model that runs and
//! answers wrongly is worse than one that does not run.

use gollm_model::Config;
use gollm_tensor::DType;

use super::architecture::Architecture;
use super::container::Container;
use super::error::{GgufError, Result};
use super::scaling;

/// The shape of the model. Whether its tensors fit is checked afterwards.
pub(crate) fn config(file: &Container<'_>, kind: Architecture) -> Result<Config> {
    refuse_other_arithmetic(file, kind)?;
    let key = |name: &str| kind.key(name);
    let emb_dim = file.needed_size(&key("embedding_length"))?;
    let n_heads = file.needed_size(&key("attention.head_count"))?;
    let n_kv_heads = file.size(&key("attention.head_count_kv"))?;
    let eps_key = key("attention.layer_norm_rms_epsilon");
    let norm_eps = file.float(&eps_key)?.ok_or(GgufError::MissingKey(eps_key));
    let hidden_key = match kind.has_experts() {
        true => key("expert_feed_forward_length"),
        false => key("feed_forward_length"),
    };
    let (n_experts, n_experts_per_token, norm_topk_prob) = experts(file, kind)?;
    let mut config = Config {
        vocab_size: vocab_size(file, kind)?,
        context_length: context_length(file, kind)?,
        emb_dim,
        n_heads,
        n_kv_heads: n_kv_heads.unwrap_or(n_heads),
        head_dim: head_dim(file, kind, emb_dim, n_heads)?,
        hidden_dim: file.needed_size(&hidden_key)?,
        n_layers: file.needed_size(&key("block_count"))?,
        rope_theta: file.float(&key("rope.freq_base"))?.unwrap_or(10_000.0),
        rope_scaling: None,
        norm_eps: norm_eps? as f32,
        tie_embeddings: !has_tensor(file, "output.weight"),
        dtype: dtype(file),
        qkv_bias: kind.has_bias(),
        qk_norm: kind.has_qk_norm(),
        n_experts,
        n_experts_per_token,
        norm_topk_prob,
    };
    config
        .validate()
        .map_err(|error| GgufError::key(&key("*"), error.to_string()))?;
    config.rope_scaling = scaling::find(file, kind, &config)?;
    Ok(config)
}

/// How many experts there are, how many a token asks, and whether their weights sum to 1.
fn experts(file: &Container<'_>, kind: Architecture) -> Result<(usize, usize, bool)> {
    let count = kind.key("expert_count");
    if !kind.has_experts() {
        return match file.size(&count)? {
            None | Some(0) => Ok((0, 0, false)),
            Some(_) => {
                let problem = "mixtures of experts of this architecture are not computed";
                Err(GgufError::key(&count, problem))
            }
        };
    }
    let n_experts = file.needed_size(&count)?;
    if n_experts == 0 {
        return Err(GgufError::key(&count, "it is 0, expected at least 1"));
    }
    // llama.cpp divides by the sum whatever the file says; one that says otherwise is taken at its word.
    let normalized = file.bool(&kind.key("expert_weights_norm"))?.unwrap_or(true);
    let chosen = file.needed_size(&kind.key("expert_used_count"))?;
    Ok((n_experts, chosen, normalized))
}

/// The longest text that the file claims the model is for.
pub(crate) fn full_context(file: &Container<'_>, kind: Architecture) -> Result<usize> {
    file.needed_size(&kind.key("context_length"))
}

/// Where attention sees a window of the last tokens only, nothing is different up to that many of them.
fn context_length(file: &Container<'_>, kind: Architecture) -> Result<usize> {
    let full = full_context(file, kind)?;
    // 0 stands for no window.
    let window = file.size(&kind.key("attention.sliding_window"))?;
    let window = window.filter(|window| *window > 0);
    Ok(window.map_or(full, |window| window.min(full)))
}

/// Numbers in a head. All of them are turned by RoPE here, so the three keys must agree.
fn head_dim(
    file: &Container<'_>,
    kind: Architecture,
    emb_dim: usize,
    n_heads: usize,
) -> Result<usize> {
    let Some(quotient) = emb_dim.checked_div(n_heads) else {
        return Err(GgufError::key(&kind.key("attention.head_count"), "it is 0"));
    };
    let key_length = file.size(&kind.key("attention.key_length"))?;
    let head_dim = key_length.unwrap_or(quotient);
    for name in ["attention.value_length", "rope.dimension_count"] {
        let key = kind.key(name);
        match file.size(&key)? {
            Some(other) if other != head_dim => {
                let problem = format!(
                    "it is {other} where heads have {head_dim} numbers; only equal ones are computed"
                );
                return Err(GgufError::key(&key, problem));
            }
            _ => {}
        }
    }
    Ok(head_dim)
}

/// The rows of the embedding table, which the file says once or twice.
fn vocab_size(file: &Container<'_>, kind: Architecture) -> Result<usize> {
    const NAME: &str = "token_embd.weight";
    let table = file.tensors.iter().find(|tensor| tensor.name == NAME);
    let table = table.ok_or_else(|| GgufError::tensor(NAME, "it is missing"))?;
    let rows = table.shape.first().copied().unwrap_or(0);
    let key = kind.key("vocab_size");
    match file.size(&key)? {
        Some(other) if other != rows => {
            let problem = format!("it is {other}, but `{NAME}` has {rows} rows");
            Err(GgufError::key(&key, problem))
        }
        _ => Ok(rows),
    }
}

pub(crate) fn has_tensor(file: &Container<'_>, name: &str) -> bool {
    file.tensors.iter().any(|tensor| tensor.name == name)
}

/// The type that most of the model has: that of the first query projection.
fn dtype(file: &Container<'_>) -> DType {
    let tensors = &file.tensors;
    let first = tensors
        .iter()
        .find(|tensor| tensor.name == "blk.0.attn_q.weight");
    first.map_or(DType::F32, |tensor| tensor.kind.used_as())
}

fn refuse_other_arithmetic(file: &Container<'_>, kind: Architecture) -> Result<()> {
    let key = kind.key("attention.causal");
    if file.bool(&key)? == Some(false) {
        let problem = "attention to later tokens is not computed";
        return Err(GgufError::key(&key, problem));
    }
    let key = kind.key("rope.scaling.type");
    match file.string(&key)? {
        None | Some("none" | "llama3") => Ok(()),
        // A factor of 1 changes nothing.
        Some("linear") if file.float(&kind.key("rope.scaling.factor"))? == Some(1.0) => Ok(()),
        Some(other) => {
            let problem = format!(
                "scaling `{}` is not computed, Llama 3's is",
                other.escape_debug()
            );
            Err(GgufError::key(&key, problem))
        }
    }
}
