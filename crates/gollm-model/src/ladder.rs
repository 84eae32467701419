//! The book's ladder of attentions: six steps from an average to what the model uses, each with one
//! new idea.
//!
//! | rung | new idea | section |
//! |---|---|---|
//! | [`average`] | a context vector is a weighted sum of all tokens; here the weights are equal | 3.3 |
//! | [`dot_product`] | the weights come from the tokens: alike tokens attend to each other | 3.3 |
//! | [`self_attention`] | trained projections decide what "alike" means; scores are scaled | 3.4 |
//! | [`causal`] | a token may not look at those after it | 3.5 |
//! | [`multi_head`] | several small attentions side by side | 3.6 |
//! | [`grouped_query`] | several query heads share one key/value head | – |
//!
//! The rungs take the words of one sequence at once and keep nothing; they are for reading and for
//! checking. The model's own attention ([`GroupedQueryAttention`](crate::GroupedQueryAttention)) is
//! the last rung with rotary positions, a cache, and arithmetic on any device; a test holds the two
//! together.
//!
//! Two words are kept apart throughout: **scores** are what a query and a key give, any number;
//! **weights** are scores after softmax, positive and with the sum 1.
//!
//! Read `notes/ch03-attention.md` beside these files, and compare neighbours with a file diff: what a
//! rung adds is marked `New:`. Source: "Build a Large Language Model (From Scratch)", S. Raschka, 2024,
//! chapter 3; Vaswani et al. 2017, <https://arxiv.org/abs/1706.03762>; for the last rung Ainslie et al.
//! 2023, <https://arxiv.org/abs/2305.13245>.

mod average;
mod causal;
mod dot_product;
mod grouped_query;
mod multi_head;
mod self_attention;
mod softmax;

pub use average::average;
pub use causal::{causal, mask_future};
pub use dot_product::dot_product;
pub use grouped_query::{grouped_query, grouped_query_attention};
pub use multi_head::{AttentionWeights, multi_head, multi_head_stacked};
pub use self_attention::{HeadWeights, self_attention};
pub use softmax::softmax_rows;

use ndarray::Array2;

use crate::error::Result;

/// What one attention computes, stage by stage.
#[derive(Debug, Clone, PartialEq)]
pub struct Attended {
    /// How well query `t` fits key `s`, before softmax: `[n_tokens, n_tokens]`, any numbers.
    pub scores: Array2<f32>,
    /// How much of token `s` goes into context vector `t`: `[n_tokens, n_tokens]`, rows sum to 1.
    pub weights: Array2<f32>,
    /// One context vector for each token: `[n_tokens, head_dim]`.
    pub context: Array2<f32>,
}

/// Checks that there is something to attend to: softmax over no tokens has no meaning.
fn check_not_empty(operation: &'static str, name: &'static str, found: &[usize]) -> Result<()> {
    if !found.contains(&0) {
        return Ok(());
    }
    let expected = "at least one row and one column".to_owned();
    Err(gollm_tensor::Error::Shape {
        operation,
        name,
        found: found.to_vec(),
        expected,
    }
    .into())
}
