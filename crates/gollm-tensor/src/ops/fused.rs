//! Fused forms: several operations in one call, for devices that do them faster together.

use super::{attention, matmul, rms_norm, rope};
use crate::backend::CachedAttention;
use crate::check_shape;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::tensor::Tensor;

impl Tensor {
    /// Normalizes once, then multiplies by each of `weights`; see [`rms_norm`](Self::rms_norm) and
    /// [`matmul`](Self::matmul).
    ///
    /// # Errors
    ///
    /// As the two operations it is made of.
    pub fn norm_matmul<const N: usize>(
        &self,
        norm: &Self,
        eps: f32,
        weights: [&Self; N],
    ) -> Result<[Self; N]> {
        rms_norm::check_whole_rows(self, norm)?;
        for weight in weights {
            matmul::check(self, weight)?;
        }
        let backend = self.device().backend();
        let outputs = backend.norm_matmul(self, norm, eps, &weights)?;
        <[Self; N]>::try_from(outputs).map_err(|outputs| Error::Length {
            operation: "norm_matmul",
            name: "outputs of the backend",
            found: outputs.len(),
            expected: N,
        })
    }

    /// Rotates `self` (`q`) and `k`, appends `k` and `v` to the cache and attends; see
    /// [`rope`](Self::rope), [`write_rows`](Self::write_rows) and [`attention`](Self::attention).
    ///
    /// # Errors
    ///
    /// As the three operations it is made of.
    pub fn cached_attention(&self, k: &Self, v: &Self, cache: CachedAttention<'_>) -> Result<Self> {
        let (places, caches) = (cache.places, [&*cache.keys, &*cache.values]);
        rope::check(self, cache.rope, places)?;
        rope::check(k, cache.rope, places)?;
        attention::check_write_rows(caches[0], k, places)?;
        attention::check_write_rows(caches[1], v, places)?;
        attention::check_attention(self, caches, places, cache.head_dim)?;
        self.device().backend().cached_attention(self, k, v, cache)
    }

    /// The SwiGLU feed-forward with its norm, without the residual:
    /// `down · swiglu(gate · x', up · x')` with `x' = rms_norm(x)`.
    ///
    /// # Errors
    ///
    /// As the operations it is made of.
    pub fn feed_forward(&self, norm: &Self, eps: f32, weights: [&Self; 3]) -> Result<Self> {
        check_feed_forward(self, norm, weights)?;
        let backend = self.device().backend();
        backend.feed_forward(self, norm, eps, weights)
    }
}

fn check_feed_forward(x: &Tensor, norm: &Tensor, weights: [&Tensor; 3]) -> Result<()> {
    let [gate, up, down] = weights;
    let [n_tokens, emb_dim] = x.activations("feed_forward", "x")?;
    let [hidden_dim, _] = gate.matrix("feed_forward", "gate")?;
    let [n_out, _] = down.matrix("feed_forward", "down")?;
    rms_norm::check_whole_rows(x, norm)?;
    for (name, weight) in ["gate", "up", "down"].into_iter().zip(weights) {
        x.check_same_device("feed_forward", name, weight)?;
    }
    check_shape!("feed_forward", gate, [hidden_dim, emb_dim])?;
    check_shape!("feed_forward", up, [hidden_dim, emb_dim])?;
    check_shape!("feed_forward", down, [n_out, hidden_dim])?;
    // The hidden activations exist only inside the operation; their size must still be sane.
    DType::F32.n_bytes(&[n_tokens, hidden_dim]).map(|_| ())
}
