//! What each operation asks of its arguments: shapes, storage types, devices, places.
//!
//! Stated once here, so that a plain operation and the fused forms that contain it cannot differ.

use crate::check_shape;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::place::Place;
use crate::rope_table::RopeTable;
use crate::tensor::Tensor;

impl Tensor {
    pub(crate) fn check_rms_norm(&self, weight: &Self) -> Result<()> {
        let [_, emb_dim] = self.activations("rms_norm", "x")?;
        self.beside("rms_norm", "weight", weight)?;
        check_shape!("rms_norm", weight, [emb_dim])?;
        weight.stored_as_f32("rms_norm", "weight")
    }

    /// As [`check_rms_norm`](Self::check_rms_norm), for rows of several heads as well.
    pub(crate) fn check_rms_norm_of_heads(&self, weight: &Self) -> Result<()> {
        let [_, width] = self.activations("rms_norm", "x")?;
        match weight.shape() {
            [head_dim] if *head_dim != width => {
                self.beside("rms_norm", "weight", weight)?;
                weight.stored_as_f32("rms_norm", "weight")?;
                check_heads("rms_norm", "x", self, width, *head_dim)
            }
            _ => self.check_rms_norm(weight),
        }
    }

    pub(crate) fn check_matmul(&self, weight: &Self) -> Result<()> {
        let [_, n_in] = self.activations("matmul", "x")?;
        self.beside("matmul", "weight", weight)?;
        let [n_out, _] = weight.matrix("matmul", "weight")?;
        check_shape!("matmul", weight, [n_out, n_in])
    }

    pub(crate) fn check_feed_forward(&self, norm: &Self, weights: [&Self; 3]) -> Result<()> {
        let [gate, up, down] = weights;
        let [n_tokens, emb_dim] = self.activations("feed_forward", "x")?;
        let [hidden_dim, _] = gate.matrix("feed_forward", "gate")?;
        let [n_out, _] = down.matrix("feed_forward", "down")?;
        self.check_rms_norm(norm)?;
        for (name, weight) in ["gate", "up", "down"].into_iter().zip(weights) {
            self.beside("feed_forward", name, weight)?;
        }
        check_shape!("feed_forward", gate, [hidden_dim, emb_dim])?;
        check_shape!("feed_forward", up, [hidden_dim, emb_dim])?;
        check_shape!("feed_forward", down, [n_out, hidden_dim])?;
        // The hidden activations exist only inside the operation; their size must still be sane.
        DType::F32.n_bytes(&[n_tokens, hidden_dim]).map(|_| ())
    }

    pub(crate) fn check_rope(&self, table: &RopeTable, places: &[Place]) -> Result<()> {
        let [n_tokens, width] = self.activations("rope", "x")?;
        self.beside("rope", "table", table.cos())?;
        check_heads("rope", "x", self, width, table.head_dim())?;
        check_length("rope", "places", places.len(), n_tokens)?;
        let positions = places.iter().map(|place| place.position);
        positions
            .into_iter()
            .try_for_each(|p| check_range("rope", "position", p, table.context_length()))
    }

    pub(crate) fn check_write_rows(&self, rows: &Self, places: &[Place]) -> Result<()> {
        let [n_sequences, context_length, width] = self.cache("write_rows", "cache")?;
        self.beside("write_rows", "rows", rows)?;
        let [n_tokens, _] = rows.activations("write_rows", "rows")?;
        check_shape!("write_rows", rows, [n_tokens, width])?;
        check_places(
            "write_rows",
            places,
            [n_tokens, n_sequences, context_length],
        )
    }

    pub(crate) fn check_attention(
        &self,
        keys: &Self,
        values: &Self,
        places: &[Place],
        head_dim: usize,
    ) -> Result<()> {
        let [n_tokens, q_width] = self.activations("attention", "q")?;
        self.beside("attention", "keys", keys)?;
        self.beside("attention", "values", values)?;
        let [n_sequences, context_length, kv_width] = keys.cache("attention", "keys")?;
        check_shape!("attention", values, [n_sequences, context_length, kv_width])?;
        if values.dtype() != keys.dtype() {
            return Err(Error::StorageType {
                operation: "attention",
                name: "values",
                found: values.dtype(),
                expected: "the type of the keys",
            });
        }
        check_heads("attention", "q", self, q_width, head_dim)?;
        check_heads("attention", "keys", keys, kv_width, head_dim)?;
        // Query heads share key/value heads in equal groups.
        check_heads("attention", "q", self, q_width, kv_width)?;
        check_places("attention", places, [n_tokens, n_sequences, context_length])
    }

    /// Checks that two f32 matrices on one device have the same shape.
    pub(crate) fn check_same(
        &self,
        operation: &'static str,
        [this, that]: [&'static str; 2],
        other: &Self,
    ) -> Result<()> {
        let [n_rows, n_columns] = self.activations(operation, this)?;
        self.beside(operation, that, other)?;
        other.stored_as_f32(operation, that)?;
        if other.shape() == [n_rows, n_columns] {
            return Ok(());
        }
        Err(Error::Shape {
            operation,
            name: that,
            found: other.shape().to_vec(),
            expected: format!("{:?}, the shape of `{this}`", self.shape()),
        })
    }

    /// The two sizes of a matrix.
    pub(crate) fn matrix(&self, operation: &'static str, name: &'static str) -> Result<[usize; 2]> {
        self.sizes(operation, name, "[rows, columns]")
    }

    /// The two sizes of an f32 matrix.
    pub(crate) fn activations(
        &self,
        operation: &'static str,
        name: &'static str,
    ) -> Result<[usize; 2]> {
        self.stored_as_f32(operation, name)?;
        self.matrix(operation, name)
    }

    /// The three sizes of a cache.
    fn cache(&self, operation: &'static str, name: &'static str) -> Result<[usize; 3]> {
        if !matches!(self.dtype(), DType::F32 | DType::F16) {
            return Err(Error::StorageType {
                operation,
                name,
                found: self.dtype(),
                expected: "f32 or f16",
            });
        }
        self.sizes(operation, name, "[n_sequences, context_length, width]")
    }

    fn sizes<const N: usize>(
        &self,
        operation: &'static str,
        name: &'static str,
        expected: &str,
    ) -> Result<[usize; N]> {
        <[usize; N]>::try_from(self.shape()).map_err(|_| Error::Shape {
            operation,
            name,
            found: self.shape().to_vec(),
            expected: expected.to_owned(),
        })
    }

    pub(crate) fn stored_as_f32(&self, operation: &'static str, name: &'static str) -> Result<()> {
        if self.dtype() == DType::F32 {
            return Ok(());
        }
        Err(Error::StorageType {
            operation,
            name,
            found: self.dtype(),
            expected: "f32",
        })
    }

    /// Checks that `other` lives where `self` does.
    pub(crate) fn beside(
        &self,
        operation: &'static str,
        name: &'static str,
        other: &Self,
    ) -> Result<()> {
        if self.device().same(other.device()) {
            return Ok(());
        }
        Err(Error::DeviceMismatch {
            operation,
            name,
            found: other.device().backend().name().to_owned(),
            expected: self.device().backend().name().to_owned(),
        })
    }
}

pub(crate) fn check_range(
    operation: &'static str,
    name: &'static str,
    found: usize,
    limit: usize,
) -> Result<()> {
    if found < limit {
        Ok(())
    } else {
        Err(Error::OutOfRange {
            operation,
            name,
            found,
            limit,
        })
    }
}

pub(crate) fn check_length(
    operation: &'static str,
    name: &'static str,
    found: usize,
    expected: usize,
) -> Result<()> {
    if found == expected {
        Ok(())
    } else {
        Err(Error::Length {
            operation,
            name,
            found,
            expected,
        })
    }
}

/// A row of `width` numbers must be a whole number of heads.
fn check_heads(
    operation: &'static str,
    name: &'static str,
    tensor: &Tensor,
    width: usize,
    head_dim: usize,
) -> Result<()> {
    if head_dim > 0 && width > 0 && width.is_multiple_of(head_dim) {
        return Ok(());
    }
    Err(Error::Shape {
        operation,
        name,
        found: tensor.shape().to_vec(),
        expected: format!("rows that are a whole multiple of {head_dim} numbers"),
    })
}

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
