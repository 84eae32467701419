//! The name and shape of every tensor that a model of a given config has.
//!
//! The names are those of `python/model.py`'s parameters and of a `.gollm` file. Matrices are
//! `[out, in]`, as PyTorch's `nn.Linear` keeps them: row `o` holds the weights of output `o`.

use crate::config::Config;
use crate::error::Result;

/// The embedding table, `[vocab_size, emb_dim]`; the output head as well when embeddings are tied.
pub const TOK_EMB: &str = "tok_emb.weight";
/// The norm after the last block, `[emb_dim]`.
pub const FINAL_NORM: &str = "final_norm.weight";
/// The output head of an untied model, `[vocab_size, emb_dim]`.
pub const OUT_HEAD: &str = "out_head.weight";

/// A tensor that a model needs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TensorSpec {
    /// Its name, such as `blocks.0.attn.q_proj.weight`.
    pub name: String,
    /// Its shape, outermost dimension first.
    pub shape: Vec<usize>,
}

/// Names a tensor of block `layer`: `block_tensor(3, "attn.q_proj")` is
/// `blocks.3.attn.q_proj.weight`.
#[must_use]
pub fn block_tensor(layer: usize, part: &str) -> String {
    format!("blocks.{layer}.{part}.weight")
}

/// Names a bias of block `layer`: `block_bias(3, "attn.q_proj")` is `blocks.3.attn.q_proj.bias`.
#[must_use]
pub fn block_bias(layer: usize, part: &str) -> String {
    format!("blocks.{layer}.{part}.bias")
}

/// Names a matrix of an expert: `expert_tensor(3, 17, "up_proj")` is
/// `blocks.3.ffn.experts.17.up_proj.weight`.
#[must_use]
pub fn expert_tensor(layer: usize, expert: usize, part: &str) -> String {
    block_tensor(layer, &format!("ffn.experts.{expert}.{part}"))
}

/// Whether this is the matrix that chooses among experts. It stays f32 where other matrices are
/// rounded: it is small, and a rounding can send a token to another expert.
#[must_use]
pub fn is_router(name: &str) -> bool {
    name.ends_with(".ffn.router.weight")
}

/// Every tensor of a model, in file order: the embedding table, the blocks from the first to the
/// last, the final norm, and the output head if it is not tied to the table.
///
/// # Errors
///
/// If the config does not pass [`Config::validate`].
pub fn expected_tensors(config: &Config) -> Result<Vec<TensorSpec>> {
    config.validate()?;
    let mut specs = vec![spec(TOK_EMB, &[config.vocab_size, config.emb_dim])];
    for layer in 0..config.n_layers {
        push_attention(&mut specs, config, layer);
        push_feed_forward(&mut specs, config, layer);
    }
    specs.push(spec(FINAL_NORM, &[config.emb_dim]));
    if !config.tie_embeddings {
        specs.push(spec(OUT_HEAD, &[config.vocab_size, config.emb_dim]));
    }
    Ok(specs)
}

/// How many tensors [`expected_tensors`] lists, without making the list.
#[must_use]
pub fn n_expected_tensors(config: &Config) -> usize {
    let attention = 5 + 3 * usize::from(config.qkv_bias) + 2 * usize::from(config.qk_norm);
    let router = usize::from(config.has_experts());
    let feed_forward = 3usize.saturating_mul(config.n_feed_forwards());
    let layer = feed_forward.saturating_add(attention + 1 + router);
    let whole = 2 + usize::from(!config.tie_embeddings);
    config.n_layers.saturating_mul(layer).saturating_add(whole)
}

/// The first half of a block, in the order in which a token meets its parts.
fn push_attention(specs: &mut Vec<TensorSpec>, config: &Config, layer: usize) {
    let emb_dim = config.emb_dim;
    let (q_dim, kv_dim) = (config.q_dim(), config.kv_dim());
    let mut push = |name: String, shape: &[usize]| specs.push(spec(&name, shape));
    push(block_tensor(layer, "attn_norm"), &[emb_dim]);
    for (part, width) in [("q_proj", q_dim), ("k_proj", kv_dim), ("v_proj", kv_dim)] {
        let part = format!("attn.{part}");
        push(block_tensor(layer, &part), &[width, emb_dim]);
        if config.qkv_bias {
            push(block_bias(layer, &part), &[width]);
        }
    }
    if config.qk_norm {
        push(block_tensor(layer, "attn.q_norm"), &[config.head_dim]);
        push(block_tensor(layer, "attn.k_norm"), &[config.head_dim]);
    }
    push(block_tensor(layer, "attn.o_proj"), &[emb_dim, q_dim]);
}

/// The second half: one feed-forward, or a router and its experts.
fn push_feed_forward(specs: &mut Vec<TensorSpec>, config: &Config, layer: usize) {
    let (emb_dim, hidden_dim) = (config.emb_dim, config.hidden_dim);
    specs.push(spec(&block_tensor(layer, "ffn_norm"), &[emb_dim]));
    if config.has_experts() {
        let shape = [config.n_experts, emb_dim];
        specs.push(spec(&block_tensor(layer, "ffn.router"), &shape));
    }
    for expert in 0..config.n_feed_forwards() {
        let part = match config.has_experts() {
            true => format!("ffn.experts.{expert}"),
            false => "ffn".to_owned(),
        };
        for (matrix, shape) in [
            ("gate_proj", [hidden_dim, emb_dim]),
            ("up_proj", [hidden_dim, emb_dim]),
            ("down_proj", [emb_dim, hidden_dim]),
        ] {
            let name = block_tensor(layer, &format!("{part}.{matrix}"));
            specs.push(spec(&name, &shape));
        }
    }
}

fn spec(name: &str, shape: &[usize]) -> TensorSpec {
    TensorSpec {
        name: name.to_owned(),
        shape: shape.to_vec(),
    }
}
