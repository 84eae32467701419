//! Chapter 9, making it fast. Run with `cargo test --test ch09`; read with
//! notes/ch09-making-it-fast.md. Every interleaving of the threads is tried by `pool_model`, in
//! `tests/pool_model`.
#![allow(
    clippy::expect_used,
    reason = "a test whose setting cannot be made should panic"
)]

mod common;

use common::{config, random, weights};
use gollm_cpu::ladder::{ATTENTION, Heads, MATMUL, Matmul, Step};
use gollm_cpu::roofline::Roofline;
use gollm_cpu::{Cpu, Isa};
use gollm_model::{
    Config, Decoder, FlopCounts, SequenceTokens, bytes_read_per_token, kv_bytes_per_token,
};
use gollm_tensor::{DType, Device, Place};

/// The same sums in another order. Each of the roughly 1,500 additions rounds by up to 2⁻²⁴ of a
/// partial sum, in either direction: √1,500 · 2⁻²⁴ is 2.3e-6, and four times that the bound.
const ANOTHER_ORDER: f32 = 1e-5;

/// The largest difference relative to the largest magnitude.
fn difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, |m, d| if d > m || d.is_nan() { d } else { m }) / largest
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

fn cpu(n_threads: usize, isa: Isa) -> Cpu {
    Cpu::with_isa(n_threads, isa).expect("threads")
}

fn device(isa: Isa) -> Device {
    Device::new(cpu(2, isa))
}

fn run<P>(step: &Step<P>, cpu: &Cpu, problem: &P, n_outputs: usize) -> Vec<f32> {
    // Not zeros: a step that forgets an output is found out.
    let mut out = vec![f32::NAN; n_outputs];
    step.run(cpu, problem, &mut out);
    out
}

/// `x · weightᵀ` on a device, with the weight stored as `dtype`.
fn product(device: &Device, x: &[f32], weight: &[f32], dtype: DType, n_in: usize) -> Vec<f32> {
    let weight = device.stored(&[weight.len() / n_in, n_in], dtype, weight);
    let x = device
        .tensor(&[x.len() / n_in, n_in], x)
        .expect("whole rows");
    let out = x.matmul(&weight.expect("whole blocks"));
    out.and_then(|out| out.to_vec()).expect("computes")
}

/// One query of one head over keys and values `[n_keys, width]`.
fn attention(device: &Device, q: &[f32], keys: &[f32], values: &[f32]) -> Vec<f32> {
    let (width, n_keys) = (q.len(), keys.len() / q.len());
    let cached = |rows: &[f32]| {
        let mut cache = device.cache(&[1, n_keys, width])?;
        let rows = device.tensor(&[n_keys, width], rows)?;
        cache.write_rows(&rows, &Place::run(0, 0, n_keys))?;
        Ok::<_, gollm_tensor::Error>(cache)
    };
    let (keys, values) = (cached(keys).expect("fits"), cached(values).expect("fits"));
    let q = device.tensor(&[1, width], q).expect("one row");
    let out = q.attention(&keys, &values, &Place::run(0, n_keys - 1, 1), width);
    out.and_then(|out| out.to_vec()).expect("computes")
}

fn gollm_85m() -> Config {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs/gollm-85m.yaml");
    Config::from_yaml_file(path).expect("a valid config")
}

/// A machine in round numbers: ten operations for each byte.
const ROUND: Roofline = Roofline {
    bytes_per_second: 10e9,
    f32_per_second: 100e9,
    i8_per_second: 400e9,
    region_seconds: 1e-6,
};

#[test]
fn s1_decoding_in_f16_does_one_operation_for_each_byte_and_waits_for_memory() {
    let config = gollm_85m();
    let bytes = bytes_read_per_token(&config, DType::F16, DType::F32, 0).expect("whole blocks");
    let flops = FlopCounts::per_token(&config, 1).expect("fits").total();
    assert_eq!((bytes, flops), (201_404_928, 201_363_456));
    let memory = ROUND.bytes_per_second / bytes as f64;
    let arithmetic = ROUND.f32_per_second / flops as f64;
    assert_eq!((memory.round(), arithmetic.round()), (50.0, 497.0));
}

#[test]
fn s1_a_prompt_reads_the_weights_once_and_waits_for_arithmetic() {
    let config = gollm_85m();
    let bytes = bytes_read_per_token(&config, DType::F16, DType::F32, 0).expect("whole blocks");
    let mean = FlopCounts::per_token(&config, 256).expect("fits");
    // Only the last token goes through the head.
    let flops = 512 * (mean.total() - mean.head) + mean.head;
    assert_eq!(flops / bytes, 408, "operations for each byte");
    assert!(flops as f64 / ROUND.f32_per_second > 30.0 * bytes as f64 / ROUND.bytes_per_second);
}

#[test]
fn s1_a_batch_reaches_the_ridge_at_eleven_texts_and_never_when_each_has_a_thousand_tokens() {
    let config = gollm_85m();
    let ridge = ROUND.f32_per_second / ROUND.bytes_per_second;
    let weights = bytes_read_per_token(&config, DType::F16, DType::F32, 0).expect("whole blocks");
    let crossover = |context: usize| {
        let flops = FlopCounts::per_token(&config, context)
            .expect("fits")
            .total();
        let cache = kv_bytes_per_token(&config, DType::F32).expect("valid") * context as u64;
        (1..10_000).find(|n| (n * flops) as f64 >= ridge * (weights + n * cache) as f64)
    };
    assert_eq!(
        [1, 500, 900, 1_000].map(crossover),
        [Some(11), Some(21), Some(152), None]
    );
}

#[test]
fn s2_every_step_of_the_product_gives_what_the_first_gives_on_every_isa() {
    // One token, one output and one column, sizes that fill no tile, and whole ones.
    for sizes in [
        [1, 1, 1],
        [3, 17, 5],
        [13, 100, 37],
        [1, 768, 64],
        [24, 256, 96],
    ] {
        let problem = Matmul::new(sizes[0], sizes[1], sizes[2]);
        for isa in Isa::available() {
            let cpu = cpu(3, isa);
            let outs = MATMUL.map(|step| run(&step, &cpu, &problem, problem.n_outputs()));
            for (step, out) in MATMUL.iter().zip(&outs) {
                let error = difference(out, &outs[0]);
                assert!(
                    error < ANOTHER_ORDER,
                    "{sizes:?} {isa} {}: {error}",
                    step.name
                );
            }
        }
    }
}

#[test]
fn s3_portable_rust_is_always_there_and_the_best_isa_is_the_last() {
    let isas = Isa::available();
    assert_eq!(isas[0].name(), "portable");
    assert_eq!(isas.last(), Some(&Isa::detect()));
    for isa in isas {
        assert_eq!(isa.name().parse(), Ok(isa));
        assert_eq!(cpu(1, isa).isa(), isa);
    }
}

#[test]
fn s4_a_batch_of_eight_gives_the_bits_of_eight_single_products() {
    let (n_in, x, weight) = (96, random(1, 8 * 96), random(2, 37 * 96));
    for isa in Isa::available() {
        let device = device(isa);
        for dtype in [
            DType::F32,
            DType::F16,
            DType::BF16,
            DType::Q8_0,
            DType::Q4_0,
        ] {
            let together = product(&device, &x, &weight, dtype, n_in);
            let alone = x
                .chunks(n_in)
                .flat_map(|x| product(&device, x, &weight, dtype, n_in));
            // Each sum is the same sum in the same order, whoever stands beside it.
            assert_eq!(together, alone.collect::<Vec<_>>(), "{isa} {dtype}");
        }
    }
}

#[test]
fn s5_the_ninth_token_changes_the_kernel_and_not_the_result() {
    let (n_in, x, weight) = (101, random(1, 9 * 101), random(2, 37 * 101));
    for isa in Isa::available() {
        let device = device(isa);
        for dtype in [DType::F32, DType::F16, DType::BF16] {
            let nine = product(&device, &x, &weight, dtype, n_in);
            let eight = product(&device, &x[..8 * n_in], &weight, dtype, n_in);
            let error = difference(&nine[..eight.len()], &eight);
            assert!(error < ANOTHER_ORDER, "{isa} {dtype}: {error}");
        }
    }
}

#[test]
fn s5_rows_longer_than_a_block_of_columns_are_added_up_block_by_block() {
    // One block of columns, the first length with two, and three of 512, 512 and 513.
    for n_in in [768, 769, 1_537] {
        let problem = Matmul::new(10, n_in, 33);
        for isa in Isa::available() {
            let cpu = cpu(1, isa);
            let [first, last] = [0, 5].map(|i| run(&MATMUL[i], &cpu, &problem, 10 * 33));
            let error = difference(&last, &first);
            assert!(error < ANOTHER_ORDER, "{n_in} {isa}: {error}");
        }
    }
}

#[test]
fn s6_whole_numbers_are_multiplied_exactly_with_the_zero_point_paid_back() {
    // Scales of 1: the largest weight is 127 or -8, the largest activation 127.
    let whole = |seed, n, most: f32| -> Vec<f32> {
        random(seed, n).iter().map(|v| (v * most).round()).collect()
    };
    for (dtype, extreme, most) in [(DType::Q8_0, 127.0, 127.0), (DType::Q4_0, -8.0, 7.0)] {
        let (mut x, mut weight) = (whole(1, 5 * 96, 127.0), whole(2, 37 * 96, most));
        x.iter_mut().step_by(32).for_each(|v| *v = -127.0);
        weight.iter_mut().step_by(32).for_each(|v| *v = extreme);
        // At most 96 · 127 · 127, below 2²⁴: exact in f32 too.
        let exact = product(&Device::reference(), &x, &weight, DType::F32, 96);
        for isa in Isa::available() {
            let found = product(&device(isa), &x, &weight, dtype, 96);
            assert_eq!(found, exact, "{isa} {dtype}");
        }
    }
}

#[test]
fn s6_rounding_moves_an_activation_by_at_most_1_254_of_the_largest_of_its_block() {
    // 127 times the identity is exact in q8_0, so the product is 127 times the rounded activation.
    let identity: Vec<f32> = (0..32 * 32)
        .map(|i| if i % 33 == 0 { 127.0 } else { 0.0 })
        .collect();
    let mut worst = 0.0f32;
    for (seed, size) in [(1, 1.0), (2, 1e-3), (3, 1e4), (4, 1e-30)] {
        let x: Vec<f32> = random(seed, 20 * 32).iter().map(|v| v * size).collect();
        for isa in Isa::available() {
            let found = product(&device(isa), &x, &identity, DType::Q8_0, 32);
            for (x, found) in x.chunks(32).zip(found.chunks(32)) {
                let back: Vec<f32> = found.iter().map(|v| v / 127.0).collect();
                worst = worst.max(difference(&back, x));
            }
        }
    }
    // Half a step of largest/127, and a rounding of f32 (2⁻²⁴) for each of five operations.
    assert!(worst <= 1.0 / 254.0 + 5.0 * f32::EPSILON / 2.0, "{worst}");
    assert!(
        worst > 0.9 / 254.0,
        "{worst}: 640 numbers come near the bound"
    );
}

#[test]
fn s7_three_scores_by_hand() {
    // A head of one number, so the scale is 1: scores 1, 3, 2 and values 10, 20, 30.
    for isa in Isa::available() {
        let found = attention(&device(isa), &[1.0], &[1.0, 3.0, 2.0], &[10.0, 20.0, 30.0]);
        // 21.547 is given to three places.
        assert!((found[0] - 21.547).abs() < 5e-4, "{isa}: {found:?}");
    }
}

#[test]
fn s7_one_pass_equals_the_plain_softmax_when_scores_differ_by_hundreds() {
    // Scores -r²/32, down to -694, as keys of one number among 16: 4 · score / √16. All of them 400
    // higher, e^score is no f32, and 1,000 lower all weights are 0, unless the largest is taken
    // off. Every number is exact in f32.
    let (n_keys, values) = (150, random(7, 150 * 16));
    let mut q = [0.0; 16];
    q[0] = 4.0;
    let score = |r: usize| -((r * r) as f32) / 32.0;
    let rising = (0..n_keys).rev().map(score).collect::<Vec<_>>();
    let falling = (0..n_keys).map(score).collect();
    let mixed = (0..n_keys).map(|r| score(r * 37 % n_keys)).collect();
    for (order, scores) in [("rising", rising), ("falling", falling), ("mixed", mixed)] {
        let weights: Vec<f64> = scores.iter().map(|s| f64::from(*s).exp()).collect();
        let total: f64 = weights.iter().sum();
        let value = |s: usize, i: usize| weights[s] / total * f64::from(values[s * 16 + i]);
        let exact = (0..16).map(|i| (0..n_keys).map(|s| value(s, i)).sum::<f64>() as f32);
        let exact: Vec<f32> = exact.collect();
        for offset in [0.0, 400.0, -1_000.0] {
            let mut keys = vec![0.0; n_keys * 16];
            let firsts = keys.iter_mut().step_by(16).zip(&scores);
            firsts.for_each(|(key, score)| *key = *score + offset);
            for isa in Isa::available() {
                let error = difference(&attention(&device(isa), &q, &keys, &values), &exact);
                assert!(error < ANOTHER_ORDER, "{order} {offset} {isa}: {error}");
            }
        }
    }
}

#[test]
fn s7_every_step_of_attention_gives_what_the_first_gives_on_every_isa() {
    // One token; heads of odd width; three blocks of 64 keys; grouped queries and single ones.
    for (n_tokens, heads) in [
        (1, [1, 1, 1]),
        (19, [6, 3, 10]),
        (150, [4, 1, 32]),
        (65, [3, 3, 20]),
    ] {
        let problem = Heads::new(n_tokens, heads);
        for isa in Isa::available() {
            let cpu = cpu(3, isa);
            let outs = ATTENTION.map(|step| run(&step, &cpu, &problem, problem.n_outputs()));
            for (step, out) in ATTENTION.iter().zip(&outs) {
                let error = difference(out, &outs[0]);
                assert!(
                    error < ANOTHER_ORDER,
                    "{heads:?} {isa} {}: {error}",
                    step.name
                );
            }
        }
    }
}

#[test]
fn s8_any_number_of_threads_gives_the_same_bytes() {
    let (matmul, heads) = (Matmul::new(50, 300, 400), Heads::new(70, [4, 2, 16]));
    let (x, weight) = (random(1, 11 * 256), random(2, 400 * 256));
    for isa in Isa::available() {
        let outs = [1, 2, 3, 7].map(|n_threads| {
            let cpu = cpu(n_threads, isa);
            let mut out = bits(&run(&MATMUL[5], &cpu, &matmul, matmul.n_outputs()));
            out.extend(bits(&run(&ATTENTION[3], &cpu, &heads, heads.n_outputs())));
            let device = Device::new(cpu);
            out.extend(bits(&product(&device, &x, &weight, DType::Q4_0, 256)));
            out
        });
        assert!(outs.iter().all(|out| *out == outs[0]), "{isa}");
    }
}

#[test]
fn s8_threads_that_fell_asleep_wake_for_the_next_product() {
    let problem = Matmul::new(4, 256, 256);
    let cpu = cpu(3, Isa::detect());
    let expected = run(&MATMUL[5], &cpu, &problem, problem.n_outputs());
    // They spin for 0.2 ms: pauses on both sides of that, and right at it.
    for pause in [0, 100, 190, 200, 210, 1_000].into_iter().cycle().take(300) {
        std::thread::sleep(std::time::Duration::from_micros(pause));
        assert_eq!(
            run(&MATMUL[5], &cpu, &problem, problem.n_outputs()),
            expected
        );
    }
}

/// Twenty ids after a prompt, always the most likely one, and the logits they were chosen by.
fn greedy(device: &Device) -> (Vec<usize>, Vec<f32>) {
    let config = config();
    let decoder = Decoder::load(&config, &weights(&config), device).expect("loads");
    let mut cache = decoder.new_cache(1).expect("small");
    let (mut tokens, mut ids, mut all) = (vec![3, 60, 0, 17, 17, 42, 5, 9, 31], vec![], vec![]);
    for _ in 0..20 {
        let append = SequenceTokens {
            sequence: 0,
            tokens: &tokens,
        };
        let logits = decoder
            .forward(&[append], &mut cache)
            .and_then(|l| Ok(l.to_vec()?));
        let logits = logits.expect("runs");
        let id = (0..logits.len()).max_by(|a, b| logits[*a].total_cmp(&logits[*b]));
        ids.extend(id);
        tokens = id.map(|id| id as u32).into_iter().collect();
        all.extend(logits);
    }
    (ids, all)
}

#[test]
fn s9_the_cpu_device_and_the_reference_write_the_same_greedy_text() {
    let (ids, logits) = greedy(&Device::reference());
    for isa in Isa::available() {
        for n_threads in [1, 3] {
            let (found, its_logits) = greedy(&Device::new(cpu(n_threads, isa)));
            assert_eq!(found, ids, "{isa}, {n_threads} threads");
            // Three layers of sums in another order.
            let error = difference(&its_logits, &logits);
            assert!(error < 3.0 * ANOTHER_ORDER, "{isa}: {error}");
        }
    }
}
