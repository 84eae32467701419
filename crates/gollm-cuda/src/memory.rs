//! The backend's memory, and how its files see a tensor.

use gollm_tensor::{DType, Error, Result, Storage, Tensor};

use crate::pool::Buffer;
use crate::runtime::Argument;

/// The memory of one tensor on the device.
pub(crate) struct Numbers(pub(crate) Buffer);

impl Numbers {
    /// Where it begins, as an argument of a kernel.
    pub(crate) fn argument(&self) -> Argument {
        Argument::Address(self.0.address())
    }
}

/// The memory of a tensor of this backend.
pub(crate) fn numbers(tensor: &Tensor) -> Result<&Numbers> {
    let foreign = || tensor.device().backend().foreign_storage();
    tensor.storage().get().ok_or_else(foreign)
}

/// A tensor's address as an argument of a kernel.
pub(crate) fn argument(tensor: &Tensor) -> Result<Argument> {
    Ok(numbers(tensor)?.argument())
}

/// Wraps the result of an operation.
pub(crate) fn result(like: &Tensor, shape: &[usize], buffer: Buffer) -> Tensor {
    like.new_like(shape, Storage::new(Numbers(buffer)))
}

/// The two sizes of a matrix whose shape the `Tensor` method has checked.
pub(crate) fn matrix_shape(tensor: &Tensor) -> (usize, usize) {
    let columns = tensor.shape().last().copied().unwrap_or(1);
    (tensor.n_elements() / columns.max(1), columns)
}

/// Whether a type is stored in blocks, which [`crate::blocks`] takes apart.
pub(crate) fn is_blocked(dtype: DType) -> bool {
    dtype.block_len() > 1
}

/// Checks that nobody else holds a cache, or a sum, that is to be written.
pub(crate) fn held_alone(cache: &mut Tensor, name: &'static str) -> Result<()> {
    numbers(cache)?;
    match cache.storage_mut().get_mut::<Numbers>() {
        Some(_) => Ok(()),
        None => Err(Error::Shared {
            operation: "write_rows",
            name,
        }),
    }
}
