//! distributed-llama's model files (`.m`): a list of numbered numbers, then tensors without names.
//!
//! Source: `converter/writer.py`, `converter/convert-hf.py` and `src/llm.cpp` of
//! <https://github.com/b4rtaz/distributed-llama>. Its q40 and q80 are ggml's q4_0 and q8_0 byte for byte.

mod values;

use gollm_model::{Config, FINAL_NORM, OUT_HEAD, TOK_EMB, block_tensor};
use gollm_tensor::{DType, HostBytes};
use serde_json::{Map, json};

use crate::error::{Error, Result};
use crate::foreign::Foreign;
use crate::gguf::IMPORTED_FROM;
use crate::head::Head;
use crate::metadata::Metadata;
use crate::packed::Packed;
use values::Values;

/// 0x0A00ABCD, little-endian.
pub(crate) const MAGIC: [u8; 4] = 0x0A00_ABCD_u32.to_le_bytes();
const FORMAT: &str = "distributed-llama model";

/// Reads a whole file that begins with the magic bytes.
pub(crate) fn import(bytes: &HostBytes) -> Result<(Head, Foreign)> {
    let (values, start) = Values::read(bytes.as_slice()).map_err(Error::Foreign)?;
    let config = values.config().map_err(Error::Foreign)?;
    let mut packed = Packed::new(bytes, start);
    let table = [config.vocab_size, config.emb_dim];
    packed.tensor(TOK_EMB, &table, DType::F32)?;
    for layer in 0..config.n_layers {
        for (part, shape, dtype) in parts(&config) {
            let name = block_tensor(layer, &part);
            match rotated_heads(&part, &config) {
                None => packed.tensor(&name, &shape, dtype)?,
                Some(n_heads) => {
                    let heads = (n_heads, config.head_dim);
                    packed.rotated(&name, &shape, dtype, heads)?;
                }
            }
        }
    }
    packed.tensor(FINAL_NORM, &[config.emb_dim], DType::F32)?;
    packed.tensor(OUT_HEAD, &table, config.dtype)?;
    let kind = values.kind().map_err(Error::Foreign)?;
    let entry = json!({"format": FORMAT, "architecture": kind.name()});
    let metadata = Metadata {
        provenance: Map::from_iter([(IMPORTED_FROM.to_owned(), entry)]),
        ..Metadata::new(config)
    };
    packed.finish(metadata, FORMAT)
}

/// The parts of a block in the order of the file, with their types.
fn parts(config: &Config) -> Vec<(String, Vec<usize>, DType)> {
    let (emb_dim, hidden_dim, dtype) = (config.emb_dim, config.hidden_dim, config.dtype);
    let (q_dim, kv_dim) = (config.q_dim(), config.kv_dim());
    let mut parts = Vec::new();
    let mut push = |part: &str, shape: &[usize], dtype| {
        parts.push((part.to_owned(), shape.to_vec(), dtype));
    };
    push("attn.q_proj", &[q_dim, emb_dim], dtype);
    push("attn.k_proj", &[kv_dim, emb_dim], dtype);
    push("attn.v_proj", &[kv_dim, emb_dim], dtype);
    push("attn.o_proj", &[emb_dim, q_dim], dtype);
    if config.has_experts() {
        push("ffn.router", &[config.n_experts, emb_dim], DType::F32);
    }
    for expert in 0..config.n_feed_forwards() {
        let prefix = match config.has_experts() {
            true => format!("ffn.experts.{expert}"),
            false => "ffn".to_owned(),
        };
        push(
            &format!("{prefix}.gate_proj"),
            &[hidden_dim, emb_dim],
            dtype,
        );
        push(
            &format!("{prefix}.down_proj"),
            &[emb_dim, hidden_dim],
            dtype,
        );
        push(&format!("{prefix}.up_proj"), &[hidden_dim, emb_dim], dtype);
    }
    if config.qk_norm {
        push("attn.q_norm", &[config.head_dim], DType::F32);
        push("attn.k_norm", &[config.head_dim], DType::F32);
    }
    push("attn_norm", &[emb_dim], DType::F32);
    push("ffn_norm", &[emb_dim], DType::F32);
    parts
}

/// How many heads the rows of this part belong to, if RoPE turns them in adjacent pairs: a llama's are
/// turned so, a Qwen's in split halves.
fn rotated_heads(part: &str, config: &Config) -> Option<usize> {
    match part {
        _ if config.qk_norm => None,
        "attn.q_proj" => Some(config.n_heads),
        "attn.k_proj" => Some(config.n_kv_heads),
        _ => None,
    }
}
