//! A LLaMA-3-style decoder and the book's ladder that leads to it.

mod attention;
mod block;
mod config;
mod counts;
mod decoder;
mod error;
mod feed_forward;
pub mod gpt;
mod kv_cache;
pub mod ladder;
pub mod loss;
mod moe;
mod rms_norm;
pub mod rope;
mod shard;
mod tensor_names;
mod weight_source;

pub use attention::GroupedQueryAttention;
pub use block::{Block, Ffn};
pub use config::{Config, RopeScaling};
pub use counts::{
    FlopCounts, ParameterCounts, bytes_read_per_token, kv_bytes, kv_bytes_per_token, weight_bytes,
};
pub use decoder::{Decoder, SequenceTokens};
pub use error::{Error, Result};
pub use feed_forward::FeedForward;
pub use kv_cache::{KvCache, LayerCache};
pub use moe::{ExpertTokens, Moe, route_top_k};
pub use rms_norm::RmsNorm;
pub use shard::{AllReduce, Shard};
pub use tensor_names::{
    FINAL_NORM, OUT_HEAD, TOK_EMB, TensorSpec, block_bias, block_tensor, expected_tensors,
    expert_tensor, is_router, n_expected_tensors,
};
pub use weight_source::{StoredTensor, WeightSource};

/// The code blocks of `notes/ch03-attention.md`, run as doctests.
#[cfg(doctest)]
#[doc = include_str!("../../../notes/ch03-attention.md")]
struct Ch03Note;

/// The code blocks of `notes/ch04-model.md`, run as doctests.
#[cfg(doctest)]
#[doc = include_str!("../../../notes/ch04-model.md")]
struct Ch04Note;
