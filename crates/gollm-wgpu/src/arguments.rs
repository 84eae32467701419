//! What the host tells kernels: parameters and lists, gathered in one buffer for each submission.

use gollm_tensor::Result;
use wgpu::BufferUsages;

use crate::gpu::Gpu;

/// Bytes before a command buffer is submitted early.
const CAPACITY: usize = 1 << 20;
/// Where parameters and lists may begin; no adapter asks for more.
const ALIGNMENT: usize = 256;
/// Bytes that a kernel is shown of its parameters.
pub(crate) const PARAMS_BYTES: u32 = 64;

/// A part of the arguments.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) n_bytes: u32,
}

/// Parameters and lists of the recorded kernels, and the buffer that they will be copied to.
///
/// The copy stands in the queue before the commands that read it and after those that read the one
/// before, so one buffer serves every submission.
#[derive(Debug)]
pub(crate) struct Arguments {
    bytes: Vec<u8>,
    buffer: wgpu::Buffer,
}

impl Arguments {
    pub(crate) fn new(gpu: &Gpu) -> Result<Self> {
        Ok(Self {
            bytes: Vec::with_capacity(CAPACITY),
            buffer: buffer(gpu, CAPACITY)?,
        })
    }

    /// The bytes that parameters and lists of these lengths take.
    pub(crate) fn room(n_params: usize, lists: impl Iterator<Item = usize>) -> usize {
        let aligned = |n_words: usize| (n_words * 4).next_multiple_of(ALIGNMENT);
        aligned(n_params) + lists.map(aligned).sum::<usize>()
    }

    /// Whether they fit without submitting first. Nothing is in the way of the first.
    pub(crate) fn has_room(&self, room: usize) -> bool {
        self.bytes.is_empty() || self.bytes.len() + room <= CAPACITY
    }

    /// Makes the buffer large enough for `room` bytes more. Only the first launch after a submission can
    /// need that, so that nothing refers to the buffer that is replaced.
    pub(crate) fn grow(&mut self, gpu: &Gpu, room: usize) -> Result<()> {
        let needed = self.bytes.len() + room;
        if needed as u64 > self.buffer.size() {
            self.buffer = buffer(gpu, needed.next_power_of_two())?;
        }
        Ok(())
    }

    /// Appends some words.
    pub(crate) fn push(&mut self, words: &[u32]) -> Span {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytemuck::cast_slice(words));
        let n_bytes = self.bytes.len() - start;
        self.bytes
            .resize(start + n_bytes.next_multiple_of(ALIGNMENT), 0);
        // At most a few megabytes: no batch has more than a context of places.
        Span {
            start: start as u32,
            n_bytes: n_bytes as u32,
        }
    }

    /// Copies everything to the device and begins anew.
    pub(crate) fn send(&mut self, gpu: &Gpu) {
        if !self.bytes.is_empty() {
            gpu.queue.write_buffer(&self.buffer, 0, &self.bytes);
            self.bytes.clear();
        }
    }

    pub(crate) fn buffer(&self) -> &wgpu::Buffer {
        &self.buffer
    }
}

fn buffer(gpu: &Gpu, n_bytes: usize) -> Result<wgpu::Buffer> {
    let usage = BufferUsages::UNIFORM | BufferUsages::STORAGE | BufferUsages::COPY_DST;
    gpu.buffer(n_bytes as u64, usage)
}
