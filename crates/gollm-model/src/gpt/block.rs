//! One GPT-2 block: attention mixes the tokens, the feed-forward part works on each, and both only add
//! to the stream.

use gollm_tensor::check_shape;
use ndarray::{Array1, Array2};

use super::{GptFeedForward, LayerNorm};
use crate::error::Result;
use crate::ladder::{AttentionWeights, multi_head};

/// A transformer block of the book's GPT.
#[derive(Debug, Clone, PartialEq)]
pub struct GptBlock {
    /// Before attention.
    pub attention_norm: LayerNorm,
    /// Queries, keys and values without bias, as in the book's configuration (`qkv_bias: False`).
    pub attention: AttentionWeights,
    /// Added after attention's output projection: `[emb_dim]`.
    pub attention_bias: Array1<f32>,
    /// Before the feed-forward part.
    pub feed_forward_norm: LayerNorm,
    /// Works on each token for itself.
    pub feed_forward: GptFeedForward,
    /// How many heads the attention has.
    pub n_heads: usize,
}

impl GptBlock {
    /// `h = x + attention(norm(x))`, `y = h + feed_forward(norm(h))`.
    ///
    /// Norms stand before their parts, and `x` itself passes by them untouched (the shortcut): a
    /// gradient reaches the first block through additions alone.
    ///
    /// # Shapes
    ///
    /// - `x` and the result: `[n_tokens, emb_dim]`
    ///
    /// # Errors
    ///
    /// If a part does not fit `x`.
    ///
    /// Source: "Build a Large Language Model (From Scratch)", S. Raschka, 2024, sections 4.4 and 4.5.
    pub fn forward(&self, x: &Array2<f32>) -> Result<Array2<f32>> {
        let (attention_bias, emb_dim) = (&self.attention_bias, x.ncols());
        check_shape!("gpt_block", attention_bias, [emb_dim])?;
        let attn_out = multi_head(
            &self.attention_norm.forward(x)?,
            &self.attention,
            self.n_heads,
        )?;
        let h = x + &attn_out + attention_bias;
        let ffn_out = self
            .feed_forward
            .forward(&self.feed_forward_norm.forward(&h)?)?;
        Ok(h + ffn_out)
    }

    /// How many trained numbers the block has.
    #[must_use]
    pub fn n_parameters(&self) -> usize {
        let norms = [&self.attention_norm, &self.feed_forward_norm];
        let linears = [&self.feed_forward.up, &self.feed_forward.down];
        let AttentionWeights {
            q_proj,
            k_proj,
            v_proj,
            o_proj,
        } = &self.attention;
        norms
            .iter()
            .map(|norm| norm.scale.len() + norm.shift.len())
            .sum::<usize>()
            + linears
                .iter()
                .map(|linear| linear.weight.len() + linear.bias.len())
                .sum::<usize>()
            + [q_proj, k_proj, v_proj, o_proj]
                .iter()
                .map(|matrix| matrix.len())
                .sum::<usize>()
            + self.attention_bias.len()
    }
}
