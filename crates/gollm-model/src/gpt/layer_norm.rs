//! LayerNorm: move each token's vector to mean 0 and variance 1, then to a trained scale and shift.

use gollm_tensor::check_shape;
use ndarray::{Array1, Array2, Axis};

use crate::error::Result;

/// Layer normalization with trained scale and shift.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerNorm {
    /// What each number is multiplied by: `[emb_dim]`.
    pub scale: Array1<f32>,
    /// What is then added: `[emb_dim]`.
    pub shift: Array1<f32>,
    /// Added to the variance, so that a constant vector does not divide by zero.
    pub eps: f32,
}

impl LayerNorm {
    /// A norm as training starts with it: scale 1, shift 0, eps 1e-5.
    #[must_use]
    pub fn new(emb_dim: usize) -> Self {
        Self {
            scale: Array1::ones(emb_dim),
            shift: Array1::zeros(emb_dim),
            eps: 1e-5,
        }
    }

    /// Normalizes every row of `x`.
    ///
    /// `y_i = (x_i − mean(x)) / sqrt(var(x) + eps) · scale_i + shift_i`, with the biased variance
    /// `Σ (x_i − mean)² / emb_dim`: GPT-2 was trained with it, so its weights need it.
    ///
    /// # Shapes
    ///
    /// - `x` and the result: `[n_tokens, emb_dim]`
    ///
    /// # Errors
    ///
    /// If `x` is not as wide as `scale` and `shift`.
    ///
    /// Source: Ba, Kiros & Hinton 2016, <https://arxiv.org/abs/1607.06450>, eq. 4; "Build a Large
    /// Language Model (From Scratch)", S. Raschka, 2024, section 4.2.
    pub fn forward(&self, x: &Array2<f32>) -> Result<Array2<f32>> {
        let Self { scale, shift, eps } = self;
        let (n_tokens, emb_dim) = (x.nrows(), scale.len());
        check_shape!("layer_norm", x, [n_tokens, emb_dim])?;
        check_shape!("layer_norm", shift, [emb_dim])?;

        let mut y = x.clone();
        for mut row in y.axis_iter_mut(Axis(0)) {
            let mean = row.sum() / emb_dim as f32;
            row.mapv_inplace(|v| v - mean);
            let variance = row.dot(&row) / emb_dim as f32;
            row.mapv_inplace(|v| v / (variance + eps).sqrt());
        }
        Ok(y * scale + shift)
    }
}
