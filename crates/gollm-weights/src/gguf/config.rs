//! Architecture `llama` as our config.
//!
//! The keys: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>, section "LLM". A key that would
//! change the arithmetic in a way that we do not compute is refused by name: a model that runs and
//! answers wrongly is worse than one that does not run.

use gollm_model::Config;
use gollm_tensor::DType;

use super::container::Container;
use super::error::{GgufError, Result};
use super::scaling;

/// The one architecture that is read.
pub(crate) const ARCHITECTURE: &str = "llama";

/// Refuses a model of another kind, before anything else is looked at.
pub(crate) fn check_architecture(file: &Container<'_>) -> Result<()> {
    const KEY: &str = "general.architecture";
    match file.string(KEY)? {
        Some(ARCHITECTURE) => Ok(()),
        Some(other) => Err(GgufError::Architecture(other.to_owned())),
        None => Err(GgufError::MissingKey(KEY.to_owned())),
    }
}

/// The shape of the model. Whether its tensors fit is checked afterwards.
pub(crate) fn config(file: &Container<'_>) -> Result<Config> {
    refuse_other_arithmetic(file)?;
    let emb_dim = file.needed_size("llama.embedding_length")?;
    let n_heads = file.needed_size("llama.attention.head_count")?;
    let n_kv_heads = file
        .size("llama.attention.head_count_kv")?
        .unwrap_or(n_heads);
    let head_dim = head_dim(file, emb_dim, n_heads)?;
    let norm_eps = file.float("llama.attention.layer_norm_rms_epsilon")?;
    let eps_key = || GgufError::MissingKey("llama.attention.layer_norm_rms_epsilon".to_owned());
    let context_length = file.needed_size("llama.context_length")?;
    let mut config = Config {
        vocab_size: vocab_size(file)?,
        context_length,
        emb_dim,
        n_heads,
        n_kv_heads,
        head_dim,
        hidden_dim: file.needed_size("llama.feed_forward_length")?,
        n_layers: file.needed_size("llama.block_count")?,
        rope_theta: file.float("llama.rope.freq_base")?.unwrap_or(10_000.0),
        rope_scaling: None,
        norm_eps: norm_eps.ok_or_else(eps_key)? as f32,
        tie_embeddings: !has_tensor(file, "output.weight"),
        dtype: dtype(file),
        qkv_bias: false,
        qk_norm: false,
        n_experts: 0,
        n_experts_per_token: 0,
        norm_topk_prob: false,
    };
    config
        .validate()
        .map_err(|error| GgufError::key("llama.*", error.to_string()))?;
    config.rope_scaling = scaling::find(file, &config)?;
    Ok(config)
}

/// Numbers in a head. All of them are turned by RoPE here, so the three keys must agree.
fn head_dim(file: &Container<'_>, emb_dim: usize, n_heads: usize) -> Result<usize> {
    let Some(quotient) = emb_dim.checked_div(n_heads) else {
        return Err(GgufError::key("llama.attention.head_count", "it is 0"));
    };
    let head_dim = file.size("llama.attention.key_length")?.unwrap_or(quotient);
    for key in ["llama.attention.value_length", "llama.rope.dimension_count"] {
        match file.size(key)? {
            Some(other) if other != head_dim => {
                let problem = format!(
                    "it is {other} where heads have {head_dim} numbers; only equal ones are computed"
                );
                return Err(GgufError::key(key, problem));
            }
            _ => {}
        }
    }
    Ok(head_dim)
}

/// The rows of the embedding table, which the file says once or twice.
fn vocab_size(file: &Container<'_>) -> Result<usize> {
    const NAME: &str = "token_embd.weight";
    let table = file.tensors.iter().find(|tensor| tensor.name == NAME);
    let table = table.ok_or_else(|| GgufError::tensor(NAME, "it is missing"))?;
    let rows = table.shape.first().copied().unwrap_or(0);
    match file.size("llama.vocab_size")? {
        Some(other) if other != rows => {
            let problem = format!("it is {other}, but `{NAME}` has {rows} rows");
            Err(GgufError::key("llama.vocab_size", problem))
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

fn refuse_other_arithmetic(file: &Container<'_>) -> Result<()> {
    let refuse = |key: &str, what: &str| Err(GgufError::key(key, format!("{what} not computed")));
    if file.size("llama.expert_count")?.is_some_and(|n| n > 0) {
        return refuse("llama.expert_count", "mixtures of experts are");
    }
    if let Some(window) = file.size("llama.attention.sliding_window")? {
        let context = file.needed_size("llama.context_length")?;
        if window > 0 && window < context {
            return refuse(
                "llama.attention.sliding_window",
                "attention within a window is",
            );
        }
    }
    if file.bool("llama.attention.causal")? == Some(false) {
        return refuse("llama.attention.causal", "attention to later tokens is");
    }
    const SCALING: &str = "llama.rope.scaling.type";
    match file.string(SCALING)? {
        None | Some("none" | "llama3") => {}
        // A factor of 1 changes nothing.
        Some("linear") if file.float("llama.rope.scaling.factor")? == Some(1.0) => {}
        Some(other) => {
            let problem = format!(
                "scaling `{}` is not computed, Llama 3's is",
                other.escape_debug()
            );
            return Err(GgufError::key(SCALING, problem));
        }
    }
    Ok(())
}
