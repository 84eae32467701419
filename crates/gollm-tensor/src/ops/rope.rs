//! Rotary position embedding (RoPE): turn each pair of a head's numbers by an angle that grows with
//! the position.
//!
//! Notes: `notes/ch04-model.md`. Source: Su et al. 2021, <https://arxiv.org/abs/2104.09864>, eq. 34.

use crate::checks::{check_length, check_range};
use crate::error::Result;
use crate::place::Place;
use crate::reference::memory::{matrix, result, values};
use crate::rope_table::RopeTable;
use crate::tensor::Tensor;

impl Tensor {
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
        check(self, table, places)?;
        self.device().backend().rope(self, table, places)
    }
}

pub(super) fn check(x: &Tensor, table: &RopeTable, places: &[Place]) -> Result<()> {
    let [n_tokens, _] = x.activations("rope", "x")?;
    x.check_same_device("rope", "table", table.cos())?;
    x.check_heads("rope", "x", table.head_dim())?;
    check_length("rope", "places", places.len(), n_tokens)?;
    let limit = table.context_length();
    places
        .iter()
        .try_for_each(|place| check_range("rope", "position", place.position, limit))
}

/// The reference of [`Tensor::rope`].
pub(crate) fn rope(x: &Tensor, table: &RopeTable, places: &[Place]) -> Result<Tensor> {
    let (cos, sin) = (matrix(table.cos())?, matrix(table.sin())?);
    let (head_dim, width) = (table.head_dim(), x.shape()[1]);
    let mut outputs = values(x)?.to_vec();
    for (row, place) in outputs.chunks_exact_mut(width).zip(places) {
        for head in row.chunks_exact_mut(head_dim) {
            let (first, second) = head.split_at_mut(head_dim / 2);
            for (i, (a, b)) in first.iter_mut().zip(second).enumerate() {
                let (c, s) = (cos[[place.position, i]], sin[[place.position, i]]);
                (*a, *b) = (*a * c - *b * s, *b * c + *a * s);
            }
        }
    }
    Ok(result(x, x.shape(), outputs))
}

#[cfg(test)]
mod tests {
    use std::f64::consts::{FRAC_PI_2, FRAC_PI_4};

    use approx::assert_relative_eq;

    use crate::ops::tensor;
    use crate::{Device, Place, Result, RopeTable};

    /// Heads of four numbers: the first pair turns by 90 degrees a token, the second by 45.
    fn table() -> Result<RopeTable> {
        RopeTable::new(&Device::reference(), &[FRAC_PI_2, FRAC_PI_4], 5)
    }

    #[test]
    fn pairs_are_split_halves_and_each_turns_at_its_own_speed() -> Result<()> {
        let x = tensor(&[2, 4], &[1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 3.0, 4.0]);
        let y = x.rope(&table()?, &Place::run(0, 1, 2))?.to_vec()?;
        // Position 1: (1, 3) by 90 degrees is (-3, 1); (2, 4) by 45 is (-2, 6) / √2.
        // Position 2: (1, 3) by 180 degrees is (-1, -3); (2, 4) by 90 is (-4, 2).
        let root = 2f32.sqrt();
        let expected = [-3.0, -2.0 / root, 1.0, 6.0 / root, -1.0, -4.0, -3.0, 2.0];
        assert_relative_eq!(y[..], expected, epsilon = 1e-6); // cosines and sines are rounded
        Ok(())
    }

    #[test]
    fn position_zero_changes_nothing_and_every_head_turns_alike() -> Result<()> {
        let x = tensor(&[1, 8], &[1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(
            x.rope(&table()?, &Place::run(0, 0, 1))?.to_vec()?,
            x.to_vec()?
        );
        let y = x.rope(&table()?, &Place::run(7, 3, 1))?.to_vec()?;
        assert_eq!(y[..4], y[4..]);
        assert_ne!(y, x.to_vec()?);
        Ok(())
    }

    #[test]
    fn a_position_beyond_the_table_is_named() -> Result<()> {
        let x = tensor(&[1, 4], &[0.0; 4]);
        let error = x.rope(&table()?, &Place::run(0, 5, 1)).unwrap_err();
        let expected = "rope: position 5 is out of range, there are 5";
        assert_eq!(error.to_string(), expected);
        Ok(())
    }
}
