//! The operations of a transformer, in the book's words.
//!
//! Each method states the shapes it needs, checks them, and hands the work to the device that the
//! tensor lives on. What the numbers mean is written in `reference/`.

use crate::backend::CachedAttention;
use crate::checks::check_range;
use crate::error::{Error, Result};
use crate::place::Place;
use crate::rope_table::RopeTable;
use crate::tensor::Tensor;

impl Tensor {
    /// Looks up rows of an embedding table: `y_t = self[ids_t]`.
    ///
    /// # Shapes
    ///
    /// - `self`: `[vocab_size, emb_dim]`, any storage type
    /// - `ids`: `n_tokens` token ids
    /// - returns `[n_tokens, emb_dim]`
    ///
    /// # Errors
    ///
    /// If `self` is not a matrix, or an id is not below `vocab_size`.
    ///
    /// Source: book section 2.7.
    pub fn embed(&self, ids: &[u32]) -> Result<Self> {
        let [vocab_size, _] = self.matrix("embed", "table")?;
        for &id in ids {
            check_range("embed", "token id", id as usize, vocab_size)?;
        }
        self.device().backend().embed(self, ids)
    }

    /// Picks rows: the last token of each sequence before the output head, for example.
    ///
    /// # Shapes
    ///
    /// - `self`: `[n_rows, width]`
    /// - returns `[rows.len(), width]`
    ///
    /// # Errors
    ///
    /// If `self` is not a matrix, or a row is not below `n_rows`.
    pub fn rows(&self, rows: &[usize]) -> Result<Self> {
        let [n_rows, _] = self.matrix("rows", "self")?;
        let ids = rows.iter().map(|&row| {
            check_range("rows", "row", row, n_rows)?;
            u32::try_from(row).map_err(|_| Error::TooLarge { shape: vec![row] })
        });
        // Picking rows of activations and looking up rows of a table are the same operation.
        self.device()
            .backend()
            .embed(self, &ids.collect::<Result<Vec<_>>>()?)
    }

    /// Root-mean-square norm: `y_i = x_i / sqrt(mean(x²) + eps) · weight_i`, row by row, or head by
    /// head where `weight` is as long as a head and rows are several of them.
    ///
    /// # Shapes
    ///
    /// - `self`: `[n_tokens, n_heads · width]`; a whole token is one head of `emb_dim`
    /// - `weight`: `[width]`, f32
    /// - returns the shape of `self`
    ///
    /// # Errors
    ///
    /// If the shapes, storage types or devices disagree.
    ///
    /// Source: Zhang & Sennrich 2019, <https://arxiv.org/abs/1910.07467>, eq. 4.
    pub fn rms_norm(&self, weight: &Self, eps: f32) -> Result<Self> {
        self.check_rms_norm_of_heads(weight)?;
        self.device().backend().rms_norm(self, weight, eps)
    }

    /// Multiplies by a weight matrix: `y_to = Σ_i x_ti · weight_oi`, that is `x · weightᵀ`.
    ///
    /// # Shapes
    ///
    /// - `self`: `[n_tokens, n_in]`
    /// - `weight`: `[n_out, n_in]`, any storage type, as PyTorch's `nn.Linear` keeps it
    /// - returns `[n_tokens, n_out]`
    ///
    /// # Errors
    ///
    /// If the shapes or devices disagree.
    ///
    /// Source: book section A.4 (a linear layer without bias).
    pub fn matmul(&self, weight: &Self) -> Result<Self> {
        self.check_matmul(weight)?;
        self.device().backend().matmul(self, weight)
    }

    /// Rotary position embedding, split halves: with `p` the row's position and `d = head_dim / 2`,
    ///
    /// `y_i = x_i · cos(p ω_i) − x_{i+d} · sin(p ω_i)`,
    /// `y_{i+d} = x_{i+d} · cos(p ω_i) + x_i · sin(p ω_i)` for `i < d`, in every head.
    ///
    /// # Shapes
    ///
    /// - `self`: `[n_tokens, n_heads · head_dim]`
    /// - `table`: cosines and sines, `[context_length, head_dim / 2]`
    /// - `places`: one for each row
    /// - returns `[n_tokens, n_heads · head_dim]`
    ///
    /// # Errors
    ///
    /// If a row is not a whole number of heads, or a position lies beyond the table.
    ///
    /// Source: Su et al. 2021, <https://arxiv.org/abs/2104.09864>, eq. 34, with the pairs
    /// `(i, i + d)` in place of `(2i, 2i + 1)`.
    pub fn rope(&self, table: &RopeTable, places: &[Place]) -> Result<Self> {
        self.check_rope(table, places)?;
        self.device().backend().rope(self, table, places)
    }

    /// Writes rows into a cache: `self[sequence_t, position_t] = rows_t`.
    ///
    /// # Shapes
    ///
    /// - `self`: `[n_sequences, context_length, width]`, made by [`Device::cache`](crate::Device::cache)
    /// - `rows`: `[n_tokens, width]`
    /// - `places`: one for each row
    ///
    /// # Errors
    ///
    /// If the shapes or devices disagree, a place lies outside the cache, or another handle shares
    /// the cache's memory.
    pub fn write_rows(&mut self, rows: &Self, places: &[Place]) -> Result<()> {
        self.check_write_rows(rows, places)?;
        let device = self.device().clone();
        device.backend().write_rows(self, rows, places)
    }

    /// Causal grouped-query attention over a cache.
    ///
    /// Row `t`, at position `p` of its sequence, attends to cached positions `0..=p`. Query head `h`
    /// reads key/value head `h / (n_heads / n_kv_heads)`. For each head:
    ///
    /// `y = Σ_{s ≤ p} softmax_s(q · k_s / sqrt(head_dim)) · v_s`
    ///
    /// # Shapes
    ///
    /// - `self` (`q`): `[n_tokens, n_heads · head_dim]`
    /// - `keys`, `values`: `[n_sequences, context_length, n_kv_heads · head_dim]`, made by
    ///   [`Device::cache`](crate::Device::cache)
    /// - `places`: one for each row
    /// - returns `[n_tokens, n_heads · head_dim]`
    ///
    /// # Errors
    ///
    /// If the shapes or devices disagree, `n_heads` is not a multiple of `n_kv_heads`, or a place
    /// lies outside the cache.
    ///
    /// Source: Ainslie et al. 2023, <https://arxiv.org/abs/2305.13245>, section 2.2; book section 3.5.
    pub fn attention(
        &self,
        keys: &Self,
        values: &Self,
        places: &[Place],
        head_dim: usize,
    ) -> Result<Self> {
        self.check_attention(keys, values, places, head_dim)?;
        self.device()
            .backend()
            .attention(self, keys, values, places, head_dim)
    }

    /// The gated activation of SwiGLU: `y = silu(gate) · up` with `silu(x) = x / (1 + e^-x)`.
    ///
    /// # Shapes
    ///
    /// - `self` (`gate`), `up` and the result: `[n_tokens, hidden_dim]`
    ///
    /// # Errors
    ///
    /// If the shapes or devices disagree.
    ///
    /// Source: Shazeer 2020, <https://arxiv.org/abs/2002.05202>, eq. 5.
    pub fn swiglu(&self, up: &Self) -> Result<Self> {
        self.check_same("swiglu", ["gate", "up"], up)?;
        self.device().backend().swiglu(self, up)
    }

    /// Turns each row into probabilities: `y_i = e^{x_i} / Σ_j e^{x_j}`.
    ///
    /// # Shapes
    ///
    /// - `self` and the result: `[n_rows, n_columns]`
    ///
    /// # Errors
    ///
    /// If `self` is not an f32 matrix.
    ///
    /// Source: book section 3.3.1.
    pub fn softmax(&self) -> Result<Self> {
        self.activations("softmax", "x")?;
        self.device().backend().softmax(self)
    }

    /// The column of the largest value of each row, the first one on a tie.
    ///
    /// # Shapes
    ///
    /// - `self`: `[n_rows, n_columns]`
    /// - returns `n_rows` columns
    ///
    /// # Errors
    ///
    /// If `self` is not an f32 matrix with at least one column.
    pub fn argmax(&self) -> Result<Vec<u32>> {
        let [_, n_columns] = self.activations("argmax", "x")?;
        check_range("argmax", "column", 0, n_columns)?;
        self.device().backend().argmax(self)
    }

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
        self.check_rms_norm(norm)?;
        for weight in weights {
            self.check_matmul(weight)?;
        }
        let outputs = self
            .device()
            .backend()
            .norm_matmul(self, norm, eps, &weights)?;
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
        self.check_rope(cache.rope, cache.places)?;
        k.check_rope(cache.rope, cache.places)?;
        cache.keys.check_write_rows(k, cache.places)?;
        cache.values.check_write_rows(v, cache.places)?;
        self.check_attention(cache.keys, cache.values, cache.places, cache.head_dim)?;
        self.device().backend().cached_attention(self, k, v, cache)
    }

    /// The SwiGLU feed-forward with its norm, without the residual:
    /// `down · swiglu(gate · x', up · x')` with `x' = rms_norm(x)`.
    ///
    /// # Errors
    ///
    /// As the operations it is made of.
    pub fn feed_forward(&self, norm: &Self, eps: f32, weights: [&Self; 3]) -> Result<Self> {
        self.check_feed_forward(norm, weights)?;
        self.device()
            .backend()
            .feed_forward(self, norm, eps, weights)
    }
}
