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
        let block = block_shapes(config);
        specs.extend(block.map(|(part, shape)| TensorSpec {
            name: block_tensor(layer, part),
            shape,
        }));
    }
    specs.push(spec(FINAL_NORM, &[config.emb_dim]));
    if !config.tie_embeddings {
        specs.push(spec(OUT_HEAD, &[config.vocab_size, config.emb_dim]));
    }
    Ok(specs)
}

/// The parts of one block, in the order in which a token meets them.
fn block_shapes(config: &Config) -> [(&'static str, Vec<usize>); 9] {
    let (emb_dim, hidden_dim) = (config.emb_dim, config.hidden_dim);
    let (q_dim, kv_dim) = (config.q_dim(), config.kv_dim());
    [
        ("attn_norm", vec![emb_dim]),
        ("attn.q_proj", vec![q_dim, emb_dim]),
        ("attn.k_proj", vec![kv_dim, emb_dim]),
        ("attn.v_proj", vec![kv_dim, emb_dim]),
        ("attn.o_proj", vec![emb_dim, q_dim]),
        ("ffn_norm", vec![emb_dim]),
        ("ffn.gate_proj", vec![hidden_dim, emb_dim]),
        ("ffn.up_proj", vec![hidden_dim, emb_dim]),
        ("ffn.down_proj", vec![emb_dim, hidden_dim]),
    ]
}

fn spec(name: &str, shape: &[usize]) -> TensorSpec {
    TensorSpec {
        name: name.to_owned(),
        shape: shape.to_vec(),
    }
}
