//! A tensor in device memory: its rows, and the windows that kernels see them through.
//!
//! A kernel can be shown only so many bytes of a buffer at once (128 MiB on some adapters, just under
//! 2 GiB on others). So a tensor is a list of *windows*: a buffer each, with whole rows in it. An operation
//! runs once for each window, or for each pair of them.

use std::ops::Range;

use gollm_tensor::{DType, Error, Result, Storage, Tensor, n_elements};

use crate::buffers::Lease;
use crate::wgpu_backend::Inner;

/// Device memory of one tensor.
#[derive(Debug)]
pub(crate) struct Memory {
    /// Numbers in a row: the last dimension.
    pub(crate) columns: usize,
    /// Words from one row to the next. A row begins at a word of its own, so rows whose bytes are no
    /// whole number of words are padded.
    pub(crate) row_words: usize,
    /// In order; together they are all rows.
    pub(crate) windows: Vec<Window>,
}

/// Some rows of a tensor in a buffer of their own.
#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) rows: Range<usize>,
    pub(crate) lease: Lease,
}

impl Memory {
    /// Whether both are cut at the same rows.
    pub(crate) fn same_rows(&self, other: &Self) -> bool {
        let rows = |memory: &Self| {
            memory
                .windows
                .iter()
                .map(|w| w.rows.clone())
                .collect::<Vec<_>>()
        };
        rows(self) == rows(other)
    }
}

impl Window {
    pub(crate) fn buffer(&self) -> &wgpu::Buffer {
        self.lease.buffer()
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.rows.len()
    }
}

impl Inner {
    /// Memory for a result of an operation, `[n_rows, columns]` in f32, not initialized.
    pub(crate) fn result(&self, n_rows: usize, columns: usize) -> Result<Memory> {
        self.memory(&[n_rows, columns], DType::F32, |n_bytes| {
            self.buffers.take(&self.gpu, n_bytes)
        })
    }

    /// Memory for a result of the same shape as `x`, in the same windows, not initialized.
    pub(crate) fn like(&self, x: &Memory) -> Result<Memory> {
        let windows = x.windows.iter().map(|window| {
            let n_bytes = (window.n_rows() * x.columns * 4) as u64;
            Ok(Window {
                rows: window.rows.clone(),
                lease: self.buffers.take(&self.gpu, n_bytes)?,
            })
        });
        Ok(Memory {
            columns: x.columns,
            row_words: x.columns,
            windows: windows.collect::<Result<_>>()?,
        })
    }

    /// Checks that two tensors of one shape are cut at the same rows. They are, unless one of them had
    /// another shape when it was made.
    pub(crate) fn same_windows(&self, a: &Memory, b: &Memory) -> Result<()> {
        if a.same_rows(b) {
            return Ok(());
        }
        Err(self.gpu.error(
            "two tensors of one shape are cut at different rows, since one of them was reshaped; copy it"
                .to_owned(),
        ))
    }

    /// The buffer of a small tensor that no kernel sees in parts; `None` if it is empty.
    pub(crate) fn whole<'a>(&self, tensor: &'a Tensor) -> Result<Option<&'a wgpu::Buffer>> {
        match &*memory(tensor)?.windows {
            [] => Ok(None),
            [window] => Ok(Some(window.buffer())),
            _ => Err(self.gpu.error(format!(
                "a vector or table of shape {:?} takes more than the {} bytes that this adapter binds",
                tensor.shape(),
                self.gpu.max_window
            ))),
        }
    }

    /// Memory of zeros for something that stays.
    pub(crate) fn zeroed(&self, shape: &[usize], dtype: DType) -> Result<Memory> {
        self.memory(shape, dtype, |n_bytes| {
            self.buffers.keep(&self.gpu, n_bytes)
        })
    }

    fn memory(
        &self,
        shape: &[usize],
        dtype: DType,
        make: impl Fn(u64) -> Result<Lease>,
    ) -> Result<Memory> {
        let columns = shape.last().copied().unwrap_or(1);
        let row_words = dtype.n_bytes(&[columns])?.div_ceil(4);
        let n_rows = n_elements(shape)?.checked_div(columns).unwrap_or(0);
        // A cache is cut between sequences only.
        let grain = match shape {
            [_, middle, _] => *middle,
            _ => 1,
        };
        let ranges = window_rows(n_rows, row_words * 4, grain, self.gpu.max_window);
        let ranges = ranges.ok_or_else(|| {
            let bytes = grain.saturating_mul(row_words).saturating_mul(4);
            let limit = self.gpu.max_window;
            self.gpu.error(format!(
                "a part of a tensor of shape {shape:?} that cannot be cut takes {bytes} bytes, and \
                 this adapter binds {limit} at most; use a shorter context"
            ))
        })?;
        let windows = ranges.into_iter().map(|rows| {
            let lease = make((rows.len() * row_words * 4) as u64)?;
            Ok(Window { rows, lease })
        });
        Ok(Memory {
            columns,
            row_words,
            windows: windows.collect::<Result<_>>()?,
        })
    }
}

/// Cuts `n_rows` rows of `row_bytes` bytes into ranges of at most `limit` bytes, at multiples of `grain`
/// rows; `None` if a grain is too large.
pub(crate) fn window_rows(
    n_rows: usize,
    row_bytes: usize,
    grain: usize,
    limit: u64,
) -> Option<Vec<Range<usize>>> {
    if n_rows == 0 || row_bytes == 0 {
        return Some(Vec::new());
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let grains = limit / row_bytes.checked_mul(grain)?.max(1);
    if grains == 0 {
        return None;
    }
    let most = grains.saturating_mul(grain);
    let starts = (0..n_rows).step_by(most);
    Some(
        starts
            .map(|start| start..(start + most).min(n_rows))
            .collect(),
    )
}

/// The windows of a tensor, read with the shape that it has now.
pub(crate) fn memory(tensor: &Tensor) -> Result<&Memory> {
    let foreign = || tensor.device().backend().foreign_storage();
    let memory: &Memory = tensor.storage().get().ok_or_else(foreign)?;
    if memory.columns == columns(tensor) {
        return Ok(memory);
    }
    Err(Error::Device {
        device: tensor.device().backend().name().to_owned(),
        message: format!(
            "a tensor whose rows had {} numbers was reshaped to {:?}; this backend computes on the rows \
             that it was made with",
            memory.columns,
            tensor.shape()
        ),
    })
}

/// A cache for writing, whose memory nobody else may hold.
pub(crate) fn memory_mut<'a>(cache: &'a mut Tensor, name: &'static str) -> Result<&'a Memory> {
    memory(cache)?;
    match cache.storage_mut().get_mut() {
        Some(memory) => Ok(memory),
        None => Err(Error::Shared {
            operation: "write_rows",
            name,
        }),
    }
}

/// Wraps the result of an operation.
pub(crate) fn tensor(like: &Tensor, shape: &[usize], memory: Memory) -> Tensor {
    like.new_like(shape, Storage::new(memory))
}

/// The last dimension.
pub(crate) fn columns(tensor: &Tensor) -> usize {
    tensor.shape().last().copied().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_hold_whole_grains_and_together_every_row() {
        let whole = window_rows(10, 100, 1, 1_000).unwrap();
        assert_eq!((whole.len(), &whole[0]), (1, &(0..10)));
        assert_eq!(
            window_rows(10, 100, 1, 399),
            Some(vec![0..3, 3..6, 6..9, 9..10])
        );
        assert_eq!(window_rows(12, 100, 4, 900), Some(vec![0..8, 8..12]));
        assert_eq!(window_rows(12, 100, 4, 399), None);
        assert_eq!(window_rows(0, 100, 1, 1_000), Some(vec![]));
        assert_eq!(window_rows(5, 0, 1, 1_000), Some(vec![]));
    }
}
