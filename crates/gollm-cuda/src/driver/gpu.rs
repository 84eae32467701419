//! The GPUs of this machine, and which of them to use.

use std::ffi::{CStr, c_char, c_int};
use std::fmt;

use gollm_tensor::Result;

use super::cuda::Libcuda;
use super::library::error;
use super::options::{DriverOptions, Preference};
use super::places::Places;

/// Numbers of `cuDeviceGetAttribute`, from the vendor's header.
const MAJOR: c_int = 75;
const MINOR: c_int = 76;
const MULTIPROCESSORS: c_int = 16;
#[cfg(feature = "persistent-decode")]
pub(super) const COOPERATIVE_LAUNCH: c_int = 95;

const NO_GPU: &str =
    "the NVIDIA driver is there, but it sees no GPU; CUDA_VISIBLE_DEVICES may hide it";

/// A GPU that the driver knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gpu {
    /// Its number: N of `cuda:N`.
    pub number: usize,
    /// What the vendor calls it.
    pub name: String,
    /// Its architecture, major and minor: (5, 2) for sm_52.
    pub architecture: (u32, u32),
    /// How many multiprocessors it has.
    pub multiprocessors: u32,
    /// The bytes of its memory.
    pub memory: u64,
    /// The newest CUDA that its driver serves, major and minor.
    pub driver: (u32, u32),
}

impl Gpu {
    /// The architecture as compilers call it: `sm_52`.
    #[must_use]
    pub fn sm(&self) -> String {
        let (major, minor) = self.architecture;
        format!("sm_{major}{minor}")
    }
}

impl fmt::Display for Gpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gib = self.memory as f64 / f64::from(1 << 30);
        let (major, minor) = self.driver;
        write!(
            f,
            "cuda:{}: {}, {}, {gib:.1} GiB, driver for CUDA {major}.{minor}",
            self.number,
            self.name,
            self.sm()
        )
    }
}

/// The GPUs of this machine, in the driver's order.
///
/// # Errors
///
/// If there is no driver, or it finds no GPU; the message says what was looked for and where.
pub fn devices(options: &DriverOptions) -> Result<Vec<Gpu>> {
    gpus(&Libcuda::open(&Places::new(&options.library_folders))?)
}

/// As [`devices`], from a driver that is open.
///
/// A driver without a GPU mostly says so when it is opened; `CUDA_VISIBLE_DEVICES` may hide all as well.
pub(super) fn gpus(cuda: &Libcuda) -> Result<Vec<Gpu>> {
    let mut count = 0;
    // SAFETY: writes one `int`.
    let code = unsafe { (cuda.functions.device_count)(&raw mut count) };
    cuda.check(code, "cuDeviceGetCount")?;
    if count == 0 {
        return Err(error(NO_GPU));
    }
    (0..count).map(|ordinal| gpu(cuda, ordinal)).collect()
}

/// The driver's own number for a GPU.
pub(super) fn driver_number(cuda: &Libcuda, ordinal: c_int) -> Result<c_int> {
    let mut device = 0;
    // SAFETY: writes one `int`.
    let code = unsafe { (cuda.functions.device_get)(&raw mut device, ordinal) };
    cuda.check(code, format_args!("cuDeviceGet({ordinal})"))?;
    Ok(device)
}

fn gpu(cuda: &Libcuda, ordinal: c_int) -> Result<Gpu> {
    let functions = &cuda.functions;
    let device = driver_number(cuda, ordinal)?;
    let attribute = |which| {
        let mut value = 0;
        // SAFETY: writes one `int`.
        let code = unsafe { (functions.device_attribute)(&raw mut value, which, device) };
        cuda.check(code, format_args!("cuDeviceGetAttribute({which})"))?;
        Ok(u32::try_from(value).unwrap_or(0))
    };
    let mut name: [c_char; 128] = [0; 128];
    // SAFETY: writes at most 127 characters and a zero.
    let code = unsafe { (functions.device_name)(name.as_mut_ptr(), 127, device) };
    cuda.check(code, "cuDeviceGetName")?;
    let mut memory = 0;
    // SAFETY: writes one `size_t`.
    let code = unsafe { (functions.device_memory)(&raw mut memory, device) };
    cuda.check(code, "cuDeviceTotalMem")?;
    // SAFETY: the array was zero, and its last element still is.
    let name = unsafe { CStr::from_ptr(name.as_ptr()) };
    Ok(Gpu {
        number: usize::try_from(ordinal).unwrap_or(0),
        name: name.to_string_lossy().into_owned(),
        architecture: (attribute(MAJOR)?, attribute(MINOR)?),
        multiprocessors: attribute(MULTIPROCESSORS)?,
        memory: memory as u64,
        driver: cuda.version,
    })
}

/// The GPU that the options ask for.
pub(super) fn choose<'a>(gpus: &'a [Gpu], options: &DriverOptions) -> Result<&'a Gpu> {
    if let Some(number) = options.device {
        return gpus.iter().find(|gpu| gpu.number == number).ok_or_else(|| {
            error(format_args!(
                "there is no GPU number {number}; {}",
                listed(gpus)
            ))
        });
    }
    let is_m40 = |gpu: &Gpu| gpu.architecture == (5, 2) && gpu.name.contains("M40");
    let rank = |gpu: &&Gpu| {
        let preferred = options.prefer == Preference::TeslaM40 && is_m40(gpu);
        let first = usize::MAX - gpu.number;
        (preferred, gpu.architecture, gpu.memory, first)
    };
    let best = gpus.iter().max_by_key(rank);
    best.ok_or_else(|| error(NO_GPU))
}

fn listed(gpus: &[Gpu]) -> String {
    let lines: Vec<String> = gpus.iter().map(|gpu| format!("\n  {gpu}")).collect();
    match lines.len() {
        0 => "the NVIDIA driver sees none".to_owned(),
        _ => format!("the NVIDIA driver sees:{}", lines.concat()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gpu(number: usize, name: &str, architecture: (u32, u32), gib: u64) -> Gpu {
        Gpu {
            number,
            name: name.to_owned(),
            architecture,
            multiprocessors: 24,
            memory: gib << 30,
            driver: (12, 4),
        }
    }

    fn chosen(gpus: &[Gpu], device: Option<usize>, prefer: Preference) -> Result<usize> {
        let options = DriverOptions {
            device,
            prefer,
            ..DriverOptions::default()
        };
        choose(gpus, &options).map(|gpu| gpu.number)
    }

    #[test]
    fn the_newest_is_taken_unless_the_m40_is_preferred() {
        let gpus = [
            gpu(0, "Tesla M40 24GB", (5, 2), 24),
            gpu(1, "GeForce GTX 980", (5, 2), 32),
            gpu(2, "NVIDIA H100", (9, 0), 80),
            gpu(3, "NVIDIA H100", (9, 0), 80),
        ];
        assert_eq!(chosen(&gpus, None, Preference::Newest).unwrap(), 2);
        assert_eq!(chosen(&gpus, None, Preference::TeslaM40).unwrap(), 0);
        assert_eq!(chosen(&gpus[1..], None, Preference::TeslaM40).unwrap(), 2);
        assert_eq!(chosen(&gpus, Some(1), Preference::TeslaM40).unwrap(), 1);
    }

    #[test]
    fn a_number_that_is_not_there_is_an_error_that_lists_those_that_are() {
        let gpus = [gpu(0, "Tesla M40", (5, 2), 12)];
        let message = chosen(&gpus, Some(1), Preference::Newest).unwrap_err();
        let expected = "device `cuda`: there is no GPU number 1; the NVIDIA driver sees:\n  \
                        cuda:0: Tesla M40, sm_52, 12.0 GiB, driver for CUDA 12.4";
        assert_eq!(message.to_string(), expected);
        assert!(chosen(&[], None, Preference::Newest).is_err());
    }
}
