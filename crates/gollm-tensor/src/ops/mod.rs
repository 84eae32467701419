//! The operations of a transformer, in the book's words: a page for each.
//!
//! A page has the method of [`Tensor`](crate::Tensor) with its formula and shapes, the check of its
//! arguments, and the reference: the plain loop that says what the numbers mean. Other backends
//! compute the same, faster; [`Backend`](crate::Backend) is how the methods reach them.

pub(crate) mod add;
pub(crate) mod attention;
pub(crate) mod embed;
mod fused;
pub(crate) mod matmul;
pub(crate) mod rms_norm;
pub(crate) mod rope;
pub(crate) mod softmax;
pub(crate) mod swiglu;

/// An f32 tensor on the reference, for the tests of a page.
#[cfg(test)]
fn tensor(shape: &[usize], values: &[f32]) -> crate::Tensor {
    let made = crate::Device::reference().tensor(shape, values);
    made.expect("as many values as the shape holds")
}
