//! RMSNorm with its weight. The formula is [`Tensor::rms_norm`]'s.
//!
//! Notes: `notes/ch04-model.md`. Source: Zhang & Sennrich 2019,
//! <https://arxiv.org/abs/1910.07467>, eq. 4. Python: `RMSNorm` in `python/model.py`.

use gollm_tensor::{Device, Tensor};

use crate::error::Result;
use crate::weight_source::{WeightSource, load};

/// Rescales each token's vector, or each head of it, to unit root-mean-square, then each number by a
/// learned weight.
#[derive(Debug, Clone)]
pub struct RmsNorm {
    /// The learned scales, `[emb_dim]` (of heads: `[head_dim]`), f32.
    pub weight: Tensor,
    /// Added to the mean square before its root, so that a zero vector stays one.
    pub eps: f32,
}

impl RmsNorm {
    /// Takes the weight `name` of shape `[width]` from a source.
    ///
    /// # Errors
    ///
    /// If the weight is missing or has another shape, or the device is out of memory.
    pub fn load(
        source: &dyn WeightSource,
        name: &str,
        width: usize,
        eps: f32,
        device: &Device,
    ) -> Result<Self> {
        let stored = load(source, name, &[width])?;
        // A norm has few weights and scales every number of a token: it is kept in f32 always.
        Ok(Self {
            weight: device.tensor(&[width], &stored.to_f32()?)?,
            eps,
        })
    }

    /// `y_i = x_i / sqrt(mean(x²) + eps) · weight_i`.
    ///
    /// # Shapes
    ///
    /// - `x` and the result: `[n_tokens, emb_dim]`; with a weight of a head, `[n_tokens, n_heads · width]`
    ///
    /// # Errors
    ///
    /// If `x` has another width.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.rms_norm(&self.weight, self.eps)?)
    }
}
