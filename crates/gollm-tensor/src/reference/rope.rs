//! Rotary position embedding: turn each pair of a head's numbers by an angle that grows with the
//! position.
//!
//! Notes: `notes/ch04-model.md`. Source: Su et al. 2021, <https://arxiv.org/abs/2104.09864>, eq. 34.

use super::memory::{matrix, result, values};
use crate::error::Result;
use crate::place::Place;
use crate::rope_table::RopeTable;
use crate::tensor::Tensor;

/// Rotates the pairs `(i, i + head_dim / 2)` of every head.
pub(super) fn rope(x: &Tensor, table: &RopeTable, places: &[Place]) -> Result<Tensor> {
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
