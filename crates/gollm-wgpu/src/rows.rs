//! Operations that look at one number or one row at a time.

use gollm_tensor::{DType, Result, Tensor};

use crate::kernels::Kernel;
use crate::memory::{Memory, columns, memory};
use crate::recorder::Bound::{self, Buffer, List};
use crate::recorder::Launch;
use crate::wgpu_backend::Inner;

/// Invocations of a workgroup that does one number each.
pub(crate) const LANES: usize = 256;

impl Inner {
    /// `y_t = table[ids_t]`.
    pub(crate) fn embedded(&self, table: &Memory, dtype: DType, ids: &[u32]) -> Result<Memory> {
        let y = self.result(ids.len(), table.columns)?;
        for (to, from) in pairs(&y, table) {
            let rows = from.rows.start as u32..from.rows.end as u32;
            if !ids[to.rows.clone()].iter().any(|id| rows.contains(id)) {
                continue;
            }
            let n_numbers = to.n_rows() * table.columns;
            let params = [
                n_numbers,
                table.columns,
                table.row_words,
                from.rows.start,
                from.n_rows(),
            ];
            self.launch(
                Kernel::Embed(dtype),
                &Launch {
                    params: &params.map(|n| n as u32),
                    buffers: &[
                        Buffer(from.buffer()),
                        List(&ids[to.rows.clone()]),
                        Buffer(to.buffer()),
                    ],
                    n_groups: n_numbers.div_ceil(LANES),
                    work: n_numbers as u64,
                },
            )?;
        }
        Ok(y)
    }

    pub(crate) fn normalized(&self, x: &Tensor, norm: &Tensor, eps: f32) -> Result<Memory> {
        let weight = self.whole(norm)?;
        // A row, or each head of it if the weight is that of a head.
        let width = columns(norm);
        let more = [width as u32, eps.to_bits()];
        match weight {
            Some(weight) => {
                self.by_row(Kernel::RmsNorm, memory(x)?, width, &[Buffer(weight)], &more)
            }
            // Rows of nothing.
            None => self.result(x.shape()[0], columns(x)),
        }
    }

    /// One workgroup for each `width` numbers of `x`, which are a row or a whole part of one. `more` are
    /// the parameters after the number of workgroups.
    pub(crate) fn by_row(
        &self,
        kernel: Kernel,
        x: &Memory,
        width: usize,
        others: &[Bound<'_>],
        more: &[u32],
    ) -> Result<Memory> {
        let y = self.like(x)?;
        for (from, to) in x.windows.iter().zip(&y.windows) {
            let n_groups = from.n_rows() * (x.columns / width.max(1));
            let mut params = vec![n_groups as u32];
            params.extend(more);
            let mut buffers = vec![Buffer(from.buffer())];
            buffers.extend_from_slice(others);
            buffers.push(Buffer(to.buffer()));
            self.launch(
                kernel,
                &Launch {
                    params: &params,
                    buffers: &buffers,
                    n_groups,
                    work: (from.n_rows() * x.columns) as u64,
                },
            )?;
        }
        Ok(y)
    }

    /// One invocation for each number of `a` and `b`, which have the same shape.
    pub(crate) fn by_number(&self, kernel: Kernel, a: &Memory, b: &Memory) -> Result<Memory> {
        let y = self.like(a)?;
        self.same_windows(a, b)?;
        for ((a, b), to) in a.windows.iter().zip(&b.windows).zip(&y.windows) {
            let n_numbers = to.n_rows() * y.columns;
            self.launch(
                kernel,
                &Launch {
                    params: &[n_numbers as u32],
                    buffers: &[Buffer(a.buffer()), Buffer(b.buffer()), Buffer(to.buffer())],
                    n_groups: n_numbers.div_ceil(LANES),
                    work: n_numbers as u64,
                },
            )?;
        }
        Ok(y)
    }

    /// The column of the largest number of each row.
    pub(crate) fn largest_columns(&self, x: &Memory) -> Result<Vec<u32>> {
        let mut columns = Vec::new();
        for window in &x.windows {
            let n_rows = window.n_rows();
            let found = self.buffers.take(&self.gpu, 4 * n_rows as u64)?;
            self.launch(
                Kernel::Argmax,
                &Launch {
                    params: &[n_rows as u32, x.columns as u32],
                    buffers: &[Buffer(window.buffer()), Buffer(found.buffer())],
                    n_groups: n_rows,
                    work: (n_rows * x.columns) as u64,
                },
            )?;
            self.read(found.buffer(), 4 * n_rows, |bytes| {
                let word = |b: &[u8]| u32::from_le_bytes([b[0], b[1], b[2], b[3]]);
                columns.extend(bytes.chunks_exact(4).map(word));
                Ok(())
            })?;
        }
        Ok(columns)
    }
}

/// Every window of `a` with every window of `b`.
pub(crate) fn pairs<'a>(
    a: &'a Memory,
    b: &'a Memory,
) -> impl Iterator<Item = (&'a crate::memory::Window, &'a crate::memory::Window)> {
    let with_b = |a| b.windows.iter().map(move |b| (a, b));
    a.windows.iter().flat_map(with_b)
}
