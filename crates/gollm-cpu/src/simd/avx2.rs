//! Vectors of 16 in two registers: Intel since Haswell (2013), AMD since Excavator.

use std::arch::x86_64::*;

use super::{LANES, Simd, Task};

/// A processor with AVX2, FMA and F16C.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// Asks the processor, and the operating system, which must save the registers.
    pub(super) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c"))
        .then_some(Self(()))
    }

    /// Runs a kernel compiled with these instructions.
    #[inline]
    pub(super) fn enter<T: Task>(self, task: T) -> T::Output {
        #[target_feature(enable = "avx2,fma,f16c")]
        fn with_features<T: Task>(simd: Avx2, task: T) -> T::Output {
            task.run(simd)
        }
        // SAFETY: `self` exists only where `detect` found the features.
        unsafe { with_features(self, task) }
    }
}

/// Applies an intrinsic to both halves.
macro_rules! halves {
    ($f:expr, $($v:expr),+) => {
        // SAFETY: `Avx2` exists only where `detect` found the features that the intrinsics need.
        unsafe { [$f($($v[0]),+), $f($($v[1]),+)] }
    };
}

// SAFETY, for every block below: `Avx2` exists only where `detect` found the features that the
// intrinsics need. Blocks that follow a pointer say so themselves.
#[expect(
    clippy::undocumented_unsafe_blocks,
    reason = "one reason for all, above the block"
)]
impl Simd for Avx2 {
    type F32 = [__m256; 2];
    type I32 = [__m256i; 2];
    type U8 = [__m256i; 2];

    // 6 x 2 sums, 2 weights and 1 activation: 15 of 16 registers.
    const TILE_ROWS: usize = 6;
    const TILE_VECTORS: usize = 1;
    const QUANTIZED_TOKENS: usize = 2;

    #[inline(always)]
    fn splat(self, value: f32) -> Self::F32 {
        unsafe { [_mm256_set1_ps(value); 2] }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> Self::F32 {
        // SAFETY: the caller promises 64 readable bytes.
        unsafe { [_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))] }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, value: Self::F32) {
        // SAFETY: the caller promises 64 writable bytes.
        unsafe {
            _mm256_storeu_ps(to, value[0]);
            _mm256_storeu_ps(to.add(8), value[1]);
        }
    }

    #[inline(always)]
    fn prefetch(self, from: *const f32) {
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) }
    }

    #[inline(always)]
    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        halves!(_mm256_add_ps, a, b)
    }

    #[inline(always)]
    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        halves!(_mm256_mul_ps, a, b)
    }

    #[inline(always)]
    fn div(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        halves!(_mm256_div_ps, a, b)
    }

    #[inline(always)]
    fn fma(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32 {
        halves!(_mm256_fmadd_ps, a, b, c)
    }

    #[inline(always)]
    fn max(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        halves!(_mm256_max_ps, a, b)
    }

    #[inline(always)]
    fn round(self, a: Self::F32) -> Self::F32 {
        halves!(_mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT }>, a)
    }

    #[inline(always)]
    fn power_of_two(self, n: Self::F32) -> Self::F32 {
        // An f32 keeps its exponent, plus 127, in bits 23 to 30.
        unsafe {
            let mut powers = n;
            for i in 0..2 {
                let exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n[i]), _mm256_set1_epi32(127));
                powers[i] = _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent));
            }
            powers
        }
    }

    #[inline(always)]
    fn sum(self, a: Self::F32) -> f32 {
        unsafe {
            let eight = _mm256_add_ps(a[0], a[1]);
            let four = _mm_add_ps(
                _mm256_castps256_ps128(eight),
                _mm256_extractf128_ps::<1>(eight),
            );
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
        }
    }

    #[inline(always)]
    fn largest(self, a: Self::F32) -> f32 {
        unsafe {
            let eight = _mm256_max_ps(a[0], a[1]);
            let four = _mm_max_ps(
                _mm256_castps256_ps128(eight),
                _mm256_extractf128_ps::<1>(eight),
            );
            let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps::<1>(two, two)))
        }
    }

    #[inline(always)]
    fn transpose(self, rows: [Self::F32; LANES]) -> [Self::F32; LANES] {
        // Four blocks of 8 x 8, each turned, and the two off the diagonal changed places.
        let mut columns = rows;
        for (row, column) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let mut block = [rows[0][0]; 8];
            for i in 0..8 {
                block[i] = rows[8 * row + i][column];
            }
            let turned = transpose_8(block);
            for i in 0..8 {
                columns[8 * column + i][row] = turned[i];
            }
        }
        columns
    }

    #[inline(always)]
    unsafe fn load_f16(self, from: *const u8) -> Self::F32 {
        // SAFETY: the caller promises 32 readable bytes.
        unsafe {
            [
                _mm256_cvtph_ps(_mm_loadu_si128(from.cast())),
                _mm256_cvtph_ps(_mm_loadu_si128(from.add(16).cast())),
            ]
        }
    }

    #[inline(always)]
    unsafe fn load_bf16(self, from: *const u8) -> Self::F32 {
        // SAFETY: the caller promises 32 readable bytes, 16 for each half.
        unsafe {
            let low = _mm256_cvtepu16_epi32(_mm_loadu_si128(from.cast()));
            let high = _mm256_cvtepu16_epi32(_mm_loadu_si128(from.add(16).cast()));
            [
                _mm256_castsi256_ps(_mm256_slli_epi32::<16>(low)),
                _mm256_castsi256_ps(_mm256_slli_epi32::<16>(high)),
            ]
        }
    }

    #[inline(always)]
    unsafe fn store_i8(self, to: *mut i8, value: Self::F32) {
        // SAFETY: the caller promises 16 writable bytes.
        unsafe {
            let (low, high) = (_mm256_cvtps_epi32(value[0]), _mm256_cvtps_epi32(value[1]));
            // `packs` works within halves; the permutation puts quarters 0, 2, 1, 3 in order.
            let words = _mm256_permute4x64_epi64::<0xD8>(_mm256_packs_epi32(low, high));
            let (low, high) = (
                _mm256_castsi256_si128(words),
                _mm256_extracti128_si256::<1>(words),
            );
            _mm_storeu_si128(to.cast(), _mm_packs_epi16(low, high));
        }
    }

    #[inline(always)]
    fn splat_i32(self, value: i32) -> Self::I32 {
        unsafe { [_mm256_set1_epi32(value); 2] }
    }

    #[inline(always)]
    fn to_f32(self, a: Self::I32) -> Self::F32 {
        halves!(_mm256_cvtepi32_ps, a)
    }

    #[inline(always)]
    unsafe fn load_u8(self, from: *const u8) -> Self::U8 {
        // SAFETY: the caller promises 64 readable bytes.
        unsafe {
            [
                _mm256_loadu_si256(from.cast()),
                _mm256_loadu_si256(from.add(32).cast()),
            ]
        }
    }

    #[inline(always)]
    fn nibbles(self, bytes: Self::U8) -> (Self::U8, Self::U8) {
        unsafe {
            let low = _mm256_set1_epi8(15);
            (
                [
                    _mm256_and_si256(bytes[0], low),
                    _mm256_and_si256(bytes[1], low),
                ],
                [
                    _mm256_and_si256(_mm256_srli_epi16::<4>(bytes[0]), low),
                    _mm256_and_si256(_mm256_srli_epi16::<4>(bytes[1]), low),
                ],
            )
        }
    }

    #[inline(always)]
    fn dot4(self, sums: Self::I32, a: Self::U8, b: i32) -> Self::I32 {
        // `maddubs` adds pairs of products in 16 bits and saturates: 255 · 127 · 2 would not fit.
        // So both are widened to 16 bits first, even and odd bytes apart, where `madd` is exact.
        let mut totals = sums;
        unsafe {
            let b = _mm256_set1_epi32(b);
            let even_b = _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(b));
            let odd_b = _mm256_srai_epi16::<8>(b);
            for i in 0..2 {
                let even_a = _mm256_and_si256(a[i], _mm256_set1_epi16(255));
                let odd_a = _mm256_srli_epi16::<8>(a[i]);
                let even = _mm256_madd_epi16(even_a, even_b);
                let odd = _mm256_madd_epi16(odd_a, odd_b);
                totals[i] = _mm256_add_epi32(totals[i], _mm256_add_epi32(even, odd));
            }
        }
        totals
    }
}

#[inline(always)]
fn transpose_8(rows: [__m256; 8]) -> [__m256; 8] {
    // SAFETY: reached only through a method of `Avx2`.
    unsafe {
        let mut pairs = rows;
        for i in 0..4 {
            pairs[2 * i] = _mm256_unpacklo_ps(rows[2 * i], rows[2 * i + 1]);
            pairs[2 * i + 1] = _mm256_unpackhi_ps(rows[2 * i], rows[2 * i + 1]);
        }
        let mut quads = rows;
        for i in 0..2 {
            let (a, b) = (pairs[4 * i], pairs[4 * i + 2]);
            quads[4 * i] = _mm256_shuffle_ps::<0x44>(a, b);
            quads[4 * i + 1] = _mm256_shuffle_ps::<0xEE>(a, b);
            let (a, b) = (pairs[4 * i + 1], pairs[4 * i + 3]);
            quads[4 * i + 2] = _mm256_shuffle_ps::<0x44>(a, b);
            quads[4 * i + 3] = _mm256_shuffle_ps::<0xEE>(a, b);
        }
        let mut columns = rows;
        for i in 0..4 {
            columns[i] = _mm256_permute2f128_ps::<0x20>(quads[i], quads[4 + i]);
            columns[4 + i] = _mm256_permute2f128_ps::<0x31>(quads[i], quads[4 + i]);
        }
        columns
    }
}
