//! Where a model computes.

use gollm_tensor::Device;

use crate::error::{Failure, Result};

/// Opens the device of this name: "auto", the fastest of this build, or one of them by name.
///
/// # Errors
///
/// `ValueError` for any other name. There is no silent fallback to another device.
pub(crate) fn open(name: &str) -> Result<Device> {
    match name {
        "auto" | "reference" => Ok(Device::reference()),
        other => Err(Failure::value(format!(
            "device {other:?} is not in this build, which has: reference; \
             \"auto\" takes the fastest of these"
        ))),
    }
}
