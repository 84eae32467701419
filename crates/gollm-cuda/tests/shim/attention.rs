//! Attention over the grid of head sizes, lengths and sharing ratios.

use crate::common::{ORDERS, device, random};
use gollm_cuda::{CacheType, ShimLibrary};
use gollm_tensor::{DType, Device, Place, Result, Tensor, dequantize, quantize};

/// Keys and values are rounded to f16 for both sides, so what is left is the order of summation, and
/// `exp`: some 1e-6 for each of the few hundred terms' weights.
const BOUND: f32 = 1e-5;

/// `n` numbers between -1 and 1 that are f16.
fn halves(seed: u64, n: usize) -> Vec<f32> {
    let mut values = random(seed, n);
    let bytes = quantize(&values, DType::F16).unwrap();
    dequantize(&bytes, DType::F16, &mut values).unwrap();
    values
}

/// Attention of `places` over `length` cached tokens of each of two sequences.
fn attend(
    device: &Device,
    [n_kv_heads, ratio, head_dim]: [usize; 3],
    length: usize,
    places: &[Place],
) -> Result<Vec<f32>> {
    let (kv_width, q_width) = (n_kv_heads * head_dim, n_kv_heads * ratio * head_dim);
    let all = [Place::run(0, 0, length), Place::run(1, 0, length)].concat();
    let cache = |seed| -> Result<Tensor> {
        let mut cache = device.cache(&[2, length, kv_width])?;
        let rows = halves(seed, 2 * length * kv_width);
        cache.write_rows(&device.tensor(&[2 * length, kv_width], &rows)?, &all)?;
        Ok(cache)
    };
    let (keys, values) = (cache(1)?, cache(2)?);
    // Large enough that some positions weigh much more than others.
    let q: Vec<f32> = random(3, places.len() * q_width)
        .iter()
        .map(|v| 4.0 * v)
        .collect();
    let q = device.tensor(&[places.len(), q_width], &q)?;
    q.attention(&keys, &values, places, head_dim)?.to_vec()
}

fn assert_near(found: &[f32], expected: &[f32], case: &str) {
    let largest = expected.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    let error = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    let error = error.fold(0.0f32, |m, v| if v.is_nan() { v } else { m.max(v) });
    assert!(error <= BOUND * largest, "{case}: {error} of {largest}");
    assert_eq!(found.len(), expected.len(), "{case}");
}

/// Every head size with every ratio; lengths in turn, so that each meets several of both.
fn grid(places_of: impl Fn(usize) -> Vec<Place>, lengths: &[usize]) {
    let mut lengths = lengths.iter().cycle();
    for head_dim in [1, 5, 7, 8, 16, 31, 32, 64, 128] {
        for ratio in [1, 2, 3, 4, 8] {
            let length = *lengths.next().unwrap();
            let (sizes, places) = ([2, ratio, head_dim], places_of(length));
            let expected = attend(&Device::reference(), sizes, length, &places).unwrap();
            for reversed in ORDERS {
                let device = device(reversed, ShimLibrary::Off, CacheType::F16);
                let found = attend(&device, sizes, length, &places).unwrap();
                let case = format!("head {head_dim}, ratio {ratio}, length {length}, {reversed}");
                assert_near(&found, &expected, &case);
            }
        }
    }
}

#[test]
fn one_token_attends_to_any_length() {
    // One block of positions, its last and first ones, and two to three blocks.
    let one = |sequence, position| Place { sequence, position };
    let places = |length: usize| vec![one(1, length - 1), one(0, length / 2)];
    grid(places, &[1, 3, 33, 255, 256, 257, 511, 513, 601]);
}

#[test]
fn a_prompt_attends_in_tiles() {
    // A whole prompt, and one that follows what is cached already.
    let places = |length: usize| {
        [
            Place::run(0, 0, length),
            Place::run(1, length / 3, length - length / 3),
        ]
        .concat()
    };
    grid(places, &[4, 5, 15, 16, 17, 31, 32, 33, 65]);
}

#[test]
fn heads_that_tiles_have_no_registers_for_are_attended_by_token() {
    let (sizes, places) = ([1, 2, 160], Place::run(0, 0, 9));
    let expected = attend(&Device::reference(), sizes, 9, &places).unwrap();
    let device = device(false, ShimLibrary::Off, CacheType::F16);
    assert_near(
        &attend(&device, sizes, 9, &places).unwrap(),
        &expected,
        "head 160",
    );
}

#[test]
fn a_head_that_no_block_has_memory_for_is_an_error_that_says_so() {
    let device = device(false, ShimLibrary::Off, CacheType::F16);
    let failed = attend(&device, [1, 1, 2000], 2, &Place::run(0, 0, 1));
    let message = failed.unwrap_err().to_string();
    assert!(message.contains("bytes of shared memory"), "{message}");
}
