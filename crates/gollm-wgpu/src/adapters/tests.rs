//! The rules of choosing, on adapters that need not exist.

use super::*;

fn facts(number: usize, name: &str, device_type: DeviceType, lacks: Option<&str>) -> AdapterFacts {
    AdapterFacts {
        number,
        name: name.to_owned(),
        api: "vulkan",
        kind: kind(device_type),
        driver: "driver 1.2".to_owned(),
        max_binding_bytes: 1 << 27,
        max_buffer_bytes: 1 << 30,
        workgroup_bytes: 16_384,
        lacks: lacks.map(str::to_owned),
    }
}

fn machine() -> Vec<AdapterFacts> {
    vec![
        facts(0, "Old Card", DeviceType::DiscreteGpu, Some("is too old")),
        facts(1, "Chip Graphics", DeviceType::IntegratedGpu, None),
        facts(2, "llvmpipe (LLVM 15)", DeviceType::Cpu, None),
    ]
}

#[test]
fn the_first_gpu_that_can_run_the_kernels_is_the_default() {
    assert_eq!(position(&Choice::Hardware, &machine()), Some(1));
    assert_eq!(position(&Choice::Hardware, &machine()[2..]), None);
}

#[test]
fn software_is_taken_by_that_word_a_number_or_a_name_only() {
    let machine = machine();
    assert_eq!(position(&Choice::Software, &machine), Some(2));
    assert_eq!(position(&Choice::Number(2), &machine), Some(2));
    assert_eq!(
        position(&Choice::Named("LLVMpipe".to_owned()), &machine),
        Some(2)
    );
    assert_eq!(position(&Choice::Software, &machine[..2]), None);
}

#[test]
fn an_adapter_that_is_not_there_is_answered_with_those_that_are() {
    let message = not_found(&Choice::Number(7), &machine()).to_string();
    for part in [
        "wgpu:7",
        "no adapter 7",
        "1 Chip Graphics (integrated GPU, vulkan, driver 1.2)",
    ] {
        assert!(message.contains(part), "`{part}` in `{message}`");
    }
    let message = not_found(&Choice::Hardware, &machine()[2..]).to_string();
    for part in ["no GPU was found", "llvmpipe", "wgpu:software"] {
        assert!(message.contains(part), "`{part}` in `{message}`");
    }
    let message = not_found(&Choice::Hardware, &[]).to_string();
    assert!(message.contains("driver"), "{message}");
}

#[test]
fn discrete_comes_before_integrated_before_virtual_before_software_and_gl_last_of_a_kind() {
    let info = |device_type, backend| rank(&AdapterInfo::new(device_type, backend));
    let order = [
        info(DeviceType::DiscreteGpu, Backend::Vulkan),
        info(DeviceType::DiscreteGpu, Backend::Gl),
        info(DeviceType::IntegratedGpu, Backend::Vulkan),
        info(DeviceType::VirtualGpu, Backend::Vulkan),
        info(DeviceType::Cpu, Backend::Vulkan),
        info(DeviceType::Cpu, Backend::Gl),
    ];
    assert!(order.is_sorted_by(|a, b| a < b));
}
