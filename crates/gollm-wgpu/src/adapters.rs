//! The adapters of this machine: what each is, and which one a [`Choice`] means.

use std::fmt;

use gollm_tensor::{Error, Result};
use wgpu::{Adapter, AdapterInfo, Backend, Backends, DeviceType, DownlevelFlags, Limits};

use crate::choice::Choice;

/// One way to reach one device: the same card may be listed once for each API that has a driver for it.
#[derive(Debug, Clone, PartialEq)]
pub struct AdapterFacts {
    /// What [`Choice::Number`] calls it. The best comes first.
    pub number: usize,
    /// The device's own name.
    pub name: String,
    /// The API: `vulkan`, `metal`, `dx12` or `gl`.
    pub api: &'static str,
    /// `discrete GPU`, `integrated GPU`, `virtual GPU`, `software` or `other`.
    pub kind: &'static str,
    /// The driver and its version, as it calls itself.
    pub driver: String,
    /// Bytes that one binding of a kernel may show; larger weights are bound in several windows.
    pub max_binding_bytes: u64,
    /// Bytes of one buffer.
    pub max_buffer_bytes: u64,
    /// Bytes of memory that the invocations of a workgroup share.
    pub workgroup_bytes: u32,
    /// What the adapter lacks for these kernels, if anything.
    pub lacks: Option<String>,
}

impl AdapterFacts {
    fn new(number: usize, adapter: &Adapter) -> Self {
        let (info, limits) = (adapter.get_info(), adapter.limits());
        Self {
            number,
            api: info.backend.to_str(),
            kind: kind(info.device_type),
            driver: [info.driver.as_str(), info.driver_info.as_str()]
                .join(" ")
                .trim()
                .to_owned(),
            name: info.name,
            max_binding_bytes: limits.max_storage_buffer_binding_size,
            max_buffer_bytes: limits.max_buffer_size,
            workgroup_bytes: limits.max_compute_workgroup_storage_size,
            lacks: lacks(adapter),
        }
    }

    /// Whether it computes on the CPU.
    #[must_use]
    pub fn is_software(&self) -> bool {
        self.kind == kind(DeviceType::Cpu)
    }
}

impl fmt::Display for AdapterFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {}", self.name, self.kind, self.api)?;
        if !self.driver.is_empty() {
            write!(f, ", {}", self.driver)?;
        }
        f.write_str(")")
    }
}

/// Every adapter that a driver of this machine offers, the one that is preferred first; none where there
/// is no driver.
#[must_use]
pub fn adapters() -> Vec<AdapterFacts> {
    let found = enumerate();
    let facts = found.iter().enumerate();
    facts
        .map(|(i, adapter)| AdapterFacts::new(i, adapter))
        .collect()
}

/// Whether [`Choice::Hardware`] would find an adapter that these kernels can run on.
#[must_use]
pub fn has_hardware() -> bool {
    position(&Choice::Hardware, &adapters()).is_some()
}

/// The adapter that is meant, with its facts.
pub(crate) fn pick(choice: &Choice) -> Result<(Adapter, AdapterFacts)> {
    let mut found = enumerate();
    let facts = found.iter().enumerate();
    let facts: Vec<_> = facts
        .map(|(i, adapter)| AdapterFacts::new(i, adapter))
        .collect();
    let at = position(choice, &facts).ok_or_else(|| not_found(choice, &facts))?;
    if let Some(lacks) = &facts[at].lacks {
        return Err(failed(choice, format!("{} {lacks}", facts[at])));
    }
    Ok((found.swap_remove(at), facts[at].clone()))
}

/// Which of the adapters is meant, if one is. A GPU that lacks something is passed over unless it was
/// asked for.
fn position(choice: &Choice, facts: &[AdapterFacts]) -> Option<usize> {
    match choice {
        Choice::Hardware => facts
            .iter()
            .position(|facts| !facts.is_software() && facts.lacks.is_none()),
        Choice::Software => facts.iter().position(AdapterFacts::is_software),
        Choice::Number(number) => (*number < facts.len()).then_some(*number),
        Choice::Named(name) => {
            let name = name.to_lowercase();
            let is_meant = |facts: &AdapterFacts| facts.name.to_lowercase().contains(&name);
            facts.iter().position(is_meant)
        }
    }
}

/// The error for an adapter that is not there, with what is.
fn not_found(choice: &Choice, facts: &[AdapterFacts]) -> Error {
    let wanted = match choice {
        Choice::Hardware => "no GPU".to_owned(),
        Choice::Software => "no software adapter".to_owned(),
        Choice::Number(number) => format!("no adapter {number}"),
        Choice::Named(name) => format!("no adapter whose name contains `{name}`"),
    };
    let list = facts
        .iter()
        .map(|facts| format!("{} {facts}", facts.number))
        .collect::<Vec<_>>()
        .join("; ");
    let there = match (choice, facts) {
        (_, []) => "no Vulkan, Metal, DirectX 12 or OpenGL driver offers any; install one, for \
                    software on Debian: apt install mesa-vulkan-drivers libvulkan1"
            .to_owned(),
        (Choice::Hardware, _) => {
            format!(
                "there is: {list}; a software adapter is taken only when asked for (wgpu:software)"
            )
        }
        _ => format!("there is: {list}"),
    };
    failed(choice, format!("{wanted} was found; {there}"))
}

pub(crate) fn failed(choice: &Choice, message: String) -> Error {
    let device = match choice {
        Choice::Hardware => "wgpu".to_owned(),
        choice => format!("wgpu:{choice}"),
    };
    Error::Device { device, message }
}

/// The adapters in order of preference. OpenGL is asked only where nothing else answers: it would list the
/// same devices a second time.
fn enumerate() -> Vec<Adapter> {
    // The environment may narrow the choice of APIs (WGPU_BACKEND), as with every program that uses wgpu.
    let allowed = Backends::all().with_env();
    let mut found = of(allowed - Backends::GL);
    if found.is_empty() {
        found = of(allowed & Backends::GL);
    }
    found.sort_by_key(|adapter| rank(&adapter.get_info()));
    found
}

fn of(backends: Backends) -> Vec<Adapter> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
    descriptor.backends = backends;
    // The same in debug and release builds: errors are found by wgpu's own checks.
    descriptor.flags = wgpu::InstanceFlags::empty().with_env();
    let instance = wgpu::Instance::new(descriptor);
    pollster::block_on(instance.enumerate_adapters(backends))
}

/// The order of preference, the smallest first.
fn rank(info: &AdapterInfo) -> (u8, u8) {
    let kind = match info.device_type {
        DeviceType::DiscreteGpu => 0,
        DeviceType::IntegratedGpu => 1,
        DeviceType::VirtualGpu => 2,
        DeviceType::Other => 3,
        DeviceType::Cpu => 4,
    };
    // OpenGL is the oldest road to a card that may have a better one.
    (kind, u8::from(info.backend == Backend::Gl))
}

fn kind(device_type: DeviceType) -> &'static str {
    match device_type {
        DeviceType::DiscreteGpu => "discrete GPU",
        DeviceType::IntegratedGpu => "integrated GPU",
        DeviceType::VirtualGpu => "virtual GPU",
        DeviceType::Cpu => "software",
        DeviceType::Other => "other",
    }
}

/// What the kernels need beyond what every adapter has.
fn lacks(adapter: &Adapter) -> Option<String> {
    let flags = adapter.get_downlevel_capabilities().flags;
    if !flags.contains(DownlevelFlags::COMPUTE_SHADERS) {
        return Some("cannot run compute shaders".to_owned());
    }
    let Limits {
        max_storage_buffers_per_shader_stage: buffers,
        max_compute_invocations_per_workgroup: invocations,
        max_compute_workgroup_storage_size: shared,
        ..
    } = adapter.limits();
    let short = |name: &str, found: u32, needed: u32| {
        (found < needed).then(|| format!("has {found} {name}, {needed} are needed"))
    };
    short("storage buffers for a kernel", buffers, 7)
        .or_else(|| short("invocations in a workgroup", invocations, 256))
        .or_else(|| short("bytes of workgroup memory", shared, 16_384))
}

#[cfg(test)]
mod tests;
