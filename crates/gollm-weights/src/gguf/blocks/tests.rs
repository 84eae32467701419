//! Against the values that PyPI's `gguf` 0.19 (`gguf.quants.dequantize`) gives for the same bytes.

use super::super::ggml_type::GgmlType;
use half::f16;

/// One block: bytes that hardly repeat, a scale of 1/32, an offset of −3/4. All results are exact in
/// f32, so equality is asked for.
fn block(kind: GgmlType) -> Vec<f32> {
    let mut bytes: Vec<u8> = (0..kind.block_bytes())
        .map(|i| (i * 73 + 19) as u8)
        .collect();
    let mut put = |at: usize, value: f32| {
        bytes[at..at + 2].copy_from_slice(&f16::from_f32(value).to_le_bytes());
    };
    match kind {
        GgmlType::Q6K => put(208, 1.0 / 32.0),
        GgmlType::Q5_0 => put(0, 1.0 / 32.0),
        _ => {
            put(0, 1.0 / 32.0);
            put(2, -0.75);
        }
    }
    let mut values = vec![0.0; kind.block_len()];
    kind.dequantize(&bytes, &mut values).unwrap();
    values
}

#[test]
fn every_type_gives_what_ggml_gives() {
    // First value, one in the middle, last value; the sum, and the sum weighted by place.
    let cases = [
        (
            GgmlType::Q4_1,
            [-0.53125, -0.5, -0.53125],
            [-16.65625, -272.40625],
        ),
        (
            GgmlType::Q5_0,
            [0.28125, 0.03125, 0.03125],
            [-0.59375, -31.875],
        ),
        (
            GgmlType::Q5_1,
            [0.09375, -0.4375, -0.4375],
            [-10.53125, -190.96875],
        ),
        (
            GgmlType::Q4K,
            [25.40625, 36.0, 7.8125],
            [8223.75, 1_010_666.25],
        ),
        (
            GgmlType::Q5K,
            [52.90625, 36.0, 8.4375],
            [9905.75, 1_236_871.25],
        ),
        (
            GgmlType::Q6K,
            [-26.71875, 5.625, 3.25],
            [384.375, 72_838.625],
        ),
    ];
    for (kind, expected, sums) in cases {
        let values = block(kind);
        let middle = if values.len() == 32 { 17 } else { 77 };
        let found = [values[0], values[middle], values[values.len() - 1]];
        assert_eq!(found, expected, "{kind:?}");
        let weighted = |(i, v): (usize, &f32)| f64::from(*v) * (i + 1) as f64;
        let found = [
            values.iter().map(|v| f64::from(*v)).sum::<f64>(),
            values.iter().enumerate().map(weighted).sum(),
        ];
        assert_eq!(found, sums, "{kind:?}");
    }
}
