//! The book's own GPT: where chapter 4 starts, before each part is replaced by LLaMA's.
//!
//! | GPT-2, here | LLaMA, in the rest of the crate | what changes |
//! |---|---|---|
//! | [`LayerNorm`] | [`RmsNorm`](crate::RmsNorm) | no mean is subtracted, no shift is added |
//! | [`Embeddings`] with learned positions | [`rope`](crate::rope) | positions turn queries and keys |
//! | [`GptFeedForward`] with [`gelu`] | [`FeedForward`](crate::FeedForward) | a gate, SiLU, no biases |
//! | [`multi_head`](crate::ladder::multi_head) | grouped queries | fewer key/value heads |
//! | [`GptBlock`] | [`Block`](crate::Block) | the same two steps, from other parts |
//!
//! On `ndarray`, in f32, for one sequence, without dropout (which exists in training only) and without
//! a cache. Notes: `notes/ch04-model.md`. Source: "Build a Large Language Model (From Scratch)", S.
//! Raschka, 2024, chapter 4; Radford et al. 2019, "Language Models are Unsupervised Multitask Learners".

mod block;
mod embeddings;
mod feed_forward;
mod gelu;
mod layer_norm;
mod model;

pub use block::GptBlock;
pub use embeddings::Embeddings;
pub use feed_forward::{GptFeedForward, Linear};
pub use gelu::{gelu, gelu_exact};
pub use layer_norm::LayerNorm;
pub use model::GptModel;
