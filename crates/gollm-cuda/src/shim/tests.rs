//! The shim catches what a kernel must not do, and knows every kernel.

use super::*;
use crate::kernel::Kernel;
use gollm_tensor::quantize;

fn shims() -> [Shim; 2] {
    [false, true].map(|reversed| {
        Shim::new(ShimOptions {
            reversed,
            ..ShimOptions::default()
        })
    })
}

fn upload(shim: &Shim, values: &[f32]) -> Argument {
    let bytes = quantize(values, DType::F32).unwrap();
    let address = shim.allocate(bytes.len()).unwrap();
    shim.write(address, &bytes).unwrap();
    Argument::Address(address)
}

fn address(argument: Argument) -> u64 {
    match argument {
        Argument::Address(address) => address,
        other => panic!("{other:?} is no address"),
    }
}

/// RMSNorm of one row of ones, by the kernel of the backend or the broken one.
fn rms_norm(shim: &Shim, name: &str) -> Vec<f32> {
    let n = 1024;
    let (x, gain) = (upload(shim, &vec![1.0; n]), upload(shim, &vec![1.0; n]));
    let out = upload(shim, &vec![0.0; n]);
    let n_columns = Argument::U32(n as u32);
    let arguments = [x, gain, Argument::F32(0.0), out, n_columns];
    shim.launch_by_name(name, [1, 1, 1], [256, 0], &arguments)
        .unwrap();
    shim.numbers(address(out), DType::F32, n).unwrap()
}

#[test]
fn a_missing_barrier_is_noticed_in_both_orders() {
    for shim in shims() {
        // The mean square of ones is one, in any order of summation.
        assert_eq!(rms_norm(&shim, "rms_norm"), [1.0; 1024]);
        // Warps that do not wait read sums that nobody has written yet.
        let broken = rms_norm(&shim, "broken_missing_barrier");
        assert!(
            broken.iter().any(|v| v.is_nan()),
            "it read what somebody wrote"
        );
    }
}

#[test]
fn a_barrier_that_one_thread_does_not_reach_is_an_error_and_not_a_hang() {
    for shim in shims() {
        let out = upload(&shim, &[0.0; 64]);
        let failed = shim.launch_by_name("broken_divergent_barrier", [1, 1, 1], [64, 0], &[out]);
        let message = failed.unwrap_err().to_string();
        for part in [
            "broken_divergent_barrier",
            "broken.cu:",
            "end of the kernel",
        ] {
            assert!(message.contains(part), "{message}");
        }
        // And the next kernel runs.
        assert_eq!(rms_norm(&shim, "rms_norm"), [1.0; 1024]);
    }
}

#[test]
fn a_write_behind_memory_is_an_error() {
    for shim in shims() {
        let out = upload(&shim, &[0.0; 32]);
        let launch = |name, shared, arguments: &[Argument]| {
            let failed = shim.launch_by_name(name, [1, 1, 1], [32, shared], arguments);
            failed.unwrap_err().to_string()
        };
        let message = launch("broken_shared_memory", 32 * 4, &[out]);
        assert!(
            message.contains("behind its 128 bytes of shared memory"),
            "{message}"
        );
        let message = launch("broken_memory", 0, &[out, Argument::U32(32)]);
        assert!(
            message.contains("behind an allocation of 128 bytes"),
            "{message}"
        );
    }
}

#[test]
fn arguments_are_compared_with_the_parameters() {
    let shim = Shim::new(ShimOptions::default());
    let launch = |name: &str, arguments: &[Argument]| {
        let failed = shim.launch_by_name(name, [1, 1, 1], [32, 0], arguments);
        failed.unwrap_err().to_string()
    };
    let n = upload(&shim, &[0.0]);
    for arguments in [&[][..], &[n, n, n], &[n, n, n, Argument::F32(1.0)]] {
        let message = launch("add", arguments);
        assert!(
            message.contains("not those that the kernel takes"),
            "{message}"
        );
    }
    assert!(launch("no_such_kernel", &[]).contains("no kernel of this name"));
    for kernel in Kernel::ALL {
        let message = launch(kernel.name(), &[]);
        assert!(
            message.contains("not those that the kernel takes"),
            "{message}"
        );
    }
}

#[test]
fn memory_that_is_not_allocated_is_neither_read_nor_written() {
    let shim = Shim::new(ShimOptions::default());
    let start = shim.allocate(100).unwrap();
    shim.write(start + 60, &[0; 40]).unwrap();
    let message = shim.write(start + 60, &[0; 41]).unwrap_err().to_string();
    assert!(message.contains("41 bytes at"), "{message}");
    shim.free(start);
    assert!(shim.read(start, &mut [0; 1]).is_err());
}

#[test]
fn f16_rounds_as_the_storage_type_does() {
    let shim = Shim::new(ShimOptions::default());
    // Every f16 there is; NaNs stay NaNs.
    let halves: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
    let n = Argument::U32(1 << 16);
    let from = shim.allocate(halves.len()).unwrap();
    shim.write(from, &halves).unwrap();
    let wide = upload(&shim, &vec![0.0; 1 << 16]);
    let one = Argument::U32(1);
    let arguments = [Argument::Address(from), wide, one, n];
    shim.launch_by_name("f16_to_f32", [1, 1, 1], [256, 0], &arguments)
        .unwrap();
    let found = shim.numbers(address(wide), DType::F32, 1 << 16).unwrap();
    let mut expected = vec![0.0; 1 << 16];
    dequantize(&halves, DType::F16, &mut expected).unwrap();
    let same = |(a, b): (&f32, &f32)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
    assert!(found.iter().zip(&expected).all(same));

    // Back: every f16, the midpoints between neighbours, and their neighbours in f32.
    let finite: Vec<f32> = expected.into_iter().filter(|v| v.is_finite()).collect();
    let mut values: Vec<f32> = finite
        .iter()
        .zip(&finite[1..])
        .flat_map(|(a, b)| {
            let middle = a + (b - a) / 2.0;
            [*a, middle, middle.next_up(), middle.next_down()]
        })
        .chain([65_519.0, 65_520.0, 1e9, -1e9, f32::INFINITY, 1e-9, -0.0])
        .collect();
    values.truncate(values.len() / 2 * 2);
    let narrow = shim.allocate(values.len() * 2).unwrap();
    let n = Argument::U32(values.len() as u32);
    let arguments = [upload(&shim, &values), Argument::Address(narrow), one, n];
    shim.launch_by_name("f32_to_f16", [1, 1, 1], [256, 0], &arguments)
        .unwrap();
    let mut found = vec![0; values.len() * 2];
    shim.read(narrow, &mut found).unwrap();
    assert_eq!(found, quantize(&values, DType::F16).unwrap());
}
