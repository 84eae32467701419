//! llama2.c checkpoints of version 0: seven numbers, then every weight as f32, grouped by kind.
//!
//! There is no magic: a file is taken for one only if its numbers make a model and its length is to the
//! byte what they say. Source: the structs and `memory_map_weights` of
//! <https://github.com/karpathy/llama2.c>, `run.c`.

use gollm_model::{Config, FINAL_NORM, OUT_HEAD, TOK_EMB, block_tensor};
use gollm_tensor::{DType, HostBytes};
use serde_json::{Map, json};

use crate::byte_reader::ByteReader;
use crate::error::{Error, Result};
use crate::foreign::Foreign;
use crate::gguf::IMPORTED_FROM;
use crate::head::Head;
use crate::metadata::Metadata;
use crate::packed::Packed;

/// What the program that reads such files calls them.
const FORMAT: &str = "llama2.c checkpoint, version 0";
const HEADER_BYTES: usize = 7 * 4;

/// Whether a file of `length` bytes that begins with `start` is such a checkpoint.
pub(crate) fn looks_like(start: &[u8], length: u64) -> bool {
    Checkpoint::read(start).is_some_and(|found| found.n_bytes() == Some(length))
}

/// Reads a whole file that [`looks_like`] one.
pub(crate) fn import(bytes: &HostBytes) -> Result<(Head, Foreign)> {
    let no_model = || Error::NotAModel {
        what: "binary data of no kind that gollm knows",
        advice: "check the path",
    };
    let found = Checkpoint::read(bytes.as_slice()).ok_or_else(no_model)?;
    let config = found.config;
    let mut packed = Packed::new(bytes, HEADER_BYTES);
    let table = [config.vocab_size, config.emb_dim];
    packed.tensor(TOK_EMB, &table, DType::F32)?;
    for (part, shape) in parts(&config) {
        for layer in 0..config.n_layers {
            let name = block_tensor(layer, part);
            match rotated_heads(part, &config) {
                None => packed.tensor(&name, &shape, DType::F32)?,
                Some(n_heads) => {
                    let heads = (n_heads, config.head_dim);
                    packed.rotated(&name, &shape, DType::F32, heads)?;
                }
            }
        }
    }
    packed.tensor(FINAL_NORM, &[config.emb_dim], DType::F32)?;
    // They follow from the config. The product is bounded by `validate`.
    let n_angles = config.context_length * config.head_dim;
    packed.skip(4 * n_angles, "cosines and sines")?;
    if !config.tie_embeddings {
        packed.tensor(OUT_HEAD, &table, DType::F32)?;
    }
    let entry = json!({"format": FORMAT});
    let metadata = Metadata {
        provenance: Map::from_iter([(IMPORTED_FROM.to_owned(), entry)]),
        ..Metadata::new(config)
    };
    packed.finish(metadata, FORMAT)
}

/// The groups between the embedding table and the last norm, each with a tensor of every layer.
fn parts(config: &Config) -> [(&'static str, Vec<usize>); 9] {
    let (emb_dim, hidden_dim, kv_dim) = (config.emb_dim, config.hidden_dim, config.kv_dim());
    [
        ("attn_norm", vec![emb_dim]),
        ("attn.q_proj", vec![emb_dim, emb_dim]),
        ("attn.k_proj", vec![kv_dim, emb_dim]),
        ("attn.v_proj", vec![kv_dim, emb_dim]),
        ("attn.o_proj", vec![emb_dim, emb_dim]),
        ("ffn_norm", vec![emb_dim]),
        ("ffn.gate_proj", vec![hidden_dim, emb_dim]),
        ("ffn.down_proj", vec![emb_dim, hidden_dim]),
        ("ffn.up_proj", vec![hidden_dim, emb_dim]),
    ]
}

/// How many heads the rows of this part belong to, if RoPE turns them: here in adjacent pairs.
fn rotated_heads(part: &str, config: &Config) -> Option<usize> {
    match part {
        "attn.q_proj" => Some(config.n_heads),
        "attn.k_proj" => Some(config.n_kv_heads),
        _ => None,
    }
}

/// The head of a file, whose numbers make a model.
struct Checkpoint {
    config: Config,
}

impl Checkpoint {
    /// Reads the seven numbers; `None` where they make no model.
    fn read(start: &[u8]) -> Option<Self> {
        let mut reader = ByteReader::new(start);
        let mut number = || reader.array().map(i32::from_le_bytes);
        let mut size = || number().and_then(|n| usize::try_from(n).ok());
        let (emb_dim, hidden_dim, n_layers) = (size()?, size()?, size()?);
        let (n_heads, n_kv_heads) = (size()?, size()?);
        // A negative size of the vocabulary says that the output head is a matrix of its own.
        let vocab_size = number()?;
        let context_length = usize::try_from(number()?).ok()?;
        if !emb_dim.is_multiple_of(n_heads.max(1)) {
            return None;
        }
        let config = Config {
            vocab_size: vocab_size.unsigned_abs() as usize,
            context_length,
            emb_dim,
            n_heads,
            n_kv_heads,
            head_dim: emb_dim.checked_div(n_heads)?,
            hidden_dim,
            n_layers,
            rope_theta: 10_000.0,
            rope_scaling: None,
            norm_eps: 1e-5,
            tie_embeddings: vocab_size > 0,
            dtype: DType::F32,
            qkv_bias: false,
            qk_norm: false,
            n_experts: 0,
            n_experts_per_token: 0,
            norm_topk_prob: false,
        };
        config.validate().ok()?;
        Some(Self { config })
    }

    /// How long a file of these numbers is.
    fn n_bytes(&self) -> Option<u64> {
        let config = &self.config;
        let size = |shape: &[usize]| shape.iter().try_fold(1u64, |n, d| n.checked_mul(*d as u64));
        let table = size(&[config.vocab_size, config.emb_dim])?;
        let layer = parts(config)
            .iter()
            .try_fold(0u64, |sum, (_, shape)| sum.checked_add(size(shape)?))?;
        let layers = layer.checked_mul(config.n_layers as u64)?;
        let angles = size(&[config.context_length, config.head_dim])?;
        let head = if config.tie_embeddings { 0 } else { table };
        [layers, config.emb_dim as u64, angles, head]
            .into_iter()
            .try_fold(table, u64::checked_add)?
            .checked_mul(4)?
            .checked_add(HEADER_BYTES as u64)
    }
}
