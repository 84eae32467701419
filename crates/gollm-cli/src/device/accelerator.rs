//! What every kind of GPU tells the rest of the program. Each has a file of its own beside this one, and
//! another for builds without it.

use gollm_tensor::Device;

use super::GpuOptions;
use super::listing::{Listed, Missing};
use super::name::DeviceName;
use crate::cli_error::CliError;

/// A device that is ready, or why it is not.
pub(super) type Opened = Result<Device, CliError>;

/// A kind of GPU, in this build or not.
pub(crate) struct Accelerator {
    /// Opens the device, if `name` is of this kind.
    pub(super) open: fn(&DeviceName, GpuOptions) -> Option<Opened>,
    /// The device that `auto` should take, if this machine has such hardware.
    pub(super) best: fn() -> Option<DeviceName>,
    /// What this machine has of this kind.
    pub(super) listed: fn() -> Vec<Listed>,
    /// Why there is nothing of this kind, if there is nothing.
    pub(super) missing: fn() -> Option<Missing>,
}

/// Why a kind of device is not there: this program was built without it.
#[cfg(not(all(feature = "cuda", feature = "wgpu")))]
pub(super) fn not_built(kind: &str) -> String {
    format!(
        "not in this build; for one that has it: cargo build --release -p gollm-cli --features {kind}"
    )
}
