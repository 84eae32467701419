//! Counts NaN and infinite numbers without turning the bytes into f32 first.

use gollm_tensor::DType;

/// How many numbers are not finite.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct NonFinite {
    pub(crate) n_nan: u64,
    pub(crate) n_infinite: u64,
}

/// Counts in `bytes`, stored as `dtype`.
///
/// A number is not finite when all bits of its exponent are set; then it is infinite if all bits of
/// its fraction are clear, and NaN otherwise (IEEE 754-2019, section 3.4).
pub(crate) fn count_non_finite(bytes: &[u8], dtype: DType) -> NonFinite {
    let mut counts = NonFinite::default();
    match dtype {
        DType::F32 => {
            for b in bytes.chunks_exact(4) {
                let bits = u32::from_le_bytes([b[0], b[1], b[2], b[3]]);
                counts.add(bits, 0x7F80_0000, 0x007F_FFFF);
            }
        }
        DType::F16 => count_u16(bytes, 0x7C00, 0x03FF, &mut counts),
        DType::BF16 => count_u16(bytes, 0x7F80, 0x007F, &mut counts),
        DType::Q8_0 => {
            for block in bytes.chunks_exact(34) {
                let n_zeros = block[2..].iter().filter(|q| **q == 0).count();
                counts.add_block([block[0], block[1]], n_zeros);
            }
        }
        DType::Q4_0 => {
            for block in bytes.chunks_exact(18) {
                // A nibble of 8 stands for zero.
                let zeros = |q: &u8| usize::from(q & 15 == 8) + usize::from(q >> 4 == 8);
                let n_zeros = block[2..].iter().map(zeros).sum();
                counts.add_block([block[0], block[1]], n_zeros);
            }
        }
    }
    counts
}

fn count_u16(bytes: &[u8], exponent: u16, fraction: u16, counts: &mut NonFinite) {
    for b in bytes.chunks_exact(2) {
        let bits = u16::from_le_bytes([b[0], b[1]]);
        counts.add(bits.into(), exponent.into(), fraction.into());
    }
}

impl NonFinite {
    fn add(&mut self, bits: u32, exponent: u32, fraction: u32) {
        if bits & exponent == exponent {
            let is_nan = bits & fraction != 0;
            self.n_nan += u64::from(is_nan);
            self.n_infinite += u64::from(!is_nan);
        }
    }

    /// A block of 32 values `scale · q`, of which `n_zeros` have `q = 0`: infinity times zero is
    /// NaN, and NaN times anything is.
    fn add_block(&mut self, scale: [u8; 2], n_zeros: usize) {
        let mut of_scale = Self::default();
        count_u16(&scale, 0x7C00, 0x03FF, &mut of_scale);
        self.n_nan += 32 * of_scale.n_nan + of_scale.n_infinite * n_zeros as u64;
        self.n_infinite += of_scale.n_infinite * (32 - n_zeros) as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gollm_tensor::{dequantize, quantize};

    /// Every pattern of 16 bits, as the numbers or as the scales of blocks with some zeros.
    fn every_pattern(dtype: DType) -> Vec<u8> {
        (0..=u16::MAX)
            .flat_map(|bits| {
                let mut block = bits.to_le_bytes().to_vec();
                block.extend((2..dtype.block_bytes()).map(|i| [0, 0x18, 0x83, 0x05][i % 4]));
                block
            })
            .collect()
    }

    #[test]
    fn counts_agree_with_the_numbers_themselves() {
        for dtype in [DType::F16, DType::BF16, DType::Q8_0, DType::Q4_0] {
            let bytes = every_pattern(dtype);
            let mut values = vec![0.0; bytes.len() / dtype.block_bytes() * dtype.block_len()];
            dequantize(&bytes, dtype, &mut values).unwrap();
            let expected = NonFinite {
                n_nan: values.iter().filter(|v| v.is_nan()).count() as u64,
                n_infinite: values.iter().filter(|v| v.is_infinite()).count() as u64,
            };
            assert!(expected.n_nan > 0 && expected.n_infinite > 0, "{dtype}");
            assert_eq!(count_non_finite(&bytes, dtype), expected, "{dtype}");
        }
    }

    #[test]
    fn f32_counts_nan_and_both_infinities() {
        let values = [
            1.0,
            f32::NAN,
            f32::INFINITY,
            -f32::NAN,
            f32::NEG_INFINITY,
            f32::MAX,
            -0.0,
        ];
        let bytes = quantize(&values, DType::F32).unwrap();
        assert_eq!(
            count_non_finite(&bytes, DType::F32),
            NonFinite {
                n_nan: 2,
                n_infinite: 2
            }
        );
    }
}
