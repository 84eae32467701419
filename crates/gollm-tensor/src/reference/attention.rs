//! Attention over a cache: the only operation that mixes information across tokens.
//!
//! Notes: `notes/ch03-attention.md`. Source: Ainslie et al. 2023,
//! <https://arxiv.org/abs/2305.13245>; book section 3.5.

use ndarray::{Array2, aview1, s};

use super::elementwise::softmax_in_place;
use super::memory::{matrix, result, values, values_mut, view};
use crate::error::Result;
use crate::place::Place;
use crate::tensor::Tensor;

/// `y = Σ_{s ≤ p} softmax_s(q · k_s / sqrt(head_dim)) · v_s`, for each row and each head.
pub(super) fn attention(
    q: &Tensor,
    keys: &Tensor,
    values: &Tensor,
    places: &[Place],
    head_dim: usize,
) -> Result<Tensor> {
    let (q_width, kv_width) = (q.shape()[1], keys.shape()[2]);
    let cache_shape = (keys.shape()[0], keys.shape()[1], kv_width);
    let (keys, values) = (view(keys, cache_shape)?, view(values, cache_shape)?);
    let queries = matrix(q)?;
    // Query heads share key/value heads in equal groups.
    let heads_per_kv = q_width / kv_width;
    let mut outputs = Array2::zeros((places.len(), q_width));
    for (t, place) in places.iter().enumerate() {
        for h in 0..q_width / head_dim {
            let q_columns = s![t, h * head_dim..(h + 1) * head_dim];
            let g = h / heads_per_kv;
            // The causal mask: a token sees itself and what stands before it, nothing later.
            let visible = s![
                place.sequence,
                ..=place.position,
                g * head_dim..(g + 1) * head_dim
            ];
            let scores = keys.slice(visible).dot(&queries.slice(q_columns));
            let mut weights = scores
                .mapv(|score| score / (head_dim as f32).sqrt())
                .to_vec();
            softmax_in_place(&mut weights);
            let context = aview1(&weights).dot(&values.slice(visible));
            outputs.slice_mut(q_columns).assign(&context);
        }
    }
    Ok(result(q, q.shape(), outputs.into_raw_vec_and_offset().0))
}

/// `cache[sequence_t, position_t] = rows_t`.
pub(super) fn write_rows(cache: &mut Tensor, rows: &Tensor, places: &[Place]) -> Result<()> {
    let (context_length, width) = (cache.shape()[1], cache.shape()[2]);
    let rows = values(rows)?;
    let cache = values_mut(cache, "write_rows", "cache")?;
    for (row, place) in rows.chunks_exact(width.max(1)).zip(places) {
        let start = (place.sequence * context_length + place.position) * width;
        cache[start..start + width].copy_from_slice(row);
    }
    Ok(())
}
