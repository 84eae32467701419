//! The book's whole GPT: embeddings, blocks, a last norm, and a score for every token that may follow.

use gollm_tensor::check_shape;
use ndarray::Array2;

use super::{Embeddings, GptBlock, LayerNorm};
use crate::error::Result;

/// A GPT-2-style decoder.
#[derive(Debug, Clone, PartialEq)]
pub struct GptModel {
    /// Tokens and positions.
    pub embeddings: Embeddings,
    /// One after the other.
    pub blocks: Vec<GptBlock>,
    /// After the last block.
    pub final_norm: LayerNorm,
    /// The output head, `[vocab_size, emb_dim]`; `None` uses the token table again, as GPT-2 does.
    pub out_head: Option<Array2<f32>>,
}

impl GptModel {
    /// The logits of the token after each position.
    ///
    /// # Shapes
    ///
    /// - `ids`: `[n_tokens]`, at least one
    /// - returns `[n_tokens, vocab_size]`
    ///
    /// # Errors
    ///
    /// If there is no id, an id or a position is out of range, or a part does not fit.
    ///
    /// Source: "Build a Large Language Model (From Scratch)", S. Raschka, 2024, section 4.6.
    pub fn forward(&self, ids: &[u32]) -> Result<Array2<f32>> {
        let mut x = self.embeddings.forward(ids)?;
        for block in &self.blocks {
            x = block.forward(&x)?;
        }
        let x = self.final_norm.forward(&x)?;
        let out_head = self.out_head.as_ref().unwrap_or(&self.embeddings.tokens);
        let (vocab_size, emb_dim) = (out_head.nrows(), x.ncols());
        check_shape!("gpt_model", out_head, [vocab_size, emb_dim])?;
        Ok(x.dot(&out_head.t()))
    }

    /// How many trained numbers the model has; a tied head counts once.
    #[must_use]
    pub fn n_parameters(&self) -> usize {
        let tables = self.embeddings.tokens.len() + self.embeddings.positions.len();
        let blocks: usize = self.blocks.iter().map(GptBlock::n_parameters).sum();
        let norm = self.final_norm.scale.len() + self.final_norm.shift.len();
        tables + blocks + norm + self.out_head.as_ref().map_or(0, Array2::len)
    }
}
