//! NVIDIA GPUs, in builds with the feature `cuda`.

use gollm_cuda::{Cuda, DriverOptions, Gpu, Options, Preference, devices};
use gollm_tensor::Device;
use serde_json::json;

use super::accelerator::{Accelerator, Opened};
use super::listing::{Listed, Missing};
use super::name::DeviceName;
use super::{CacheType, GpuOptions, Prefer};
use crate::cli_error::CliError;
use crate::numbers::bytes;

pub(super) const CUDA: Accelerator = Accelerator {
    open,
    best: || gpus().is_ok().then_some(DeviceName::Cuda(None)),
    listed: || gpus().unwrap_or_default().iter().map(listed).collect(),
    missing,
};

/// What the driver lists: at least one GPU.
fn gpus() -> gollm_tensor::Result<Vec<Gpu>> {
    devices(&DriverOptions::from_environment()?)
}

fn open(name: &DeviceName, asked: GpuOptions) -> Option<Opened> {
    let DeviceName::Cuda(number) = name else {
        return None;
    };
    let opened = DriverOptions::from_environment().and_then(|driver| {
        let device = number.or(driver.device);
        Cuda::open(&Options {
            cache: match asked.cache_type {
                None | Some(CacheType::F16) => gollm_cuda::CacheType::F16,
                Some(CacheType::F32) => gollm_cuda::CacheType::F32,
            },
            driver: DriverOptions {
                device,
                prefer: asked.prefer.map_or(driver.prefer, preference),
                ..driver
            },
        })
    });
    // Not a lack of memory, as errors of devices usually are.
    Some(
        opened
            .map(Device::new)
            .map_err(|error| CliError::runtime(error.to_string())),
    )
}

fn preference(prefer: Prefer) -> Preference {
    match prefer {
        Prefer::Newest => Preference::Newest,
        Prefer::M40 => Preference::TeslaM40,
    }
}

fn listed(gpu: &Gpu) -> Listed {
    let (major, minor) = gpu.architecture;
    let driver = format!("{}.{}", gpu.driver.0, gpu.driver.1);
    Listed {
        name: format!("cuda:{}", gpu.number),
        kernels: format!(
            "{}, sm_{major}{minor}, {} multiprocessors, {}, driver for CUDA {driver}",
            gpu.name,
            gpu.multiprocessors,
            bytes(gpu.memory.into()),
        ),
        facts: json!({
            "adapter": gpu.name,
            "architecture": format!("sm_{major}{minor}"),
            "multiprocessors": gpu.multiprocessors,
            "memory_bytes": gpu.memory,
            "driver": driver,
        }),
    }
}

fn missing() -> Option<Missing> {
    let error = gpus().err()?;
    Some(Missing {
        name: "cuda".to_owned(),
        reason: error.to_string(),
    })
}
