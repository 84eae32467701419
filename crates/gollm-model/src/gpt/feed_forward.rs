//! GPT-2's feed-forward part: widen by four, bend, narrow again, each token for itself.

use gollm_tensor::check_shape;
use ndarray::{Array1, Array2};

use super::gelu;
use crate::error::Result;

/// A matrix and a bias: `y = x Wᵀ + b`. LLaMA's projections have no bias; GPT-2's have.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// `[n_out, n_in]`.
    pub weight: Array2<f32>,
    /// `[n_out]`.
    pub bias: Array1<f32>,
}

impl Linear {
    /// Applies the matrix and the bias to every row of `x`.
    ///
    /// # Shapes
    ///
    /// - `x`: `[n_tokens, n_in]`
    /// - returns `[n_tokens, n_out]`
    ///
    /// # Errors
    ///
    /// If `x` or the bias does not fit the matrix.
    pub fn forward(&self, x: &Array2<f32>) -> Result<Array2<f32>> {
        let Self { weight, bias } = self;
        let (n_tokens, (n_out, n_in)) = (x.nrows(), weight.dim());
        check_shape!("linear", x, [n_tokens, n_in])?;
        check_shape!("linear", bias, [n_out])?;
        Ok(x.dot(&weight.t()) + bias)
    }
}

/// Two linear layers with GELU between them.
#[derive(Debug, Clone, PartialEq)]
pub struct GptFeedForward {
    /// `[4 · emb_dim, emb_dim]` in GPT-2.
    pub up: Linear,
    /// `[emb_dim, 4 · emb_dim]` in GPT-2.
    pub down: Linear,
}

impl GptFeedForward {
    /// `y = down(gelu(up(x)))`, row by row.
    ///
    /// # Shapes
    ///
    /// - `x` and the result: `[n_tokens, emb_dim]`
    ///
    /// # Errors
    ///
    /// If the matrices do not fit `x` or each other.
    ///
    /// Source: "Build a Large Language Model (From Scratch)", S. Raschka, 2024, section 4.3.
    pub fn forward(&self, x: &Array2<f32>) -> Result<Array2<f32>> {
        self.down.forward(&self.up.forward(x)?.mapv_into(gelu))
    }
}
