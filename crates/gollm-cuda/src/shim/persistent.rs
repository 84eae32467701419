//! The persistent kernel on the processor gives what the launches give one by one, and what is missing in a
//! broken one is noticed.

use gollm_conformance::{Bounds, assert_conforms};
use gollm_tensor::{CachedAttention, DType, Device, Place, Result, RopeTable, Tensor};

use super::player::{player, shim};
use super::{Shim, ShimOptions};
use crate::cuda::Cuda;
use crate::kernel::Kernel;
use crate::options::CacheType;
use crate::persistent::{Operation, THREADS, WEIGHTS, name};
use crate::runtime::{Argument, Runtime};

fn random(seed: u64, n: usize) -> Vec<f32> {
    let value = |i: usize| ((i as u64 + 1) * (seed + 17) * 7919 % 1009) as f32 / 504.5 - 1.0;
    (0..n).map(value).collect()
}

/// Three layers of decoding one token behind `position` others, without a model around them: outputs and
/// what is in the caches.
fn layers(device: &Device, dtype: DType, position: usize) -> Result<Vec<f32>> {
    let (width, kv_width, hidden, head_dim, length) = (64, 32, 96, 16, 600);
    let weight = |seed, rows: usize, columns: usize| {
        let values: Vec<f32> = random(seed, rows * columns)
            .iter()
            .map(|v| v * 0.3)
            .collect();
        device.stored(&[rows, columns], dtype, &values)
    };
    let rope = RopeTable::new(
        device,
        &[1.0, 0.5, 0.25, 0.1, 0.05, 0.02, 0.01, 0.001],
        length,
    )?;
    let norm = device.tensor(&[width], &random(1, width))?;
    let first = device.tensor(&[1, width], &random(2, width))?; // held: freeing it would be a reason to play
    let mut x = first.clone();
    let places = [Place {
        sequence: 0,
        position,
    }];
    let cache = |seed| -> Result<Tensor> {
        let mut cache = device.cache(&[1, length, kv_width])?;
        let rows = device.tensor(&[position, kv_width], &random(seed, position * kv_width))?;
        cache.write_rows(&rows, &Place::run(0, 0, position))?;
        Ok(cache)
    };
    let mut caches = Vec::new();
    let mut weights = Vec::new();
    for layer in 0..3 {
        caches.push((cache(20 + layer)?, cache(30 + layer)?));
        weights.push([
            weight(3 + layer, width, width)?,
            weight(6 + layer, kv_width, width)?,
            weight(9 + layer, hidden, width)?,
            weight(12 + layer, width, hidden)?,
        ]);
    }
    for ([q, kv, gate, down], (keys, values)) in weights.iter().zip(&mut caches) {
        let [query, k, v] = x.norm_matmul(&norm, 1e-5, [q, kv, kv])?;
        let cache = CachedAttention {
            keys,
            values,
            rope: &rope,
            places: &places,
            head_dim,
        };
        let attended = query.cached_attention(&k, &v, cache)?;
        x = x.add(&attended.matmul(q)?)?;
        x = x.add(&x.feed_forward(&norm, 1e-5, [gate, gate, down])?)?;
    }
    let mut found = x.to_vec()?;
    for (keys, values) in &caches {
        let new = position * kv_width..(position + 1) * kv_width;
        found.extend(&keys.to_vec()?[new.clone()]);
        found.extend(&values.to_vec()?[new]);
    }
    Ok(found)
}

#[test]
fn one_launch_gives_the_bytes_of_many() {
    for (i, weight) in WEIGHTS.into_iter().enumerate() {
        // In the first 256 positions, and behind them, where attention takes two operations.
        for (position, of_layer) in [(5, 5), (299, 6)] {
            let reversed = (i + position) % 2 == 0;
            let options = ShimOptions {
                reversed,
                ..ShimOptions::default()
            };
            let plain = Device::new(Cuda::shim(options, CacheType::F16));
            let expected = layers(&plain, weight, position).unwrap();
            assert!(expected.iter().all(|v| v.is_finite()));
            for n_blocks in [1, 2, 7] {
                let (device, longest) = player(reversed, n_blocks, CacheType::F16);
                let found = layers(&device, weight, position).unwrap();
                assert_eq!(
                    found, expected,
                    "{weight}, position {position}, {n_blocks} blocks"
                );
                // The first operation comes before the places are written.
                assert_eq!(*longest.lock().unwrap(), 3 * of_layer - 1);
            }
        }
    }
}

#[test]
fn the_backend_conforms_where_all_that_can_be_is_played() {
    for reversed in [false, true] {
        let (device, _) = player(reversed, 3, CacheType::F32);
        assert_conforms(&device, &Bounds::default());
    }
}

/// A table of two products, each of which needs all of the one before, and where the second one's result is.
fn two_products(shim: &Shim) -> ([Argument; 3], Argument) {
    let n = 64;
    let upload = |values: &[f32]| {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let address = shim.allocate(bytes.len()).unwrap();
        shim.write(address, &bytes).unwrap();
        Argument::Address(address)
    };
    let (weight, x) = (upload(&vec![1.0; n * n]), upload(&vec![1.0; n]));
    // Nobody has written these two yet: they are NaN.
    let [y, z] = [0, 1].map(|_| Argument::Address(shim.allocate(n * 4).unwrap()));
    let (none, n) = (Argument::Address(0), Argument::U32(n as u32));
    let mut rows = Vec::new();
    for (from, to) in [(x, y), (y, z)] {
        let nothing = [none, none, Argument::U32(0)];
        let mut arguments = vec![
            from,
            none,
            Argument::F32(0.0),
            Argument::U32(1),
            n,
            weight,
            to,
            n,
        ];
        arguments.extend([nothing, nothing].concat());
        arguments.extend([none, none]);
        let bytes = arguments.iter().map(|argument| argument.bytes());
        let operation = Operation::new(Kernel::MatVecF32, [16, 1, 1], [128, 0], bytes);
        operation.unwrap().write(&mut rows);
    }
    let (table, gate) = (
        shim.allocate(rows.len()).unwrap(),
        shim.allocate(8).unwrap(),
    );
    shim.write(table, &rows).unwrap();
    shim.zero(gate, 8).unwrap();
    (
        [
            Argument::Address(table),
            Argument::U32(2),
            Argument::Address(gate),
        ],
        z,
    )
}

fn product(shim: &Shim, out: Argument) -> Vec<f32> {
    let Argument::Address(address) = out else {
        panic!("{out:?} is no address");
    };
    shim.numbers(address, DType::F32, 64).unwrap()
}

#[test]
fn a_missing_gate_is_noticed_in_both_orders() {
    for reversed in [false, true] {
        let shim = shim(reversed);
        let (arguments, out) = two_products(&shim);
        let launch = |name, arguments: &[Argument]| {
            shim.launch_resident(name, [3, 1, 1], [THREADS, 0], arguments, 3)
        };
        launch("broken_missing_gate", &arguments[..2]).unwrap();
        // Whoever does not wait reads what the others have not written yet.
        assert!(product(&shim, out).iter().any(|v| v.is_nan()));
        launch(name(DType::F32), &arguments).unwrap();
        assert_eq!(product(&shim, out), [4096.0; 64]);
    }
}

#[test]
fn blocks_that_are_not_all_there_are_an_error_and_not_a_hang() {
    for reversed in [false, true] {
        let shim = shim(reversed);
        let (arguments, out) = two_products(&shim);
        let kernel = name(DType::F32);
        let failed = shim.launch_resident(kernel, [4, 1, 1], [THREADS, 0], &arguments, 3);
        let message = failed.unwrap_err().to_string();
        assert!(
            message.contains("wait for another one, and 1 of 4 have not begun"),
            "{message}"
        );
        // The gate was left as it stood; with another one, the next launch runs.
        let Argument::Address(gate) = arguments[2] else {
            panic!("the gate is an address");
        };
        shim.zero(gate, 8).unwrap();
        shim.launch_resident(kernel, [4, 1, 1], [THREADS, 0], &arguments, 4)
            .unwrap();
        assert_eq!(product(&shim, out), [4096.0; 64]);
    }
}

#[test]
fn a_number_that_changes_behind_the_read_only_cache_is_an_error() {
    for reversed in [false, true] {
        let shim = shim(reversed);
        let x = shim.allocate(65 * 4).unwrap();
        shim.write(x, &[0; 65 * 4]).unwrap();
        let gate = shim.allocate(8).unwrap();
        shim.zero(gate, 8).unwrap();
        let arguments = [x, gate].map(Argument::Address);
        let failed =
            shim.launch_resident("broken_read_only_cache", [2, 1, 1], [32, 0], &arguments, 2);
        let message = failed.unwrap_err().to_string();
        assert!(message.contains("read-only cache"), "{message}");
    }
}
