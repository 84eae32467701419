//! Chapter 10: from thread to tensor, in WGSL, on whatever adapter is here (Mesa's lavapipe computes on the
//! processor).

#![expect(clippy::unwrap_used, reason = "tests stop where they cannot go on")]

mod common;

use gollm_tensor::Device;
use gollm_wgpu::Options;

/// RMSNorm of one row, all gains 1.
fn rms_norm(device: &Device, row: &[f32]) -> Vec<f32> {
    let x = device.tensor(&[1, row.len()], row).unwrap();
    let gain = device.tensor(&[row.len()], &vec![1.0; row.len()]).unwrap();
    x.rms_norm(&gain, 0.0).unwrap().to_vec().unwrap()
}

fn assert_near(found: &[f32], expected: &[f32]) {
    for (found, expected) in found.iter().zip(expected) {
        // A mean and a root, in another order of summation.
        assert!(
            (found - expected).abs() <= 2e-6 * expected.abs().max(1.0),
            "{found} {expected}"
        );
    }
}

#[test]
fn s1_the_row_of_the_page_has_the_mean_square_three() {
    let Some(wgpu) = common::open(Options::default()) else {
        return;
    };
    let row = [3.0, 1.0, 0.0, 2.0, -1.0, 2.0, 1.0, 2.0];
    assert_near(
        &rms_norm(&Device::new(wgpu), &row),
        &row.map(|x| x / 3f32.sqrt()),
    );
}

#[test]
fn s1_a_width_need_not_be_a_multiple_of_the_workgroup() {
    let Some(wgpu) = common::open(Options::default()) else {
        return;
    };
    let device = Device::new(wgpu);
    for width in [1, 31, 32, 33, 255, 256, 257, 768, 1000] {
        let row: Vec<f32> = (0..width)
            .map(|i| ((i * 37 + 11) % 101) as f32 / 50.0 - 1.0)
            .collect();
        assert_near(
            &rms_norm(&device, &row),
            &rms_norm(&Device::reference(), &row),
        );
    }
}

#[test]
fn s4_the_greedy_id_is_found_on_the_device_and_the_first_of_two_wins() {
    let Some(wgpu) = common::open(Options::default()) else {
        return;
    };
    let mut logits = vec![0.0f32; 3000];
    (logits[1234], logits[2345]) = (7.0, 7.0);
    let logits = Device::new(wgpu).tensor(&[1, 3000], &logits).unwrap();
    assert_eq!(logits.argmax().unwrap(), [1234]);
}
