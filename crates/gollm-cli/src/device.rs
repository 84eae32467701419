//! Where the arithmetic is done: the names a device can have, and the devices of this build.

use std::fmt;
use std::str::FromStr;

use gollm_cpu::Cpu;
use gollm_tensor::Device;

use crate::failure::Failure;
use crate::output::Notes;

/// What this build has, the fastest first, with what is said about it.
pub(crate) const AVAILABLE: [(DeviceName, &str); 2] = [
    (DeviceName::Cpu, "vector instructions and threads"),
    (
        DeviceName::Reference,
        "readable Rust, one thread, f32 arithmetic",
    ),
];

/// A device as it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeviceName {
    /// The fastest that is there.
    Auto,
    /// The readable implementation that all others are checked against.
    Reference,
    /// Vector instructions and threads.
    Cpu,
    /// Any GPU, through Vulkan, Metal or DirectX.
    Wgpu,
    /// The NVIDIA GPU of this number.
    Cuda(usize),
}

impl FromStr for DeviceName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.strip_prefix("cuda:").map(str::parse);
        match (text, number) {
            ("auto", _) => Ok(Self::Auto),
            ("reference", _) => Ok(Self::Reference),
            ("cpu", _) => Ok(Self::Cpu),
            ("wgpu", _) => Ok(Self::Wgpu),
            ("cuda", _) => Ok(Self::Cuda(0)),
            (_, Some(Ok(number))) => Ok(Self::Cuda(number)),
            _ => Err(
                "expected auto, reference, cpu, wgpu, cuda or cuda:N (N is the number of the GPU)"
                    .to_owned(),
            ),
        }
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Reference => f.write_str("reference"),
            Self::Cpu => f.write_str("cpu"),
            Self::Wgpu => f.write_str("wgpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

/// Which device to use, and how much of it.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Device")]
pub(crate) struct DeviceArgs {
    /// Where to compute: auto, reference, cpu, wgpu, cuda or cuda:N
    ///
    /// `auto` takes the fastest device of this build and says which. A device that is asked for by
    /// name and is not there is an error, never a silent fallback.
    #[arg(
        long,
        value_name = "DEVICE",
        env = "GOLLM_DEVICE",
        default_value = "auto"
    )]
    device: DeviceName,

    /// Threads to compute with; at most 1024
    ///
    /// Left out, one for each physical core. The reference device always uses one.
    #[arg(short, long, value_name = "N", env = "GOLLM_THREADS")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1024), allow_negative_numbers = true)]
    threads: Option<u16>,

    /// How cached keys and values are stored: f32 or f16
    ///
    /// f16 takes half the memory and reads a long context twice as fast. Only the cpu device has it.
    #[arg(
        long,
        value_name = "TYPE",
        env = "GOLLM_CACHE_TYPE",
        default_value = "f32"
    )]
    cache_type: CacheType,
}

/// How cached keys and values are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum CacheType {
    F32,
    F16,
}

/// A device that is ready, and what to say about it.
#[derive(Debug)]
pub(crate) struct ChosenDevice {
    pub(crate) device: Device,
    pub(crate) name: String,
    /// The name, how it was chosen, and which kernels it runs.
    pub(crate) description: String,
}

impl DeviceArgs {
    /// Opens the device.
    pub(crate) fn open(&self, notes: Notes) -> Result<ChosenDevice, Failure> {
        let name = match self.device {
            DeviceName::Auto => AVAILABLE[0].0,
            name => name,
        };
        let device = match name {
            DeviceName::Cpu => self.cpu()?,
            DeviceName::Reference => self.reference(notes)?,
            _ => return Err(not_in_this_build(name)),
        };
        let how = match self.device {
            DeviceName::Auto => " (chosen by auto)",
            _ => "",
        };
        let description = device.backend().description();
        Ok(ChosenDevice {
            device,
            name: name.to_string(),
            description: format!("{description}{how}"),
        })
    }

    fn cpu(&self) -> Result<Device, Failure> {
        let cpu = Cpu::new(self.threads.map_or(0, usize::from))?;
        Ok(Device::new(match self.cache_type {
            CacheType::F32 => cpu,
            CacheType::F16 => cpu.with_half_cache(),
        }))
    }

    fn reference(&self, notes: Notes) -> Result<Device, Failure> {
        if self.cache_type == CacheType::F16 {
            return Err(Failure::runtime(
                "the reference device keeps its cache in f32; leave --cache-type out, or take --device cpu",
            ));
        }
        if let Some(threads @ 2..) = self.threads {
            notes.say(format_args!(
                "note: the reference device computes on one thread; --threads {threads} changes nothing"
            ));
        }
        Ok(Device::reference())
    }
}

fn not_in_this_build(asked: DeviceName) -> Failure {
    let names: Vec<String> = AVAILABLE.iter().map(|(name, _)| name.to_string()).collect();
    Failure::runtime(format!(
        "device `{asked}` is not in this build, which has: {}; leave --device out to take the \
         fastest of these",
        names.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_device_is_read_as_it_is_written() {
        for name in ["auto", "reference", "cpu", "wgpu", "cuda:0", "cuda:7"] {
            assert_eq!(name.parse::<DeviceName>().unwrap().to_string(), name);
        }
        assert_eq!("cuda".parse(), Ok(DeviceName::Cuda(0)));
        for wrong in ["", "gpu", "CPU", "cuda:", "cuda:-1", "cuda:x", "cuda:0:1"] {
            assert!(wrong.parse::<DeviceName>().is_err(), "{wrong}");
        }
    }
}
