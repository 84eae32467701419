//! Numbers from the host to the device and back.

use std::borrow::Cow;
use std::sync::atomic::Ordering;
use std::sync::mpsc;

use gollm_tensor::{DType, HostBytes, Result, dequantize};
use wgpu::BufferUsages;

use crate::memory::Memory;
use crate::wgpu_backend::Inner;

/// Bytes that results are read through and that are kept for the next: the logits of many rows.
const STAGING_KEPT: u64 = 16 << 20;

/// Bytes that are handed to the queue before they are sent.
const UPLOAD_PIECE: usize = 64 << 20;

impl Inner {
    /// Takes stored bytes into device memory, padding rows to whole words.
    pub(crate) fn upload(
        &self,
        shape: &[usize],
        dtype: DType,
        bytes: &HostBytes,
    ) -> Result<Memory> {
        let memory = self.zeroed(shape, dtype)?;
        let row_bytes = dtype.n_bytes(&[memory.columns])?;
        let padded = memory.row_words * 4;
        for window in &memory.windows {
            let from = window.rows.start * row_bytes..window.rows.end * row_bytes;
            let rows = bytes.as_slice().get(from).unwrap_or_default();
            // Whole rows at a time, since each is padded by itself.
            let n_rows = (UPLOAD_PIECE / padded).max(1);
            for (i, rows) in rows.chunks(n_rows * row_bytes).enumerate() {
                let at = (i * n_rows * padded) as u64;
                let words = with_padding(rows, row_bytes, padded);
                self.gpu.queue.write_buffer(window.buffer(), at, &words);
                self.send_uploads(words.len());
            }
        }
        self.gpu.check()?;
        // The device has its own copy now, or will have before it computes.
        bytes.release();
        Ok(memory)
    }

    /// Sends what was handed to the queue if that is much: it keeps a copy of each upload until then.
    fn send_uploads(&self, n_bytes: usize) {
        let waiting = self.uploads.fetch_add(n_bytes, Ordering::Relaxed) + n_bytes;
        if waiting >= UPLOAD_PIECE {
            self.gpu.queue.submit([]);
            self.uploads.store(0, Ordering::Relaxed);
        }
    }

    /// Reads `n_elements` numbers back as f32.
    pub(crate) fn download(
        &self,
        memory: &Memory,
        dtype: DType,
        n_elements: usize,
    ) -> Result<Vec<f32>> {
        let mut values = vec![0.0; n_elements];
        let row_bytes = dtype.n_bytes(&[memory.columns])?;
        let padded = memory.row_words * 4;
        for window in &memory.windows {
            let range = window.rows.start * memory.columns..window.rows.end * memory.columns;
            let Some(values) = values.get_mut(range) else {
                continue;
            };
            let n_bytes = window.n_rows() * padded;
            self.read(window.buffer(), n_bytes, |bytes| {
                if row_bytes == padded {
                    return dequantize(bytes, dtype, values);
                }
                let rows = bytes.chunks_exact(padded);
                let mut rows = rows.zip(values.chunks_exact_mut(memory.columns));
                rows.try_for_each(|(row, values)| dequantize(&row[..row_bytes], dtype, values))
            })?;
        }
        Ok(values)
    }

    /// Submits what was recorded, waits for it, and shows the first bytes of a buffer.
    pub(crate) fn read<T>(
        &self,
        buffer: &wgpu::Buffer,
        n_bytes: usize,
        show: impl FnOnce(&[u8]) -> Result<T>,
    ) -> Result<T> {
        let mut staging = self.staging();
        let n_bytes = n_bytes as u64;
        let host = self.readable(staging.take(), n_bytes)?;
        self.recorder().submit(&self.gpu, |encoder| {
            encoder.copy_buffer_to_buffer(buffer, 0, &host, 0, n_bytes);
        });
        let (told, telling) = mpsc::channel();
        let slice = host.slice(..n_bytes);
        slice.map_async(wgpu::MapMode::Read, move |result| {
            // The receiver is gone only when waiting failed, and then nobody asks.
            let _ = told.send(result);
        });
        self.gpu.wait()?;
        let failed = |what: String| {
            self.gpu
                .error(format!("reading {n_bytes} bytes failed: {what}"))
        };
        match telling.try_recv() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(failed(error.to_string())),
            Err(_) => return Err(failed("the device did not answer".to_owned())),
        }
        let shown = {
            let view = slice.get_mapped_range();
            show(&view.map_err(|error| failed(error.to_string()))?)
        };
        host.unmap();
        if n_bytes <= STAGING_KEPT {
            *staging = Some(host);
        }
        shown
    }
}

impl Inner {
    /// A buffer of at least `n_bytes` bytes that the host can read: `last` if it is large enough.
    fn readable(&self, last: Option<wgpu::Buffer>, n_bytes: u64) -> Result<wgpu::Buffer> {
        match last.filter(|last| last.size() >= n_bytes) {
            Some(last) => Ok(last),
            None => {
                let usage = BufferUsages::MAP_READ | BufferUsages::COPY_DST;
                self.gpu
                    .buffer(n_bytes.next_power_of_two().max(4096), usage)
            }
        }
    }
}

/// Rows of `row_bytes` bytes, each filled up to `padded`; the bytes themselves where they need none.
fn with_padding(rows: &[u8], row_bytes: usize, padded: usize) -> Cow<'_, [u8]> {
    if row_bytes == padded {
        return Cow::Borrowed(rows);
    }
    let mut words = Vec::with_capacity(rows.len() / row_bytes * padded);
    for row in rows.chunks_exact(row_bytes) {
        words.extend_from_slice(row);
        words.resize(words.len() + padded - row_bytes, 0);
    }
    Cow::Owned(words)
}
