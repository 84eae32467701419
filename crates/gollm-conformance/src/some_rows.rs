//! Operations on every row, every head, and only some rows.

use gollm_tensor::Result;

use crate::cases::Suite;

impl Suite<'_> {
    /// A bias for every row, a norm for every head, and rows that come back to only some places.
    pub(crate) fn more_rows_and_fewer(&mut self) -> Result<()> {
        let bound = self.bounds.f32;
        for (n, heads, head_dim) in [(1, 1, 5), (1, 8, 128), (3, 3, 7), (17, 2, 64), (40, 5, 33)] {
            let width = heads * head_dim;
            let shape = [n, width];
            let x = self.numbers.values(n * width);
            let (bias, weight) = (self.numbers.values(width), self.numbers.values(head_dim));
            self.compare(format!("add a bias {shape:?}"), bound, |device| {
                let bias = device.tensor(&[width], &bias)?;
                Ok(vec![device.tensor(&shape, &x)?.add(&bias)?])
            })?;
            // The product that an addition follows may be one operation with it on a device.
            let square = self.numbers.values(width * width);
            self.compare(format!("matmul and a bias {shape:?}"), bound, |device| {
                let (bias, x) = (device.tensor(&[width], &bias)?, device.tensor(&shape, &x)?);
                let y = x.matmul(&device.tensor(&[width, width], &square)?)?;
                Ok(vec![y.add(&bias)?])
            })?;
            let case = format!("rms_norm {heads} heads of {head_dim}, {n} rows");
            self.compare(case, bound, |device| {
                let weight = device.tensor(&[head_dim], &weight)?;
                Ok(vec![device.tensor(&shape, &x)?.rms_norm(&weight, 1e-6)?])
            })?;
            // Every other row, the last one first.
            let to: Vec<usize> = (0..n).rev().step_by(2).collect();
            let (rows, scales) = (
                self.numbers.values(to.len() * width),
                self.numbers.values(n),
            );
            self.compare(format!("add_rows {shape:?}"), bound, |device| {
                let mut sum = device.zeros(&shape)?;
                let all: Vec<usize> = (0..n).collect();
                sum.add_rows(&device.tensor(&shape, &x)?, &all, &scales)?;
                let rows = device.tensor(&[to.len(), width], &rows)?;
                sum.add_rows(&rows, &to, &scales[..to.len()])?;
                Ok(vec![sum])
            })?;
        }
        Ok(())
    }
}
