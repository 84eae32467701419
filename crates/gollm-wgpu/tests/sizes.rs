//! Sizes at the edge: grids beyond one dimension, nothing at all, ties, minus infinity, long contexts.

#![expect(clippy::unwrap_used, reason = "tests stop where they cannot go on")]

mod common;

use gollm_tensor::{DType, Device, Place, Tensor};
use gollm_wgpu::Options;

fn device() -> Option<Device> {
    common::open(Options::default()).map(Device::new)
}

/// Numbers that differ from one another and stay between -1 and 1.
fn numbers(n: usize) -> Vec<f32> {
    (0..n)
        .map(|i| ((i * 7_919) % 2_003) as f32 / 1_001.5 - 1.0)
        .collect()
}

/// The largest difference to the reference, relative to its largest number. 1e-5 is the bound of one f32
/// operation: only the order of sums differs.
fn assert_close(device: &Device, compute: impl Fn(&Device) -> Tensor) {
    let found = compute(device).to_vec().unwrap();
    let expected = compute(&Device::reference()).to_vec().unwrap();
    assert_eq!(found.len(), expected.len());
    let scale = expected.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert!(
            (found - expected).abs() <= 1e-5 * scale,
            "{i}: {found} for {expected}"
        );
    }
}

/// 65,535 workgroups are all that one dimension of a grid may have.
#[test]
fn more_rows_than_a_grid_is_wide() {
    let Some(device) = device() else { return };
    let shape = [70_001, 3];
    let x = numbers(70_001 * 3);
    assert_close(&device, |device| {
        let weight = device.tensor(&[3], &[1.0, 2.0, 3.0]).unwrap();
        let x = device.tensor(&shape, &x).unwrap();
        x.rms_norm(&weight, 1e-5).unwrap().softmax().unwrap()
    });
    let largest = |device: &Device| device.tensor(&shape, &x).unwrap().argmax().unwrap();
    assert_eq!(largest(&device), largest(&Device::reference()));
}

#[test]
fn more_numbers_than_a_grid_is_wide() {
    let Some(device) = device() else { return };
    // 256 numbers for each workgroup: 66,000 of them.
    let shape = [66_000, 256];
    let x = numbers(66_000 * 256);
    assert_close(&device, |device| {
        let x = device.tensor(&shape, &x).unwrap();
        x.add(&x).unwrap().rows(&[0, 65_535, 65_999]).unwrap()
    });
}

#[test]
fn more_outputs_than_a_grid_is_wide() {
    let Some(device) = device() else { return };
    // Four rows for each workgroup: 70,000 of them.
    let weight = numbers(280_000 * 3);
    assert_close(&device, |device| {
        let weight = device.tensor(&[280_000, 3], &weight).unwrap();
        device
            .tensor(&[1, 3], &[0.5, -1.0, 2.0])
            .unwrap()
            .matmul(&weight)
            .unwrap()
    });
}

/// Rows whose bytes are no whole number of words: each begins in a word of its own.
#[test]
fn rows_of_odd_width_in_two_byte_types_and_odd_numbers_of_blocks() {
    let Some(device) = device() else { return };
    for (dtype, widths) in [
        (DType::F16, &[1, 2, 3, 5, 255][..]),
        (DType::BF16, &[1, 2, 3, 5, 255][..]),
        (DType::Q8_0, &[32, 96, 160][..]),
        (DType::Q4_0, &[32, 96, 160][..]),
    ] {
        for &width in widths {
            let weight = numbers(7 * width);
            let x = numbers(20 * width);
            assert_close(&device, |device| {
                let weight = device.stored(&[7, width], dtype, &weight).unwrap();
                assert_eq!(weight.to_vec().unwrap().len(), 7 * width);
                let x = device.tensor(&[20, width], &x).unwrap();
                x.matmul(&weight)
                    .unwrap()
                    .add(&x.matmul(&weight).unwrap())
                    .unwrap()
            });
        }
    }
}

#[test]
fn products_of_nothing_are_zero() {
    let Some(device) = device() else { return };
    let x = device.tensor(&[2, 0], &[]).unwrap();
    let weight = device.tensor(&[3, 0], &[]).unwrap();
    assert_eq!(x.matmul(&weight).unwrap().to_vec().unwrap(), [0.0; 6]);
    let none = device.tensor(&[0, 4], &[]).unwrap();
    assert!(none.softmax().unwrap().to_vec().unwrap().is_empty());
    assert!(none.argmax().unwrap().is_empty());
    let norm = device.tensor(&[0], &[]).unwrap();
    assert!(
        x.rms_norm(&norm, 1e-5)
            .unwrap()
            .to_vec()
            .unwrap()
            .is_empty()
    );
}

#[test]
fn the_first_of_equal_numbers_is_the_largest() {
    let Some(device) = device() else { return };
    let mut row = vec![1.0f32; 700];
    row[300] = 2.0;
    row[650] = 2.0;
    let lowest = vec![f32::NEG_INFINITY; 700];
    let mut masked = lowest.clone();
    masked[699] = -3.0;
    let x = device.tensor(&[4, 700], &[row, vec![5.0; 700], lowest, masked].concat());
    assert_eq!(x.unwrap().argmax().unwrap(), [300, 0, 0, 699]);
}

/// Several blocks of positions, the last one cut off anywhere; scores large enough that a sum of e^x
/// without its largest taken out would overflow.
#[test]
fn attention_over_a_long_context() {
    let Some(device) = device() else { return };
    let (context_length, head_dim, n_heads) = (300, 40, 4);
    let shape = [2, context_length, head_dim * 2];
    let scaled = |n: usize, by: f32| numbers(n).iter().map(|v| v * by).collect::<Vec<_>>();
    let k = scaled(context_length * head_dim * 2, 20.0);
    let v = numbers(context_length * head_dim * 2);
    let places: Vec<Place> = [0, 62, 63, 64, 65, 127, 128, 299]
        .map(|position| Place {
            sequence: 1,
            position,
        })
        .into();
    let q = scaled(places.len() * n_heads * head_dim, 20.0);
    // Scores of some thousands carry roundings of some 1e-4 into the exponent.
    let attend = |device: &Device| {
        let (mut keys, mut values) = (device.cache(&shape).unwrap(), device.cache(&shape).unwrap());
        let all = Place::run(1, 0, context_length);
        let rows = [context_length, head_dim * 2];
        keys.write_rows(&device.tensor(&rows, &k).unwrap(), &all)
            .unwrap();
        values
            .write_rows(&device.tensor(&rows, &v).unwrap(), &all)
            .unwrap();
        let q = device
            .tensor(&[places.len(), n_heads * head_dim], &q)
            .unwrap();
        q.attention(&keys, &values, &places, head_dim)
            .unwrap()
            .to_vec()
            .unwrap()
    };
    let (found, expected) = (attend(&device), attend(&Device::reference()));
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-3, "{found} for {expected}");
    }
}
