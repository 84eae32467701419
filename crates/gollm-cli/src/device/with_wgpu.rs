//! GPUs through Vulkan, Metal or DirectX 12, in builds with the feature `wgpu`.

use gollm_tensor::Device;
use gollm_wgpu::{AdapterFacts, Choice, Options, Wgpu, adapters, has_hardware};
use serde_json::json;

use super::accelerator::{Accelerator, Opened};
use super::listing::{Listed, Missing};
use super::name::DeviceName;
use super::{CacheType, GpuOptions};
use crate::cli_error::CliError;
use crate::numbers::bytes;

pub(super) const WGPU: Accelerator = Accelerator {
    open,
    best: || has_hardware().then(|| DeviceName::Wgpu(String::new())),
    listed: || adapters().iter().map(listed).collect(),
    missing,
};

fn open(name: &DeviceName, asked: GpuOptions) -> Option<Opened> {
    let DeviceName::Wgpu(adapter) = name else {
        return None;
    };
    let choice: Result<Choice, _> = adapter.parse();
    let options = Options {
        // Any text is a choice.
        choice: choice.unwrap_or_default(),
        half_cache: asked.cache_type == Some(CacheType::F16),
        max_binding_bytes: None,
    };
    let opened = Wgpu::with_options(&options).map(Device::new);
    // Not a lack of memory, as errors of devices usually are.
    Some(opened.map_err(|error| CliError::runtime(error.to_string())))
}

fn listed(facts: &AdapterFacts) -> Listed {
    let windows = bytes(facts.max_binding_bytes.into());
    let lacks = facts
        .lacks
        .as_ref()
        .map(|lacks| format!("; unusable: it {lacks}"));
    Listed {
        name: format!("wgpu:{}", facts.number),
        kernels: format!("{facts}, windows of {windows}{}", lacks.unwrap_or_default()),
        facts: json!({
            "adapter": facts.name,
            "api": facts.api,
            "kind": facts.kind,
            "software": facts.is_software(),
            "driver": facts.driver,
            "max_binding_bytes": facts.max_binding_bytes,
            "max_buffer_bytes": facts.max_buffer_bytes,
            "workgroup_bytes": facts.workgroup_bytes,
            "lacks": facts.lacks,
        }),
    }
}

fn missing() -> Option<Missing> {
    adapters().is_empty().then(|| Missing {
        name: "wgpu".to_owned(),
        reason:
            "no Vulkan, Metal, DirectX 12 or OpenGL driver offers an adapter; docs/gpu.md says \
                 what to install"
                .to_owned(),
    })
}
