//! What every kind of GPU tells the rest of the program. Each has a file of its own beside this one, and
//! another for builds without it.

use gollm_tensor::Device;

use super::listing::{Listed, Missing};
use super::name::DeviceName;
use crate::failure::Failure;

/// A kind of GPU, in this build or not.
pub(crate) struct Accelerator {
    /// Opens the device, if `name` is of this kind; the flag says whether caches hold f16 numbers.
    pub(super) open: fn(name: &DeviceName, half_cache: bool) -> Option<Result<Device, Failure>>,
    /// The device that `auto` should take, if this machine has such hardware.
    pub(super) best: fn() -> Option<DeviceName>,
    /// What this machine has of this kind.
    pub(super) listed: fn() -> Vec<Listed>,
    /// Why there is nothing of this kind, if there is nothing.
    pub(super) missing: fn() -> Option<Missing>,
}
