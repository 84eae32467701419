//! One opened device: its queue, its limits, and buffers that are made or refused.

use gollm_tensor::{Error, Result};
use wgpu::{BufferDescriptor, BufferUsages};

use crate::adapters::{AdapterFacts, failed, pick};
use crate::choice::Choice;
use crate::faults::{Faults, caught};

/// The largest window that a kernel is shown: its kernels count words and numbers in a u32.
const LARGEST_WINDOW: u64 = (1 << 31) - 4;

/// A device and its queue.
#[derive(Debug)]
pub(crate) struct Gpu {
    pub(crate) device: wgpu::Device,
    pub(crate) queue: wgpu::Queue,
    pub(crate) faults: Faults,
    pub(crate) facts: AdapterFacts,
    /// `wgpu:` and the number of the adapter.
    pub(crate) name: String,
    /// The largest number of bytes, a whole number of words, in one buffer that is bound.
    pub(crate) max_window: u64,
    /// Workgroups along one side of a grid.
    pub(crate) max_groups: u32,
}

impl Gpu {
    pub(crate) fn open(choice: &Choice, max_binding_bytes: Option<u64>) -> Result<Self> {
        let (adapter, facts) = pick(choice)?;
        let limits = adapter.limits();
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("gollm"),
            required_limits: limits.clone(),
            memory_hints: wgpu::MemoryHints::Performance,
            ..Default::default()
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&descriptor))
            .map_err(|error| failed(choice, format!("cannot open {facts}: {error}")))?;
        let faults = Faults::default();
        faults.watch(&device);
        let largest = limits
            .max_storage_buffer_binding_size
            .min(limits.max_buffer_size)
            .min(LARGEST_WINDOW);
        Ok(Self {
            name: format!("wgpu:{}", facts.number),
            max_window: max_binding_bytes.map_or(largest, |asked| asked.min(largest)) / 4 * 4,
            max_groups: limits.max_compute_workgroups_per_dimension,
            device,
            queue,
            faults,
            facts,
        })
    }

    /// A new buffer of zeros.
    pub(crate) fn buffer(&self, n_bytes: u64, usage: BufferUsages) -> Result<wgpu::Buffer> {
        self.check()?;
        let descriptor = BufferDescriptor {
            label: None,
            size: n_bytes,
            usage,
            mapped_at_creation: false,
        };
        caught(&self.device, || self.device.create_buffer(&descriptor)).map_err(|message| {
            let facts = &self.facts;
            self.error(format!(
                "no buffer of {n_bytes} bytes on {facts}: {message}"
            ))
        })
    }

    /// What went wrong since the device was opened, if anything has.
    pub(crate) fn check(&self) -> Result<()> {
        self.faults.check(&self.name)
    }

    /// Waits until everything that was submitted is done.
    pub(crate) fn wait(&self) -> Result<()> {
        let waited = self.device.poll(wgpu::PollType::wait_indefinitely());
        self.check()?;
        match waited {
            Ok(_) => Ok(()),
            Err(error) => Err(self.error(format!("waiting for the device failed: {error}"))),
        }
    }

    pub(crate) fn error(&self, message: String) -> Error {
        Error::Device {
            device: self.name.clone(),
            message,
        }
    }
}
