//! Causal grouped-query attention over a cache: the only operation that mixes information across
//! tokens. And the cache write before it.
//!
//! Notes: `notes/ch03-attention.md`. Source: Ainslie et al. 2023,
//! <https://arxiv.org/abs/2305.13245>; book section 3.5.

use ndarray::{Array2, aview1, s};

use super::softmax::softmax_in_place;
use crate::check_shape;
use crate::checks::{check_length, check_range};
use crate::dtype::DType;
use crate::error::Result;
use crate::place::Place;
use crate::reference::memory::{matrix, result, values, values_mut, view};
use crate::tensor::Tensor;

impl Tensor {
    /// Cache write: `self[sequence_t, position_t] = rows_t`.
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
        check_write_rows(self, rows, places)?;
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
        check_attention(self, [keys, values], places, head_dim)?;
        let backend = self.device().backend();
        backend.attention(self, keys, values, places, head_dim)
    }
}

pub(super) fn check_write_rows(cache: &Tensor, rows: &Tensor, places: &[Place]) -> Result<()> {
    let [n_sequences, context_length, width] = cache_sizes("write_rows", "cache", cache)?;
    cache.check_same_device("write_rows", "rows", rows)?;
    let [n_tokens, _] = rows.activations("write_rows", "rows")?;
    check_shape!("write_rows", rows, [n_tokens, width])?;
    check_places(
        "write_rows",
        places,
        [n_tokens, n_sequences, context_length],
    )
}

pub(super) fn check_attention(
    q: &Tensor,
    [keys, values]: [&Tensor; 2],
    places: &[Place],
    head_dim: usize,
) -> Result<()> {
    let [n_tokens, _] = q.activations("attention", "q")?;
    q.check_same_device("attention", "keys", keys)?;
    q.check_same_device("attention", "values", values)?;
    let [n_sequences, context_length, kv_width] = cache_sizes("attention", "keys", keys)?;
    check_shape!("attention", values, [n_sequences, context_length, kv_width])?;
    if values.dtype() != keys.dtype() {
        return Err(values.storage_type_error("attention", "values", "the type of the keys"));
    }
    q.check_heads("attention", "q", head_dim)?;
    keys.check_heads("attention", "keys", head_dim)?;
    // Query heads share key/value heads in equal groups.
    q.check_heads("attention", "q", kv_width)?;
    check_places("attention", places, [n_tokens, n_sequences, context_length])
}

/// The three sizes of a cache.
fn cache_sizes(operation: &'static str, name: &'static str, cache: &Tensor) -> Result<[usize; 3]> {
    if !matches!(cache.dtype(), DType::F32 | DType::F16) {
        return Err(cache.storage_type_error(operation, name, "f32 or f16"));
    }
    cache.sizes(operation, name, "[n_sequences, context_length, width]")
}

/// One place inside the cache for each row.
fn check_places(
    operation: &'static str,
    places: &[Place],
    [n_tokens, n_sequences, context_length]: [usize; 3],
) -> Result<()> {
    check_length(operation, "places", places.len(), n_tokens)?;
    for place in places {
        check_range(operation, "sequence", place.sequence, n_sequences)?;
        check_range(operation, "position", place.position, context_length)?;
    }
    Ok(())
}

/// The reference of [`Tensor::write_rows`].
pub(crate) fn write_rows(cache: &mut Tensor, rows: &Tensor, places: &[Place]) -> Result<()> {
    let (context_length, width) = (cache.shape()[1], cache.shape()[2]);
    let rows = values(rows)?;
    let cache = values_mut(cache, "write_rows", "cache")?;
    for (row, place) in rows.chunks_exact(width.max(1)).zip(places) {
        let start = (place.sequence * context_length + place.position) * width;
        cache[start..start + width].copy_from_slice(row);
    }
    Ok(())
}

/// The reference of [`Tensor::attention`].
pub(crate) fn attention(
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
            let kv_columns = g * head_dim..(g + 1) * head_dim;
            // The causal mask: a token sees itself and what stands before it, nothing later.
            let visible = s![place.sequence, ..=place.position, kv_columns];
            let scores = keys.slice(visible).dot(&queries.slice(q_columns));
            let scaled = scores.mapv(|score| score / (head_dim as f32).sqrt());
            let mut weights = scaled.to_vec();
            softmax_in_place(&mut weights);
            let context = aview1(&weights).dot(&values.slice(visible));
            outputs.slice_mut(q_columns).assign(&context);
        }
    }
    Ok(result(q, q.shape(), outputs.into_raw_vec_and_offset().0))
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use crate::ops::tensor;
    use crate::{Device, Place, Result, Tensor};

    /// A cache of `[n_sequences, context_length, width]`, full of `values`.
    fn cache(shape: [usize; 3], values: &[f32]) -> Result<Tensor> {
        let [n_sequences, context_length, width] = shape;
        let mut cache = Device::reference().cache(&shape)?;
        let sequences = (0..n_sequences).map(|sequence| Place::run(sequence, 0, context_length));
        let places: Vec<Place> = sequences.flatten().collect();
        cache.write_rows(&tensor(&[places.len(), width], values), &places)?;
        Ok(cache)
    }

    #[test]
    fn a_query_of_zeros_averages_its_own_sequence_up_to_itself() -> Result<()> {
        let keys = cache([2, 3, 1], &[1.0; 6])?;
        let values = cache([2, 3, 1], &[9.0, 9.0, 9.0, 1.0, 3.0, 8.0])?;
        let q = tensor(&[3, 1], &[0.0; 3]);
        let y = q.attention(&keys, &values, &Place::run(1, 0, 3), 1)?;
        assert_relative_eq!(y.to_vec()?[..], [1.0, 2.0, 4.0], max_relative = 1e-6);
        Ok(())
    }

    #[test]
    fn scores_are_divided_by_the_root_of_the_head_and_become_probabilities() -> Result<()> {
        // q · k is 2 ln 3 and 0; divided by √4 the softmax of ln 3 and 0 is 3/4 and 1/4.
        let keys = cache([1, 2, 4], &[2.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0])?;
        let values = cache([1, 2, 4], &[4.0, 8.0, 0.0, 4.0, 0.0, 0.0, 4.0, 8.0])?;
        let q = tensor(&[1, 4], &[3f32.ln(), 0.0, 0.0, 0.0]);
        let y = q.attention(&keys, &values, &Place::run(0, 1, 1), 4)?;
        assert_relative_eq!(y.to_vec()?[..], [3.0, 6.0, 1.0, 5.0], max_relative = 1e-6);
        Ok(())
    }

    #[test]
    fn query_heads_share_key_value_heads_in_equal_groups() -> Result<()> {
        let (keys, values) = (cache([1, 1, 2], &[0.0; 2])?, cache([1, 1, 2], &[5.0, 7.0])?);
        let y = tensor(&[1, 4], &[1.0; 4]).attention(&keys, &values, &Place::run(0, 0, 1), 1)?;
        assert_eq!(y.to_vec()?, [5.0, 5.0, 7.0, 7.0]);
        Ok(())
    }

    #[test]
    fn a_row_is_written_where_its_place_says_and_nowhere_else() -> Result<()> {
        let mut cache = cache([2, 3, 1], &[0.0; 6])?;
        cache.write_rows(&tensor(&[2, 1], &[5.0, 6.0]), &Place::run(1, 1, 2))?;
        assert_eq!(cache.to_vec()?, [0.0, 0.0, 0.0, 0.0, 5.0, 6.0]);
        let error = cache.write_rows(&tensor(&[1, 1], &[1.0]), &Place::run(1, 3, 1));
        let expected = "write_rows: position 3 is out of range, there are 3";
        assert_eq!(error.unwrap_err().to_string(), expected);
        let error = cache.write_rows(&tensor(&[1, 1], &[1.0]), &Place::run(2, 0, 1));
        let expected = "write_rows: sequence 2 is out of range, there are 2";
        assert_eq!(error.unwrap_err().to_string(), expected);
        Ok(())
    }
}
