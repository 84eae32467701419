//! Chapter 8, numbers in fewer bits. Run with `cargo test --test ch08`; read with
//! `notes/ch08-quantization.md`. Sections 3 and 5 (a file, and what it costs) are tested in
//! gollm-weights and gollm-engine.
#![allow(
    clippy::expect_used,
    reason = "a test whose setting cannot be made should panic"
)]

use gollm_tensor::{DType, dequantize, quantize};
use half::{bf16, f16};
use proptest::prelude::*;

/// What is left of values that were stored as `dtype`.
fn there_and_back(values: &[f32], dtype: DType) -> Vec<f32> {
    let stored = quantize(values, dtype).expect("whole blocks");
    let mut back = vec![0.0; values.len()];
    dequantize(&stored, dtype, &mut back).expect("as many values");
    back
}

/// One value stored in two bytes, as an integer of 16 bits.
fn bits(value: f32, dtype: DType) -> u16 {
    let stored = quantize(&[value], dtype).expect("one value");
    u16::from_le_bytes([stored[0], stored[1]])
}

/// A block that starts with `values` and goes on with zeros.
fn block(values: &[f32]) -> [f32; 32] {
    let mut block = [0.0; 32];
    block[..values.len()].copy_from_slice(values);
    block
}

/// The scale at the start of a stored block.
fn scale(stored: &[u8]) -> f32 {
    f16::from_le_bytes([stored[0], stored[1]]).to_f32()
}

/// The signed bytes of a stored q8_0 block.
fn bytes(stored: &[u8]) -> impl Iterator<Item = i32> {
    stored[2..34].iter().map(|q| i32::from(q.cast_signed()))
}

/// The nibbles of a stored q4_0 block, in the order of its values.
fn nibbles(stored: &[u8]) -> impl Iterator<Item = i32> {
    let low = stored[2..18].iter().map(|q| i32::from(q & 15));
    low.chain(stored[2..18].iter().map(|q| i32::from(q >> 4)))
}

/// Numbers as training leaves them, the same every time: the sum of twelve numbers spread evenly over
/// ±½ is nearly normal, with a variance of 1.
fn nearly_normal(n_values: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut even = || {
        // Source: the generator in "Numerical Recipes", section 7.1.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / f32::exp2(24.0) - 0.5
    };
    let mut value = || (0..12).map(|_| even()).sum();
    (0..n_values).map(|_| value()).collect()
}

#[test]
fn s1_f16_is_a_sign_five_bits_of_exponent_and_ten_of_fraction() {
    for (value, sign, exponent, fraction) in [
        (1.0, 0, 15, 0),
        (-2.0, 1, 16, 0),
        (1.5, 0, 15, 0b10_0000_0000),
        (65_504.0, 0, 30, 0b11_1111_1111),
        (f32::exp2(-14.0), 0, 1, 0),
        (f32::exp2(-24.0), 0, 0, 1), // subnormal: no leading 1
        (0.0, 0, 0, 0),
    ] {
        let expected = sign << 15 | exponent << 10 | fraction;
        assert_eq!(bits(value, DType::F16), expected, "{value}");
    }
    assert_eq!(bits(65_520.0, DType::F16), 31 << 10, "infinity");
}

#[test]
fn s1_bf16_is_the_upper_half_of_an_f32() {
    for value in [1.0f32, -0.375, 3e38, 1e-38] {
        // The lower half is cleared first, so there is nothing to round.
        let short = f32::from_bits(value.to_bits() & 0xFFFF_0000);
        assert_eq!(u32::from(bits(short, DType::BF16)), value.to_bits() >> 16);
        assert_eq!(there_and_back(&[short], DType::BF16), [short]);
    }
}

#[test]
fn s1_a_number_half_way_goes_to_the_even_neighbour() {
    let ulp = f32::exp2(-10.0); // of f16, between 1 and 2
    for (value, expected) in [
        (1.0 + 0.5 * ulp, 1.0),
        (1.0 + 0.51 * ulp, 1.0 + ulp),
        (1.0 + 1.49 * ulp, 1.0 + ulp),
        (1.0 + 1.5 * ulp, 1.0 + 2.0 * ulp),
        (1.0 + 2.5 * ulp, 1.0 + 2.0 * ulp),
    ] {
        assert_eq!(there_and_back(&[value], DType::F16), [expected], "{value}");
        // bf16 has three bits less, so everything is eight times as coarse.
        let coarse = |v: f32| 1.0 + 8.0 * (v - 1.0);
        let back = there_and_back(&[coarse(value)], DType::BF16);
        assert_eq!(back, [coarse(expected)], "{value}");
    }
}

#[test]
fn s1_ones_added_in_f16_stop_at_2048_and_in_bf16_at_256() {
    // The next number is two further, and half-way goes to the even one, which is where we are.
    let (mut f16_sum, mut bf16_sum) = (0.0, 0.0);
    for _ in 0..5_000 {
        f16_sum = f16::from_f32(f16_sum + 1.0).to_f32();
        bf16_sum = bf16::from_f32(bf16_sum + 1.0).to_f32();
    }
    assert_eq!((f16_sum, bf16_sum), (2_048.0, 256.0));
}

#[test]
fn s2_a_q8_0_block_by_hand() {
    let values = block(&[1.984_375, -1.0, 0.5, 0.01]); // 127/64, so that the scale is 1/64
    let stored = quantize(&values, DType::Q8_0).expect("a block");
    assert_eq!(scale(&stored), 1.0 / 64.0);
    // 0.01 · 64 = 0.64, which is nearer to 1 than to 0.
    let found: Vec<i32> = bytes(&stored).take(5).collect();
    assert_eq!(found, [127, -64, 32, 1, 0]);
    let back = there_and_back(&values, DType::Q8_0);
    assert_eq!(back[..5], [1.984_375, -1.0, 0.5, 1.0 / 64.0, 0.0]);
}

#[test]
fn s2_a_q4_0_block_by_hand() {
    let values = block(&[-2.0, 1.0, 0.3, 1.9, 0.1]);
    let stored = quantize(&values, DType::Q4_0).expect("a block");
    assert_eq!(scale(&stored), 0.25); // −2 / −8
    // x / 0.25 + 8, rounded: 0.3 is 9.2, 1.9 is 15.6 (16 does not fit), 0.1 is 8.4.
    let found: Vec<i32> = nibbles(&stored).take(6).collect();
    assert_eq!(found, [0, 12, 9, 15, 8, 8]);
    // Value 0 is the low nibble of byte 0 and value 16, a zero, the high one.
    assert_eq!(stored[2], 0x80);
    let back = there_and_back(&values, DType::Q4_0);
    assert_eq!(back[..6], [-2.0, 1.0, 0.25, 1.75, 0.0, 0.0]);
}

#[test]
fn s2_a_value_takes_eight_and_a_half_bits_or_four_and_a_half() {
    for (dtype, bits) in [(DType::Q8_0, 8.5), (DType::Q4_0, 4.5)] {
        let n_bytes = dtype.n_bytes(&[32]).expect("a block");
        assert_eq!(8.0 * n_bytes as f64 / 32.0, bits);
    }
}

#[test]
fn s2_a_block_with_a_number_that_is_not_finite_is_not_finite() {
    for dtype in [DType::Q8_0, DType::Q4_0] {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for at in [0, 17, 31] {
                let mut values = [1.0; 64];
                values[at] = bad;
                let bytes = quantize(&values, dtype).unwrap();
                let mut back = [0.0; 64];
                dequantize(&bytes, dtype, &mut back).unwrap();
                let (damaged, whole) = back.split_at(32);
                assert!(
                    damaged.iter().all(|v| !v.is_finite()),
                    "{dtype}: {bad} at {at}"
                );
                assert!(
                    whole.iter().all(|v| v.is_finite()),
                    "{dtype}: {bad} at {at}"
                );
            }
        }
    }
}

#[test]
fn s2_q4_0_keeps_the_largest_value_and_misses_its_opposite_by_a_whole_step() {
    for sign in [1.0, -1.0] {
        let back = there_and_back(&block(&[sign, -sign]), DType::Q4_0);
        // Sixteen nibbles have no middle: they reach −8 steps on one side and +7 on the other.
        assert_eq!(back[..2], [sign, -sign * 7.0 / 8.0]);
    }
}

#[test]
fn s2_one_large_value_costs_its_whole_block() {
    let mut values = [0.01; 32];
    let calm = there_and_back(&values, DType::Q4_0);
    // Without it every value is the largest one; the f16 scale may be off by 2⁻¹¹.
    assert!(
        calm.iter()
            .all(|v| (v / 0.01 - 1.0).abs() < f32::exp2(-11.0))
    );
    values[0] = 1.0;
    assert!(
        there_and_back(&values, DType::Q4_0)[1..]
            .iter()
            .all(|v| *v == 0.0)
    );
    // In q8_0 they keep one step of 1/127 = 0.0079, f16's rounding aside.
    let back = there_and_back(&values, DType::Q8_0);
    assert!(
        back[1..]
            .iter()
            .all(|v| (v * 127.0 - 1.0).abs() < f32::exp2(-11.0))
    );
}

#[test]
fn s2_a_block_of_tiny_values_loses_its_scale() {
    // f16 ends at 2⁻²⁴, and half of that becomes zero: 127 · 2⁻²⁵ = 3.8e-6.
    assert!(
        there_and_back(&[4e-6; 32], DType::Q8_0)
            .iter()
            .all(|v| *v > 0.0)
    );
    assert!(
        there_and_back(&[3e-6; 32], DType::Q8_0)
            .iter()
            .all(|v| *v == 0.0)
    );
}

#[test]
fn s4_a_zero_point_is_paid_back_after_the_sum() {
    let weights = nearly_normal(32, 1);
    let stored = quantize(&weights, DType::Q4_0).expect("a block");
    let activations = quantize(&nearly_normal(32, 2), DType::Q8_0).expect("a block");
    // Σ(w + z)a − zΣa = Σwa, with w + z the nibble as it is stored and z = 8.
    let stored_sum: i32 = nibbles(&stored)
        .zip(bytes(&activations))
        .map(|(q, a)| q * a)
        .sum();
    let sum: i32 = bytes(&activations).sum();
    let signed: i32 = nibbles(&stored)
        .zip(bytes(&activations))
        .map(|(q, a)| (q - 8) * a)
        .sum();
    assert_eq!(stored_sum - 8 * sum, signed);
    assert_ne!(sum, 0, "or the test would show nothing");
}

#[test]
fn s4_a_dot_product_of_two_blocks_is_a_sum_of_integers_and_one_product_of_scales() {
    for dtype in [DType::Q8_0, DType::Q4_0] {
        let weights = quantize(&nearly_normal(32, 3), dtype).expect("a block");
        let activations = quantize(&nearly_normal(32, 4), DType::Q8_0).expect("a block");
        let dot: i32 = match dtype {
            DType::Q8_0 => bytes(&weights)
                .zip(bytes(&activations))
                .map(|(w, a)| w * a)
                .sum(),
            _ => nibbles(&weights)
                .zip(bytes(&activations))
                .map(|(w, a)| (w - 8) * a)
                .sum(),
        };
        let found = f64::from(scale(&weights)) * f64::from(scale(&activations)) * f64::from(dot);
        let (mut w, mut a) = ([0.0; 32], [0.0; 32]);
        dequantize(&weights, dtype, &mut w).expect("a block");
        dequantize(&activations, DType::Q8_0, &mut a).expect("a block");
        let expected: f64 = w
            .iter()
            .zip(&a)
            .map(|(w, a)| f64::from(*w) * f64::from(*a))
            .sum();
        // Each product of a scale and a quant fits in an f32, so only f64 has rounded anything.
        assert!(
            (found - expected).abs() < 1e-12,
            "{dtype}: {found}, {expected}"
        );
    }
}

#[test]
fn s4_sums_of_a_block_fit_in_32_bits_and_not_in_16() {
    let largest_q8_0 = 32 * 127 * 127;
    let largest_q4_0 = 32 * 15 * 127;
    assert!(largest_q8_0 < i32::MAX && largest_q4_0 < i32::MAX);
    assert!(largest_q8_0 > i32::from(i16::MAX) && largest_q4_0 > i32::from(i16::MAX));
    // A whole row is safe too: 4,096 blocks of q8_0 could be added before an i32 is full.
    assert!(i64::from(largest_q8_0) * 4_096 < i64::from(i32::MAX));
}

/// The error of dot products of 256 numbers, relative to the root mean square of the products.
fn dot_error(weights: DType, activations: DType) -> f64 {
    let (mut errors, mut squares) = (0.0, 0.0);
    for row in 0..200 {
        let w = nearly_normal(256, 2 * row);
        let a = nearly_normal(256, 2 * row + 1);
        let dot = |w: &[f32], a: &[f32]| -> f64 {
            w.iter()
                .zip(a)
                .map(|(w, a)| f64::from(*w) * f64::from(*a))
                .sum()
        };
        let exact = dot(&w, &a);
        let found = dot(
            &there_and_back(&w, weights),
            &there_and_back(&a, activations),
        );
        errors += (found - exact).powi(2);
        squares += exact.powi(2);
    }
    (errors / squares).sqrt()
}

#[test]
fn s4_activations_in_eight_bits_add_next_to_nothing_to_weights_in_four() {
    // Errors of weights and activations are independent, so their squares add up: 0.55 % of 8-bit
    // activations beside 9 % of 4-bit weights is √(9² + 0.55²) = 9.02 %. 200 dot products know their
    // mean square to 10 % (√(2/200)); both are taken from the same ones, so the ratio is closer.
    let (four, both) = (
        dot_error(DType::Q4_0, DType::F32),
        dot_error(DType::Q4_0, DType::Q8_0),
    );
    assert!((0.07..0.11).contains(&four), "{four}");
    assert!((both / four - 1.0).abs() < 0.02, "{both} and {four}");
    let eight = dot_error(DType::Q8_0, DType::Q8_0);
    // Two equal errors: √2 · 0.55 % = 0.78 %.
    assert!((0.006..0.01).contains(&eight), "{eight}");
}

/// A block of numbers of which at least one is not tiny, so that the scale is a normal f16.
fn any_block() -> impl Strategy<Value = Vec<f32>> {
    let values = prop::collection::vec(-1e3f32..1e3, 32);
    (values, 0usize..32, 1f32..1e3).prop_map(|(mut values, index, large)| {
        values[index] = large;
        values
    })
}

proptest! {
    #[test]
    fn s1_rounding_errs_by_at_most_half_a_unit_in_the_last_place(value in -6e4f32..6e4) {
        // 11 and 8 significant bits: half of 2⁻¹⁰ and of 2⁻⁷. Below 2⁻¹⁴ f16 has fixed steps of 2⁻²⁴.
        for (dtype, half_ulp) in [(DType::F16, f32::exp2(-11.0)), (DType::BF16, f32::exp2(-8.0))] {
            let error = (there_and_back(&[value], dtype)[0] - value).abs();
            prop_assert!(error <= (value.abs() * half_ulp).max(f32::exp2(-25.0)), "{}: {}", dtype, value);
        }
    }

    #[test]
    fn s2_a_q8_0_value_is_off_by_at_most_half_a_step(values in any_block()) {
        let step = values.iter().fold(0f32, |m, v| m.max(v.abs())) / 127.0;
        for (value, back) in values.iter().zip(there_and_back(&values, DType::Q8_0)) {
            // The scale is rounded to f16 after the division: 2⁻¹¹ of the result. 1e-4 of a step is for
            // f32's own roundings: 127 · 2⁻²⁴ in the quotient, 127 · 2⁻²² in the second order.
            let bound = step * (0.5 + 1e-4) + back.abs() * f32::exp2(-11.0);
            prop_assert!((value - back).abs() <= bound, "{} became {}", value, back);
        }
    }

    #[test]
    fn s2_a_q4_0_value_is_off_by_half_a_step_or_up_to_a_whole_one_opposite_the_largest(
        values in any_block(),
    ) {
        let largest = values.iter().fold(0f32, |m, v| if v.abs() > m.abs() { *v } else { m });
        let step = largest.abs() / 8.0;
        for (value, back) in values.iter().zip(there_and_back(&values, DType::Q4_0)) {
            // On the other side the last nibble stands at 7 steps; from 7.5 to 8 nothing is nearer.
            let opposite = value * largest < 0.0 && value.abs() > 7.5 * step;
            let steps = if opposite { value.abs() / step - 7.0 } else { 0.5 };
            let bound = step * (steps + 1e-4) + back.abs() * f32::exp2(-11.0);
            prop_assert!((value - back).abs() <= bound, "{} became {}", value, back);
        }
    }
}
