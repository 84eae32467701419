//! SwiGLU: the gated activation of the feed-forward.
//!
//! Notes: `notes/ch04-model.md`. Source: Shazeer 2020, <https://arxiv.org/abs/2002.05202>, eq. 5.

use crate::error::Result;
use crate::reference::memory::{result, values};
use crate::tensor::Tensor;

impl Tensor {
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
        self.check_same_shape("swiglu", ["gate", "up"], up)?;
        self.device().backend().swiglu(self, up)
    }
}

/// The reference of [`Tensor::swiglu`].
pub(crate) fn swiglu(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    let silu = |v: f32| v / (1.0 + (-v).exp());
    let pairs = values(gate)?.iter().zip(values(up)?);
    let outputs = pairs.map(|(g, u)| silu(*g) * u).collect();
    Ok(result(gate, gate.shape(), outputs))
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use crate::Result;
    use crate::ops::tensor;

    #[test]
    fn the_gate_opens_by_the_logistic_function_of_itself() -> Result<()> {
        // e^-ln 3 = 1/3, so silu(ln 3) = ln 3 · 3/4 and silu(-ln 3) = -ln 3 · 1/4.
        let ln_3 = 3f32.ln();
        let gate = tensor(&[1, 3], &[ln_3, -ln_3, 0.0]);
        let y = gate.swiglu(&tensor(&[1, 3], &[2.0, 2.0, 5.0]))?.to_vec()?;
        assert_relative_eq!(y[..], [1.5 * ln_3, -0.5 * ln_3, 0.0], max_relative = 1e-6);
        Ok(())
    }

    #[test]
    fn a_gate_far_below_zero_is_shut_and_one_far_above_passes() -> Result<()> {
        let gate = tensor(&[1, 2], &[-200.0, 200.0]);
        let y = gate.swiglu(&tensor(&[1, 2], &[3.0, 3.0]))?;
        assert_eq!(y.to_vec()?, [0.0, 600.0]);
        Ok(())
    }

    #[test]
    fn a_gate_and_an_up_of_two_shapes_are_an_error() {
        let gate = tensor(&[1, 2], &[0.0; 2]);
        let error = gate.swiglu(&tensor(&[2, 1], &[0.0; 2])).unwrap_err();
        let expected = "swiglu: `up` has shape [2, 1], expected [1, 2], the shape of `gate`";
        assert_eq!(error.to_string(), expected);
    }
}
