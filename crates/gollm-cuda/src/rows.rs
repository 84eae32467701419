//! Rows by their numbers, and numbers from rows: ids into a device, and ids out of it.

use gollm_tensor::{DType, Result, Tensor};

use crate::cuda::{BLOCK, Cuda};
use crate::kernel::Kernel;
use crate::memory::{Numbers, argument, held_alone, matrix_shape};
use crate::runtime::Argument;

impl Cuda {
    /// `out[t] = table[ids[t]]`, in f32.
    pub(crate) fn look_up(&self, table: &Tensor, ids: &[u32]) -> Result<Tensor> {
        let (n_rows, width) = matrix_shape(table);
        if table.dtype() == DType::F32 && ids.iter().copied().eq(0..self.count(n_rows)?) {
            return Ok(table.clone()); // all rows of activations, in order: the last row of a single one
        }
        let out = self.new_result(table, &[ids.len(), width])?;
        if ids.is_empty() {
            return Ok(out);
        }
        let on_device = self.pool.take(size_of_val(ids))?;
        let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
        self.queue()?.write(on_device.address(), &bytes)?;
        let arguments = [
            argument(table)?,
            Numbers(on_device).argument(),
            argument(&out)?,
            self.size(n_rows)?,
            self.size(width)?,
        ];
        self.launch_rows(Kernel::embed(table.dtype()), ids.len(), &arguments)?;
        Ok(out)
    }

    /// `a + bias`, which every row gets.
    pub(crate) fn add_bias(&self, a: &Tensor, bias: &Tensor) -> Result<Tensor> {
        let out = self.new_result(a, a.shape())?;
        let width = self.size(matrix_shape(a).1)?;
        let arguments = [argument(a)?, argument(bias)?, argument(&out)?, width];
        self.launch_each(Kernel::AddBias, a.n_elements(), &arguments)?;
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
        held_alone(sum, "self")?;
        if to.is_empty() {
            return Ok(());
        }
        // Numbers of rows, then scales, in one transfer.
        let n_bytes = size_of_val(to);
        let on_device = self.pool.take(n_bytes + size_of_val(scales))?;
        let bytes = [
            bytemuck::cast_slice(to),
            bytemuck::cast_slice::<f32, u8>(scales),
        ]
        .concat();
        self.queue()?.write(on_device.address(), &bytes)?;
        let arguments = [
            argument(rows)?,
            Argument::Address(on_device.address()),
            Argument::Address(on_device.address() + n_bytes as u64),
            argument(sum)?,
            self.size(matrix_shape(rows).1)?,
        ];
        self.launch_rows(Kernel::AddRows, to.len(), &arguments)
    }

    /// The column of the largest number of each row.
    pub(crate) fn largest_columns(&self, x: &Tensor) -> Result<Vec<u32>> {
        let (n_rows, n_columns) = matrix_shape(x);
        let mut columns = vec![0u32; n_rows];
        if n_rows == 0 {
            return Ok(columns);
        }
        let out = Numbers(self.pool.take(size_of_val(columns.as_slice()))?);
        let n = self.size(n_columns)?;
        let rows = self.count(n_rows)?;
        // As many threads as a block has: a vocabulary is long.
        let block = if n_columns > 4096 { 1024 } else { BLOCK };
        let arguments = [argument(x)?, out.argument(), n];
        self.launch(Kernel::Argmax, [rows, 1, 1], block, 0, &arguments)?;
        let bytes = bytemuck::cast_slice_mut(&mut columns);
        self.queue()?.read(out.0.address(), bytes)?;
        Ok(columns)
    }
}
