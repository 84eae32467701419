//! [`Wgpu`]: a device with its kernels and memory, and how it is opened.

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gollm_tensor::Result;

use crate::adapters::AdapterFacts;
use crate::buffers::Buffers;
use crate::choice::Choice;
use crate::gpu::Gpu;
use crate::kernels::Kernel;
use crate::pipelines::Pipelines;
use crate::recorder::{Launch, Recorder};

/// How a device is opened.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Which adapter.
    pub choice: Choice,
    /// Keeps cached keys and values in f16: half the memory and half the reading of a long context, for
    /// rounding each of them to 11 significant bits.
    pub half_cache: bool,
    /// Shows kernels at most so many bytes of a buffer, where the adapter would allow more. Tests use
    /// this to have small weights cut as large ones are.
    pub max_binding_bytes: Option<u64>,
}

/// A GPU, through Vulkan, Metal, DirectX 12 or OpenGL. A clone is the same device.
#[derive(Debug, Clone)]
pub struct Wgpu(pub(crate) Arc<Inner>);

/// One device and everything that belongs to it.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) gpu: Gpu,
    pub(crate) buffers: Arc<Buffers>,
    pub(crate) half_cache: bool,
    pipelines: Pipelines,
    recorder: Mutex<Recorder>,
    staging: Mutex<Option<wgpu::Buffer>>,
    /// Bytes of uploads that the queue may still hold.
    pub(crate) uploads: AtomicUsize,
}

impl Wgpu {
    /// Opens an adapter with f32 caches.
    ///
    /// # Errors
    ///
    /// If there is no such adapter, or it cannot run the kernels. The message lists what there is.
    pub fn new(choice: Choice) -> Result<Self> {
        Self::with_options(&Options {
            choice,
            ..Options::default()
        })
    }

    /// Opens an adapter.
    ///
    /// # Errors
    ///
    /// As [`Wgpu::new`].
    pub fn with_options(options: &Options) -> Result<Self> {
        let gpu = Gpu::open(&options.choice, options.max_binding_bytes)?;
        Ok(Self(Arc::new(Inner {
            recorder: Mutex::new(Recorder::new(&gpu)?),
            buffers: Arc::default(),
            half_cache: options.half_cache,
            pipelines: Pipelines::default(),
            staging: Mutex::new(None),
            uploads: AtomicUsize::new(0),
            gpu,
        })))
    }

    /// The adapter in use.
    #[must_use]
    pub fn adapter(&self) -> &AdapterFacts {
        &self.0.gpu.facts
    }

    /// How many buffers of device memory were made for tensors so far. A decode loop makes none after its
    /// first steps.
    #[must_use]
    pub fn buffers_made(&self) -> usize {
        self.0.buffers.made()
    }

    /// How many command buffers were submitted so far. A decode step submits one.
    #[must_use]
    pub fn submissions(&self) -> usize {
        self.0.recorder().submissions()
    }
}

impl Inner {
    /// Records one run of a kernel.
    pub(crate) fn launch(&self, kernel: Kernel, launch: &Launch<'_>) -> Result<()> {
        let pipeline = self.pipelines.get(&self.gpu, kernel)?;
        self.recorder().launch(&self.gpu, &pipeline, launch)
    }

    pub(crate) fn recorder(&self) -> MutexGuard<'_, Recorder> {
        self.recorder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The buffer that results are read through.
    pub(crate) fn staging(&self) -> MutexGuard<'_, Option<wgpu::Buffer>> {
        self.staging.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
