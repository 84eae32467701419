//! Checks that several operations share: shapes, storage types, devices, indices.
//!
//! What one operation needs of its arguments is written on its page in `ops/`.

use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::tensor::Tensor;

/// An operation as the method is called, or an argument as the method's documentation names it.
type Name = &'static str;

impl Tensor {
    /// The two sizes of a matrix.
    pub(crate) fn matrix(&self, operation: Name, name: Name) -> Result<[usize; 2]> {
        self.sizes(operation, name, "[rows, columns]")
    }

    /// The two sizes of an f32 matrix.
    pub(crate) fn activations(&self, operation: Name, name: Name) -> Result<[usize; 2]> {
        self.check_f32(operation, name)?;
        self.matrix(operation, name)
    }

    /// The sizes of a tensor of `N` dimensions.
    pub(crate) fn sizes<const N: usize>(
        &self,
        operation: Name,
        name: Name,
        expected: &str,
    ) -> Result<[usize; N]> {
        <[usize; N]>::try_from(self.shape())
            .map_err(|_| self.shape_error(operation, name, expected.to_owned()))
    }

    /// Rows must be a whole number of heads.
    pub(crate) fn check_heads(&self, operation: Name, name: Name, head_dim: usize) -> Result<()> {
        let width = self.shape().last().copied().unwrap_or(0);
        if head_dim > 0 && width > 0 && width.is_multiple_of(head_dim) {
            return Ok(());
        }
        let expected = format!("rows that are a whole multiple of {head_dim} numbers");
        Err(self.shape_error(operation, name, expected))
    }

    /// `other` must be a matrix as this f32 matrix is.
    pub(crate) fn check_same_shape(
        &self,
        operation: Name,
        [this, that]: [Name; 2],
        other: &Self,
    ) -> Result<()> {
        self.activations(operation, this)?;
        self.check_same_device(operation, that, other)?;
        other.check_f32(operation, that)?;
        if other.shape() == self.shape() {
            return Ok(());
        }
        let expected = format!("{:?}, the shape of `{this}`", self.shape());
        Err(other.shape_error(operation, that, expected))
    }

    pub(crate) fn check_f32(&self, operation: Name, name: Name) -> Result<()> {
        if self.dtype() == DType::F32 {
            return Ok(());
        }
        Err(self.storage_type_error(operation, name, "f32"))
    }

    /// `other` must live where this tensor does.
    pub(crate) fn check_same_device(
        &self,
        operation: Name,
        name: Name,
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

    pub(crate) fn shape_error(&self, operation: Name, name: Name, expected: String) -> Error {
        Error::Shape {
            operation,
            name,
            found: self.shape().to_vec(),
            expected,
        }
    }

    pub(crate) fn storage_type_error(&self, operation: Name, name: Name, expected: Name) -> Error {
        Error::StorageType {
            operation,
            name,
            found: self.dtype(),
            expected,
        }
    }
}

/// An index must be below `limit`.
pub(crate) fn check_range(operation: Name, name: Name, found: usize, limit: usize) -> Result<()> {
    if found < limit {
        return Ok(());
    }
    Err(Error::OutOfRange {
        operation,
        name,
        found,
        limit,
    })
}

/// Two lists that go together must be equally long.
pub(crate) fn check_length(
    operation: Name,
    name: Name,
    found: usize,
    expected: usize,
) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::Length {
        operation,
        name,
        found,
        expected,
    })
}
