//! Where a model computes.

use gollm_cpu::Cpu;
use gollm_tensor::Device;

use crate::error::{Failure, Result};

/// Opens the device of this name: "auto", the fastest of this build, or one of them by name.
///
/// # Errors
///
/// `ValueError` for any other name. There is no silent fallback to another device.
pub(crate) fn open(name: &str) -> Result<Device> {
    match name {
        // Zero threads: one for each physical core.
        "auto" | "cpu" => Ok(Device::new(Cpu::new(0)?)),
        "reference" => Ok(Device::reference()),
        other => Err(Failure::value(format!(
            "device {other:?} is not in this build, which has: cpu, reference; \
             \"auto\" takes the fastest of these"
        ))),
    }
}
