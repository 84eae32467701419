//! Additions that are not number by number: of a bias to every row, of scaled rows to some.

use gollm_tensor::{DType, Result, Tensor};

use crate::kernels::Kernel;
use crate::memory::{Memory, memory_mut};
use crate::recorder::Bound::{Buffer, List};
use crate::recorder::Launch;
use crate::rows::{LANES, pairs};
use crate::wgpu_backend::Inner;

impl Inner {
    /// A result of zeros, to add rows to.
    pub(crate) fn cleared(&self, shape: &[usize]) -> Result<Memory> {
        let columns = shape.last().copied().unwrap_or(1);
        if shape.len() != 2 {
            return self.zeroed(shape, DType::F32);
        }
        let sum = self.result(shape[0], columns)?;
        for window in &sum.windows {
            self.recorder().clear(&self.gpu, window.buffer());
        }
        Ok(sum)
    }

    /// `a + bias`, which every row gets.
    pub(crate) fn with_bias(&self, a: &Memory, bias: &Tensor) -> Result<Memory> {
        let y = self.like(a)?;
        let Some(bias) = self.whole(bias)? else {
            return Ok(y);
        };
        for (from, to) in a.windows.iter().zip(&y.windows) {
            let n_numbers = from.n_rows() * a.columns;
            self.launch(
                Kernel::AddBias,
                &Launch {
                    params: &[n_numbers as u32, a.columns as u32],
                    buffers: &[Buffer(from.buffer()), Buffer(bias), Buffer(to.buffer())],
                    n_groups: n_numbers.div_ceil(LANES),
                    work: n_numbers as u64,
                },
            )?;
        }
        Ok(y)
    }

    /// `sum[to_t] += scales_t · rows_t`; no row is named twice.
    pub(crate) fn add_to_rows(
        &self,
        sum: &mut Tensor,
        rows: &Memory,
        to: &[u32],
        scales: &[f32],
    ) -> Result<()> {
        let sum = memory_mut(sum, "self")?;
        let scales: Vec<u32> = scales.iter().map(|scale| scale.to_bits()).collect();
        for (sum_window, from) in pairs(sum, rows) {
            let n_numbers = from.n_rows() * rows.columns;
            let params = [
                n_numbers,
                rows.columns,
                sum_window.rows.start,
                sum_window.n_rows(),
            ];
            self.launch(
                Kernel::AddRows,
                &Launch {
                    params: &params.map(|n| n as u32),
                    buffers: &[
                        Buffer(from.buffer()),
                        List(&to[from.rows.clone()]),
                        List(&scales[from.rows.clone()]),
                        Buffer(sum_window.buffer()),
                    ],
                    n_groups: n_numbers.div_ceil(LANES),
                    work: n_numbers as u64,
                },
            )?;
        }
        Ok(())
    }
}
