//! Cosines and sines of every position, computed once.

use crate::device::Device;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::tensor::Tensor;

/// The two tables that rotary position embedding reads: `cos(p · ω_i)` and `sin(p · ω_i)`.
///
/// # Shapes
///
/// - `cos`, `sin`: `[context_length, head_dim / 2]`
///
/// Source: Su et al. 2021, RoFormer, <https://arxiv.org/abs/2104.09864>, eq. 34.
#[derive(Debug, Clone)]
pub struct RopeTable {
    cos: Tensor,
    sin: Tensor,
}

impl RopeTable {
    /// Fills the tables from the angular frequencies `ω_i`, in radians a token.
    ///
    /// Angles are computed in f64 and the results rounded to f32: at position 2,000 an f32 angle
    /// would already be off by 1e-4.
    ///
    /// # Errors
    ///
    /// If there is no frequency or no position, or the device is out of memory.
    pub fn new(device: &Device, frequencies: &[f64], context_length: usize) -> Result<Self> {
        let shape = [context_length, frequencies.len()];
        if shape.contains(&0) {
            return Err(Error::Shape {
                operation: "rope table",
                name: "frequencies",
                found: shape.to_vec(),
                expected: "at least one position and one frequency".to_owned(),
            });
        }
        Ok(Self {
            cos: table(device, f64::cos, frequencies, context_length)?,
            sin: table(device, f64::sin, frequencies, context_length)?,
        })
    }

    /// The cosines, `[context_length, head_dim / 2]`.
    #[must_use]
    pub fn cos(&self) -> &Tensor {
        &self.cos
    }

    /// The sines, `[context_length, head_dim / 2]`.
    #[must_use]
    pub fn sin(&self) -> &Tensor {
        &self.sin
    }

    /// How many positions the tables hold.
    #[must_use]
    pub fn context_length(&self) -> usize {
        self.cos.shape()[0]
    }

    /// How many numbers one head has: two for each frequency.
    #[must_use]
    pub fn head_dim(&self) -> usize {
        2 * self.cos.shape()[1]
    }
}

/// `f` of every angle, `[context_length, frequencies.len()]`.
fn table(
    device: &Device,
    f: fn(f64) -> f64,
    frequencies: &[f64],
    context_length: usize,
) -> Result<Tensor> {
    let shape = [context_length, frequencies.len()];
    let n_bytes = DType::F32.n_bytes(&shape)?;
    let mut bytes = Vec::new();
    // Asked for first: a short file may claim a long context, and too much is to be an error, not an abort.
    bytes
        .try_reserve_exact(n_bytes)
        .map_err(|_| Error::Device {
            device: device.backend().name().to_owned(),
            message: format!(
                "no memory for a RoPE table of {shape:?} f32 values ({n_bytes} bytes): the context \
                 of {context_length} tokens is too long for this machine"
            ),
        })?;
    for position in 0..context_length {
        let row = frequencies.iter().map(|w| f(position as f64 * w) as f32);
        bytes.extend(row.flat_map(f32::to_le_bytes));
    }
    device.upload(&shape, DType::F32, bytes.into())
}
