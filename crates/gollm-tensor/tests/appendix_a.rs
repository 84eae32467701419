//! Appendix A, tensors. Run with `cargo test --test appendix_a`; read with
//! `notes/appendix-a-tensors.md`.
#![allow(
    clippy::expect_used,
    reason = "a test whose setting cannot be made should panic"
)]

use approx::assert_relative_eq;
use gollm_tensor::{DType, Device, Error, HostBytes, Place, dequantize, quantize};
use proptest::prelude::*;

/// Two rows of three, counted from 1.
fn counted() -> gollm_tensor::Tensor {
    Device::reference()
        .tensor(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
        .expect("2 x 3 values")
}

/// The plain three loops, in f64: what a matrix product means, without any library.
fn matmul_by_loops(x: &[f32], weight: &[f32], [n, n_in, n_out]: [usize; 3]) -> Vec<f32> {
    let mut y = Vec::new();
    for t in 0..n {
        for o in 0..n_out {
            let products =
                (0..n_in).map(|i| f64::from(x[t * n_in + i]) * f64::from(weight[o * n_in + i]));
            y.push(products.sum::<f64>() as f32);
        }
    }
    y
}

#[test]
fn s2_a_tensor_is_numbers_in_row_major_order_under_a_shape() {
    let x = counted();
    assert_eq!(x.shape(), [2, 3]);
    assert_eq!(x.n_elements(), 6);
    // Element (row, column) lies at row · n_columns + column: (1, 2) at 1 · 3 + 2.
    assert_eq!(x.to_vec().expect("readable")[3 + 2], 6.0);
}

#[test]
fn s2_reshaping_keeps_the_numbers_and_their_order() {
    let x = counted().reshape(&[3, 2]).expect("6 = 6");
    assert_eq!(x.shape(), [3, 2]);
    assert_eq!(
        x.to_vec().expect("readable"),
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    );
    let error = counted()
        .reshape(&[4, 2])
        .expect_err("6 values cannot fill 8");
    assert_eq!(
        error.to_string(),
        "reshape: `self` has shape [2, 3], expected as many values as [4, 2]"
    );
}

#[test]
fn s2_values_must_fill_the_shape_exactly() {
    let error = Device::reference()
        .tensor(&[2, 3], &[0.0; 5])
        .expect_err("5 values are not 6");
    assert_eq!(error.to_string(), "tensor: values has length 5, expected 6");
    let bytes = HostBytes::from(vec![0; 23]);
    let error = Device::reference()
        .upload(&[2, 3], DType::F32, bytes)
        .expect_err("23 bytes");
    assert_eq!(
        error.to_string(),
        "upload: bytes has length 23, expected 24"
    );
}

#[test]
fn s2_a_shape_too_large_for_the_machine_is_an_error() {
    let huge = [usize::MAX / 2, 3];
    let error = Device::reference()
        .zeros(&huge)
        .expect_err("no machine has it");
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    // Fits in a number, not in any memory.
    let error = Device::reference()
        .zeros(&[1 << 40, 1 << 10])
        .expect_err("no machine has it");
    assert!(matches!(error, Error::Device { .. }), "{error}");
}

#[test]
fn s4_a_matrix_product_is_a_dot_product_of_rows() {
    // y = x · weightᵀ; by hand: 1·1 + 2·0 + 3·2 = 7 and so on.
    let weight = Device::clone(counted().device());
    let x = counted();
    let weight = weight
        .tensor(&[2, 3], &[1.0, 0.0, 2.0, 0.0, 1.0, -1.0])
        .expect("2 x 3");
    let y = x.matmul(&weight).expect("3 = 3");
    assert_eq!(y.shape(), [2, 2]);
    assert_eq!(y.to_vec().expect("readable"), [7.0, -1.0, 16.0, -1.0]);
}

#[test]
fn s4_shapes_that_do_not_fit_are_named_with_their_numbers() {
    let x = counted();
    let weight = x.device().tensor(&[2, 2], &[0.0; 4]).expect("2 x 2");
    let message = x.matmul(&weight).expect_err("3 is not 2").to_string();
    assert_eq!(
        message,
        "matmul: `weight` has shape [2, 2], expected [n_out, n_in] = [2, 3]"
    );
    let vector = x.device().tensor(&[6], &[0.0; 6]).expect("6");
    let message = vector
        .matmul(&weight)
        .expect_err("a vector is no matrix")
        .to_string();
    assert_eq!(
        message,
        "matmul: `x` has shape [6], expected [rows, columns]"
    );
}

#[test]
fn s4_tensors_of_two_devices_do_not_mix() {
    let here = counted();
    let there = Device::new(gollm_tensor::Reference)
        .tensor(&[2, 3], &[0.0; 6])
        .expect("2 x 3");
    let message = here.add(&there).expect_err("two devices").to_string();
    assert!(
        message.contains("`other` lives on another device"),
        "{message}"
    );
    assert!(here.add(&here.clone()).is_ok());
}

#[test]
fn s5_softmax_makes_probabilities_and_survives_large_numbers() {
    let x = Device::reference()
        .tensor(&[2, 2], &[0.0, 3f32.ln(), 1000.0, -1000.0])
        .expect("2 x 2");
    let y = x.softmax().expect("a matrix").to_vec().expect("readable");
    assert_relative_eq!(y[..], [0.25, 0.75, 1.0, 0.0], epsilon = 1e-7); // one rounding of e^x
}

#[test]
fn s6_storage_takes_the_bytes_it_says() {
    // 64 values: 4, 2 and 2 bytes each; two blocks of 34; two blocks of 18.
    let bytes = DType::ALL.map(|dtype| dtype.n_bytes(&[2, 32]).expect("whole blocks"));
    assert_eq!(bytes, [256, 128, 128, 68, 36]);
    let message = DType::Q8_0
        .n_bytes(&[2, 33])
        .expect_err("33 is not 32")
        .to_string();
    assert_eq!(
        message,
        "a row of 33 values cannot be stored as q8_0: it is not a multiple of 32"
    );
}

#[test]
fn s6_each_type_keeps_a_known_number_of_digits() {
    let values: Vec<f32> = (0..64).map(|i| (i as f32 * 0.37).sin()).collect();
    // Half a unit in the last place: 2^-24, 2^-11, 2^-8 of the value; half a step of the block's
    // scale, 1/127 and 1/8 of its largest value, which is nearly 1 here (q4_0 reaches 7/8 on the other side: one whole step).
    let bounds = [
        0.0,
        1.0 / 2048.0,
        1.0 / 256.0,
        0.5 / 127.0 + 1e-3,
        1.0 / 8.0,
    ];
    for (dtype, bound) in DType::ALL.into_iter().zip(bounds) {
        let stored = quantize(&values, dtype).expect("whole blocks");
        let mut back = vec![0.0; 64];
        dequantize(&stored, dtype, &mut back).expect("as many values");
        let worst = values
            .iter()
            .zip(&back)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(worst <= bound, "{dtype}: off by {worst}, bound {bound}");
        assert!(
            dtype == DType::F32 || worst > 0.0,
            "{dtype} cannot be exact here"
        );
    }
}

#[test]
fn s6_a_q8_0_block_is_ggmls_byte_for_byte() {
    // 32 values 0..31: the scale is 31/127 as f16, the quants are round(i · 127 / 31).
    let values: Vec<f32> = (0..32u8).map(f32::from).collect();
    let block = quantize(&values, DType::Q8_0).expect("one block");
    assert_eq!(block[..2], half::f16::from_f32(31.0 / 127.0).to_le_bytes());
    assert_eq!(block[2..6], [0, 4, 8, 12]); // 4.10, 8.19, 12.29 rounded
    assert_eq!(block[33], 127);
}

#[test]
fn s6_a_q4_0_block_keeps_its_first_half_in_the_low_nibbles() {
    // The value of largest magnitude, -8, fixes the scale at 1, so every integer is exact.
    let values: Vec<f32> = (0..32).map(|i| (i % 16) as f32 - 8.0).collect();
    let block = quantize(&values, DType::Q4_0).expect("one block");
    assert_eq!(block[..2], half::f16::from_f32(1.0).to_le_bytes());
    assert_eq!(block[2..5], [0x00, 0x11, 0x22]);
    let mut back = [0.0; 32];
    dequantize(&block, DType::Q4_0, &mut back).expect("one block");
    assert_eq!(back.as_slice(), values);
}

#[test]
fn s6_a_stored_weight_multiplies_like_its_dequantized_self() {
    let (n, n_in, n_out) = (3, 64, 70); // 70 rows: one full tile of the reference and a rest
    let x: Vec<f32> = (0..n * n_in).map(|i| (i as f32 * 0.37).sin()).collect();
    let weight: Vec<f32> = (0..n_out * n_in).map(|i| (i as f32 * 0.11).cos()).collect();
    let device = Device::reference();
    for dtype in DType::ALL {
        let stored = device
            .stored(&[n_out, n_in], dtype, &weight)
            .expect("whole blocks");
        let found = device
            .tensor(&[n, n_in], &x)
            .expect("x")
            .matmul(&stored)
            .expect("64 = 64");
        let expected = matmul_by_loops(&x, &stored.to_vec().expect("readable"), [n, n_in, n_out]);
        // 64 products of magnitude 1 summed in f32: 64 · 2^-24 ≈ 4e-6.
        assert_relative_eq!(
            found.to_vec().expect("readable")[..],
            expected[..],
            epsilon = 1e-5,
            max_relative = 1e-5
        );
    }
}

#[test]
fn s7_a_cache_is_written_in_place_and_only_by_its_owner() {
    let device = Device::reference();
    let mut cache = device.zeros(&[2, 3, 1]).expect("small");
    let rows = device.tensor(&[2, 1], &[5.0, 6.0]).expect("2 x 1");
    cache
        .write_rows(&rows, &Place::run(1, 1, 2))
        .expect("inside the cache");
    assert_eq!(
        cache.to_vec().expect("readable"),
        [0.0, 0.0, 0.0, 0.0, 5.0, 6.0]
    );
    let message = cache
        .write_rows(&rows, &Place::run(1, 2, 2))
        .expect_err("beyond")
        .to_string();
    assert_eq!(
        message,
        "write_rows: position 3 is out of range, there are 3"
    );
    let reader = cache.clone();
    let message = cache
        .write_rows(&rows, &Place::run(0, 0, 2))
        .expect_err("shared")
        .to_string();
    assert!(message.contains("shared by several handles"), "{message}");
    drop(reader);
    assert!(cache.write_rows(&rows, &Place::run(0, 0, 2)).is_ok());
}

#[test]
fn s7_an_id_outside_the_table_is_an_error() {
    let message = counted().embed(&[0, 2]).expect_err("two rows").to_string();
    assert_eq!(message, "embed: token id 2 is out of range, there are 2");
}

#[test]
fn s7_f32_bytes_are_read_where_they_lie_or_copied_when_they_cannot_be() {
    // One of the two starts is not a multiple of 4, so that both ways are taken.
    let bytes: Vec<u8> = [0u8; 1]
        .into_iter()
        .chain([1.5f32, -2.0].iter().flat_map(|v| v.to_le_bytes()))
        .chain([0; 3])
        .collect();
    let shared = HostBytes::from(bytes);
    let odd = shared.slice(1..9).expect("8 of 12 bytes");
    let device = Device::reference();
    let x = device.upload(&[1, 2], DType::F32, odd).expect("8 bytes");
    assert_eq!(x.to_vec().expect("readable"), [1.5, -2.0]);
    assert!(shared.slice(9..13).is_none(), "a range past the end");
}

proptest! {
    #[test]
    fn the_product_equals_three_loops(
        (n, n_in, n_out) in (1usize..5, 1usize..70, 1usize..70),
        seed in 0u32..1000,
    ) {
        let value = |i: usize| ((i as f32 + seed as f32) * 0.7).sin();
        let x: Vec<f32> = (0..n * n_in).map(value).collect();
        let weight: Vec<f32> = (0..n_out * n_in).map(|i| value(i * 3)).collect();
        let device = Device::reference();
        let found = device.tensor(&[n, n_in], &x).expect("x")
            .matmul(&device.tensor(&[n_out, n_in], &weight).expect("weight")).expect("fits");
        let expected = matmul_by_loops(&x, &weight, [n, n_in, n_out]);
        for (a, b) in found.to_vec().expect("readable").iter().zip(&expected) {
            // Up to 69 products of magnitude 1: 69 · 2^-24 ≈ 4e-6.
            prop_assert!((a - b).abs() < 1e-5, "{} and {}", a, b);
        }
    }

    #[test]
    fn quantizing_twice_changes_nothing(values in prop::collection::vec(-1e3f32..1e3, 32)) {
        // bf16, f16 and f32 are exact the second time. The blocked types round their scale to f16
        // after choosing the quants, so a second pass may move by a rounding of the scale.
        for dtype in DType::ALL {
            let mut once = [0.0; 32];
            dequantize(&quantize(&values, dtype).expect("a block"), dtype, &mut once).expect("32");
            let mut twice = [0.0; 32];
            dequantize(&quantize(&once, dtype).expect("a block"), dtype, &mut twice).expect("32");
            let largest = once.iter().fold(0.0f32, |m, v| m.max(v.abs()));
            let bound = if dtype.block_len() == 1 { 0.0 } else { largest * 1e-3 };
            for (a, b) in once.iter().zip(&twice) {
                prop_assert!((a - b).abs() <= bound, "{}: {} and {}", dtype, a, b);
            }
        }
    }

    #[test]
    fn any_bytes_dequantize_or_fail_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), n in 0usize..64) {
        for dtype in DType::ALL {
            let mut out = vec![0.0; n];
            let result = dequantize(&bytes, dtype, &mut out);
            let fits = dtype.n_bytes(&[n]).is_ok_and(|expected| expected == bytes.len());
            prop_assert_eq!(result.is_ok(), fits);
        }
    }
}
