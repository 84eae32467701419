//! Devices that fail: what a driver does rarely, done on purpose.

use gollm_tensor::{Device, Error};

use super::*;

/// A device of any kind; `None` where there is none and none is required.
fn open() -> Option<Wgpu> {
    let opened = Wgpu::new(Choice::Software).or_else(|_| Wgpu::new(Choice::Hardware));
    let required = std::env::var("GOLLM_REQUIRE_WGPU").is_ok_and(|value| value == "1");
    match opened {
        Ok(wgpu) => Some(wgpu),
        Err(error) => {
            assert!(
                !required,
                "GOLLM_REQUIRE_WGPU=1, and no wgpu adapter: {error}"
            );
            eprintln!("skipped: no wgpu adapter");
            None
        }
    }
}

fn message_of<T>(result: Result<T>) -> String {
    let Err(error) = result else {
        panic!("it worked")
    };
    assert!(matches!(error, Error::Device { .. }), "{error:?}");
    error.to_string()
}

#[test]
fn a_device_that_is_lost_gives_errors_from_then_on() {
    let Some(wgpu) = open() else { return };
    let device = Device::new(wgpu.clone());
    let x = device.tensor(&[1, 3], &[1.0, 2.0, 3.0]).unwrap();
    wgpu.0.gpu.device.destroy();
    let y = x.add(&x).and_then(|y| y.to_vec());
    assert!(message_of(y).starts_with("device `wgpu:"));
    message_of(
        device
            .tensor(&[1, 3], &[1.0, 2.0, 3.0])
            .and_then(|x| x.to_vec()),
    );
    message_of(device.backend().synchronize());
}

#[test]
fn a_call_that_wgpu_refuses_is_an_error_of_whoever_waits_next() {
    let Some(wgpu) = open() else { return };
    let device = Device::new(wgpu.clone());
    let x = device.tensor(&[1, 3], &[1.0, 2.0, 3.0]).unwrap();
    // A write of three bytes: wgpu takes whole words only.
    let buffer = wgpu.0.gpu.buffer(16, wgpu::BufferUsages::COPY_DST).unwrap();
    wgpu.0.gpu.queue.write_buffer(&buffer, 0, &[1, 2, 3]);
    assert!(message_of(x.to_vec()).contains("write_buffer"));
}

#[test]
fn more_memory_than_there_is_is_refused_and_the_device_goes_on() {
    let Some(wgpu) = open() else { return };
    let gpu = &wgpu.0.gpu;
    let refused = gpu.buffer(1 << 60, wgpu::BufferUsages::STORAGE);
    assert!(message_of(refused).contains("1152921504606846976 bytes"));
    let device = Device::new(wgpu.clone());
    let x = device.tensor(&[1, 2], &[1.0, 2.0]).unwrap();
    assert_eq!(x.add(&x).unwrap().to_vec().unwrap(), [2.0, 4.0]);
}

#[test]
fn memory_of_another_device_is_refused() {
    let (Some(one), Some(other)) = (open(), open()) else {
        return;
    };
    let x = Device::new(one).tensor(&[1, 2], &[1.0, 2.0]).unwrap();
    let y = Device::new(other).tensor(&[1, 2], &[1.0, 2.0]).unwrap();
    assert!(matches!(x.add(&y), Err(Error::DeviceMismatch { .. })));
}

#[test]
fn every_kernel_is_accepted_by_the_adapter() {
    use crate::kernels::Product;
    use gollm_tensor::DType;

    let Some(wgpu) = open() else { return };
    let mut kernels = vec![Kernel::RmsNorm, Kernel::Rope, Kernel::Swiglu, Kernel::Add];
    kernels.extend([Kernel::Softmax, Kernel::Argmax]);
    for half in [false, true] {
        kernels.extend([Kernel::WriteRows { half }, Kernel::Append { half }]);
        for rotate in [false, true] {
            kernels.extend([1, 128, 256].map(|head_dim| Kernel::Attention {
                half,
                head_dim,
                rotate,
            }));
        }
    }
    for dtype in DType::ALL {
        kernels.extend([Kernel::Embed(dtype), Kernel::Matmul(dtype)]);
        for tokens in [1, 8] {
            let product = Product { dtype, tokens };
            kernels.extend([Kernel::Matvec(product), Kernel::GateUp(product)]);
        }
    }
    for kernel in kernels {
        let compiled = wgpu.0.pipelines.get(&wgpu.0.gpu, kernel);
        assert!(compiled.is_ok(), "{:?}", compiled.err());
    }
}
