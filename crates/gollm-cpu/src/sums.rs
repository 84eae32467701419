//! Additions: of two activations, of a bias to every row, of scaled rows to some.

use gollm_tensor::{Result, Tensor};

use crate::buffers::Buffer;
use crate::cpu::Cpu;
use crate::kernels::elementwise::{Add, AddScaled};
use crate::memory::{matrix_shape, values, values_mut};
use crate::threads::Shared;

/// Numbers in a piece of an addition: enough to be worth handing out.
const PIECE: usize = 4096;

impl Cpu {
    /// `a + b`, where a vector `b` is added to every row.
    pub(crate) fn sum(&self, a: &Tensor, b: &Tensor) -> Result<Buffer> {
        let is_bias = b.shape().len() == 1;
        let (a, b) = (values(a)?, values(b)?);
        let mut out = self.take(a.len());
        if !is_bias {
            self.in_pieces(&mut out, PIECE, |range, out| {
                let (a, b) = (&a[range.clone()], &b[range]);
                self.run(Add { a, b, out });
            });
            return Ok(out);
        }
        let width = b.len().max(1);
        self.in_pieces(&mut out, width, |range, out| {
            let rows = a[range].chunks_exact(width);
            for (a, out) in rows.zip(out.chunks_exact_mut(width)) {
                self.run(Add { a, b, out });
            }
        });
        Ok(out)
    }

    /// `sum[to_t] += scales_t · rows_t`; no row is named twice.
    pub(crate) fn add_to_rows(
        &self,
        sum: &mut Tensor,
        rows: &Tensor,
        to: &[u32],
        scales: &[f32],
    ) -> Result<()> {
        let width = matrix_shape(rows).1;
        let rows = values(rows)?;
        let out = Shared::new(values_mut(sum, "add_rows", "self")?);
        self.for_each(to.len(), width, |range| {
            for row in range {
                // SAFETY: the rows named by `to` are inside (`Tensor::add_rows` checks them), and
                // differ, so no two threads write the same one.
                let out = unsafe { out.part(to[row] as usize * width, width) };
                self.run(AddScaled {
                    x: &rows[row * width..(row + 1) * width],
                    scale: scales[row],
                    out,
                });
            }
        });
        Ok(())
    }
}
