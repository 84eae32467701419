//! Chapter 10: from thread to tensor, in CUDA C. The kernels run on the processor, in both orders of threads.
#![cfg(feature = "shim")]

#[path = "shim/common.rs"]
mod common;

use common::{ORDERS, device, random};
use gollm_cuda::{CacheType, ShimLibrary};
use gollm_tensor::{DType, Device, Result, Tensor, dequantize, quantize};

fn devices() -> [Device; 2] {
    ORDERS.map(|reversed| device(reversed, ShimLibrary::Off, CacheType::F16))
}

/// RMSNorm of `n_rows` equal rows with the gain 1, 2, 3, …
fn rms_norm(device: &Device, row: &[f32], n_rows: usize) -> Result<Vec<f32>> {
    let gain: Vec<f32> = (1..=row.len()).map(|i| i as f32).collect();
    let x = device.tensor(&[n_rows, row.len()], &row.repeat(n_rows))?;
    x.rms_norm(&device.tensor(&[row.len()], &gain)?, 0.0)?
        .to_vec()
}

/// The largest difference, relative to the largest number expected.
fn difference(found: &[f32], expected: &[f32]) -> f32 {
    let largest = expected.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    let pairs = found.iter().zip(expected);
    pairs.fold(0.0f32, |m, (a, b)| m.max((a - b).abs())) / largest
}

#[test]
fn s1_the_row_of_the_page_has_the_mean_square_three() {
    let row = [3.0, 1.0, 0.0, 2.0, -1.0, 2.0, 1.0, 2.0];
    let expected: Vec<f32> = (1u8..)
        .zip(row)
        .map(|(i, x)| x / 3f32.sqrt() * f32::from(i))
        .collect();
    for device in devices() {
        let found = rms_norm(&device, &row, 1).unwrap();
        // A square root and two products, each rounded once.
        assert!(difference(&found, &expected) < 3e-7, "{found:?}");
    }
}

#[test]
fn s1_a_width_need_not_be_a_multiple_of_the_block() {
    for width in [1, 31, 32, 33, 255, 256, 257, 768, 1000] {
        let row = random(width as u64, width);
        let expected = rms_norm(&Device::reference(), &row, 3).unwrap();
        for device in devices() {
            let found = rms_norm(&device, &row, 3).unwrap();
            // Another order of summation.
            assert!(difference(&found, &expected) < 1e-6, "{width}");
        }
    }
}

#[test]
fn s2_quantized_weights_dealt_out_anew_are_still_the_same_weights() {
    let (n_out, n_in) = (5, 96);
    for dtype in [DType::Q8_0, DType::Q4_0] {
        let bytes = quantize(&random(1, n_out * n_in), dtype).unwrap();
        let mut expected = vec![0.0; n_out * n_in];
        dequantize(&bytes, dtype, &mut expected).unwrap();
        let x = random(6, n_in);
        let product = |weight: &Tensor| {
            let x = weight.device().tensor(&[1, n_in], &x)?;
            x.matmul(weight)?.to_vec()
        };
        let reference = Device::reference();
        let sums = product(&reference.tensor(&[n_out, n_in], &expected).unwrap()).unwrap();
        for device in devices() {
            let weight = device
                .upload(&[n_out, n_in], dtype, bytes.clone().into())
                .unwrap();
            assert_eq!(weight.to_vec().unwrap(), expected, "{dtype}");
            // The order of summation, and the scale before or after the sum of a chunk.
            assert!(
                difference(&product(&weight).unwrap(), &sums) < 1e-6,
                "{dtype}"
            );
        }
    }
}

#[test]
fn s3_weights_of_half_precision_are_rounded_once_and_arithmetic_is_f32() {
    let (n_out, n_in) = (33, 200);
    let (weights, x) = (random(2, n_out * n_in), random(3, n_in));
    let product = |device: &Device, dtype| {
        let weight = device.stored(&[n_out, n_in], dtype, &weights)?;
        device.tensor(&[1, n_in], &x)?.matmul(&weight)?.to_vec()
    };
    let [exact, rounded] =
        [DType::F32, DType::F16].map(|t| product(&Device::reference(), t).unwrap());
    for device in devices() {
        let found = product(&device, DType::F16).unwrap();
        // Only the order of summation differs from the same weights in f32 arithmetic, …
        assert!(difference(&found, &rounded) < 1e-6);
        // … and 2⁻¹¹ of each weight from weights that were never rounded.
        let lost = difference(&found, &exact);
        assert!((1e-6..5e-4).contains(&lost), "{lost}");
    }
}

#[test]
fn s4_the_greedy_id_is_found_on_the_device_and_the_first_of_two_wins() {
    let mut logits = random(4, 3000);
    (logits[1234], logits[2345]) = (7.0, 7.0);
    for device in devices() {
        let ids = device
            .tensor(&[1, 3000], &logits)
            .unwrap()
            .argmax()
            .unwrap();
        assert_eq!(ids, [1234]);
    }
}

#[test]
fn s5_threads_in_reverse_give_the_same_bytes() {
    let row = random(5, 700);
    let [forward, reverse] = devices().map(|device| {
        let softmax = device.tensor(&[7, 100], &row).unwrap().softmax().unwrap();
        (
            rms_norm(&device, &row, 2).unwrap(),
            softmax.to_vec().unwrap(),
        )
    });
    assert_eq!(forward, reverse);
}
