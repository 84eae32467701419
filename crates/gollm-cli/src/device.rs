//! Where the arithmetic is done: the devices of this build, and which one to take.

mod accelerator;
#[cfg_attr(feature = "cuda", path = "device/with_cuda.rs")]
#[cfg_attr(not(feature = "cuda"), path = "device/without_cuda.rs")]
mod cuda;
mod listing;
mod name;
#[cfg_attr(feature = "wgpu", path = "device/with_wgpu.rs")]
#[cfg_attr(not(feature = "wgpu"), path = "device/without_wgpu.rs")]
mod wgpu;

use gollm_cpu::Cpu;
use gollm_tensor::Device;

use self::accelerator::Accelerator;
pub(crate) use self::listing::{devices, missing};
pub(crate) use self::name::DeviceName;
use crate::cli_error::CliError;
use crate::output::Notes;

/// The kinds of GPU, the fastest first.
fn accelerators() -> impl Iterator<Item = Accelerator> {
    [cuda::CUDA, wgpu::WGPU].into_iter()
}

/// Which device to use, and how much of it.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Device")]
pub(crate) struct DeviceArgs {
    /// Where to compute: auto, reference, cpu, wgpu, wgpu:N, wgpu:software, cuda or cuda:N
    ///
    /// `auto` takes the fastest device that this build finds here and says which: a GPU, else the CPU.
    /// A device that is asked for by name and is not there is an error, never a silent fallback. `gollm
    /// devices` lists what there is; `wgpu:` takes a number from that list, part of a name, or
    /// `software` for an adapter that computes on the CPU.
    #[arg(
        long,
        value_name = "DEVICE",
        env = "GOLLM_DEVICE",
        default_value = "auto"
    )]
    device: DeviceName,

    /// Threads to compute with; at most 1024
    ///
    /// Left out, one for each physical core. The reference device always uses one, a GPU none.
    #[arg(short, long, value_name = "N", env = "GOLLM_THREADS")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1024), allow_negative_numbers = true)]
    threads: Option<u16>,

    /// How cached keys and values are stored: f32 or f16
    ///
    /// f16 takes half the memory and reads half the bytes of a long context. The reference device does
    /// not have it. [default: f16 on cuda, else f32]
    #[arg(long, value_name = "TYPE", env = "GOLLM_CACHE_TYPE")]
    cache_type: Option<CacheType>,

    /// Which NVIDIA GPU to take among several: newest or m40
    ///
    /// m40 takes a Tesla M40 if there is one, otherwise as newest: the newest architecture, then the
    /// largest memory. For `cuda` and `auto`; `cuda:N` names the GPU itself. [default: newest]
    #[arg(long, value_name = "GPU", env = "GOLLM_PREFER")]
    prefer: Option<Prefer>,
}

/// Which NVIDIA GPU is taken among several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Prefer {
    Newest,
    M40,
}

/// What a GPU is asked for besides its name.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct GpuOptions {
    /// How cached keys and values are stored; none: the GPU's own choice.
    #[cfg_attr(
        not(any(feature = "cuda", feature = "wgpu")),
        expect(dead_code, reason = "this build has no GPU to tell")
    )]
    pub(crate) cache_type: Option<CacheType>,
    /// Which NVIDIA GPU; none: the environment's choice.
    #[cfg_attr(
        not(feature = "cuda"),
        expect(dead_code, reason = "this build knows no NVIDIA GPU")
    )]
    pub(crate) prefer: Option<Prefer>,
}

/// How cached keys and values are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum CacheType {
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

impl ChosenDevice {
    /// Whether it computes in the memory of the processor.
    pub(crate) fn is_cpu(&self) -> bool {
        self.name == DeviceName::Cpu.to_string() || self.name == DeviceName::Reference.to_string()
    }
}

impl DeviceArgs {
    /// Opens the device.
    pub(crate) fn open(&self, notes: Notes) -> Result<ChosenDevice, CliError> {
        let (name, device) = match &self.device {
            DeviceName::Auto => self.fastest(notes)?,
            name => (name.clone(), self.named(name, notes)?),
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

    fn fastest(&self, notes: Notes) -> Result<(DeviceName, Device), CliError> {
        for name in accelerators().filter_map(|accelerator| (accelerator.best)()) {
            match self.named(&name, notes) {
                Ok(device) => return Ok((name, device)),
                Err(failure) => notes.say(format_args!(
                    "note: auto passes over {name}: {}",
                    failure.message()
                )),
            }
        }
        Ok((DeviceName::Cpu, self.named(&DeviceName::Cpu, notes)?))
    }

    fn named(&self, name: &DeviceName, notes: Notes) -> Result<Device, CliError> {
        match name {
            DeviceName::Cpu => self.cpu(),
            DeviceName::Reference => self.reference(notes),
            name => {
                let options = GpuOptions {
                    cache_type: self.cache_type,
                    prefer: self.prefer,
                };
                let device = open_gpu(name, options)?;
                self.note_threads(name, 1, notes);
                Ok(device)
            }
        }
    }

    fn cpu(&self) -> Result<Device, CliError> {
        let cpu = Cpu::new(self.threads.map_or(0, usize::from))?;
        Ok(Device::new(match self.cache_type {
            None | Some(CacheType::F32) => cpu,
            Some(CacheType::F16) => cpu.with_half_cache(),
        }))
    }

    fn reference(&self, notes: Notes) -> Result<Device, CliError> {
        if self.cache_type == Some(CacheType::F16) {
            return Err(CliError::runtime(
                "the reference device keeps its cache in f32; leave --cache-type out, or take --device cpu",
            ));
        }
        self.note_threads(&DeviceName::Reference, 2, notes);
        Ok(Device::reference())
    }

    /// Says that `--threads` means nothing to this device, if it was given and is at least `from`.
    fn note_threads(&self, name: &DeviceName, from: u16, notes: Notes) {
        let computes = match name {
            DeviceName::Reference => "computes on one thread",
            _ => "does not compute on threads of the CPU",
        };
        if let Some(threads) = self.threads.filter(|threads| *threads >= from) {
            notes.say(format_args!(
                "note: the {name} device {computes}; --threads {threads} changes nothing"
            ));
        }
    }
}

/// Opens a GPU.
pub(crate) fn open_gpu(name: &DeviceName, options: GpuOptions) -> Result<Device, CliError> {
    let mut opened = accelerators().filter_map(|kind| (kind.open)(name, options));
    opened
        .next()
        .unwrap_or_else(|| Err(not_in_this_build(name)))
}

fn not_in_this_build(asked: &DeviceName) -> CliError {
    let kind = asked.to_string();
    let kind = kind.split(':').next().unwrap_or_default();
    let reason = missing().into_iter().find(|missing| missing.name == kind);
    let reason = reason.map_or_else(|| "not in this build".to_owned(), |missing| missing.reason);
    let names: Vec<String> = devices().into_iter().map(|device| device.name).collect();
    CliError::runtime(format!(
        "device `{asked}` is {reason}; here are: {}; leave --device out to take the fastest of these",
        names.join(", ")
    ))
}
