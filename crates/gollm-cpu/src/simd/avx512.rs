//! Vectors of 16 in one register: Intel since Skylake-X (with VNNI since Cascade Lake), AMD since
//! Zen 4.
//!
//! VNNI is required: the processors with AVX-512 and without it gain little here over AVX2, and
//! their clock drops.

use std::arch::x86_64::*;

use super::{LANES, Simd, Task};

/// A processor with AVX-512 F, BW, VL, DQ and VNNI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Avx512(());

impl Avx512 {
    /// Asks the processor, and the operating system, which must save the registers.
    pub(super) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vnni"))
        .then_some(Self(()))
    }

    /// Runs a kernel compiled with these instructions.
    #[inline]
    pub(super) fn enter<T: Task>(self, task: T) -> T::Output {
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
        fn with_features<T: Task>(simd: Avx512, task: T) -> T::Output {
            task.run(simd)
        }
        // SAFETY: `self` exists only where `detect` found the features.
        unsafe { with_features(self, task) }
    }
}

// SAFETY, for every block below: `Avx512` exists only where `detect` found the features that the
// intrinsics need. Blocks that follow a pointer say so themselves.
#[expect(
    clippy::undocumented_unsafe_blocks,
    reason = "one reason for all, above the block"
)]
impl Simd for Avx512 {
    type F32 = __m512;
    type I32 = __m512i;
    type U8 = __m512i;

    // 12 x 2 sums, 2 weights and 1 activation: 27 of 32 registers.
    const TILE_ROWS: usize = 12;
    const TILE_VECTORS: usize = 2;
    const QUANTIZED_TOKENS: usize = 8;

    #[inline(always)]
    fn splat(self, value: f32) -> Self::F32 {
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> Self::F32 {
        // SAFETY: the caller promises 64 readable bytes.
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, value: Self::F32) {
        // SAFETY: the caller promises 64 writable bytes.
        unsafe { _mm512_storeu_ps(to, value) }
    }

    #[inline(always)]
    fn prefetch(self, from: *const f32) {
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) }
    }

    #[inline(always)]
    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        unsafe { _mm512_mul_ps(a, b) }
    }

    #[inline(always)]
    fn div(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        unsafe { _mm512_div_ps(a, b) }
    }

    #[inline(always)]
    fn fma(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32 {
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn max(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        unsafe { _mm512_max_ps(a, b) }
    }

    #[inline(always)]
    fn round(self, a: Self::F32) -> Self::F32 {
        unsafe { _mm512_roundscale_ps::<0>(a) }
    }

    #[inline(always)]
    fn power_of_two(self, n: Self::F32) -> Self::F32 {
        unsafe { _mm512_scalef_ps(_mm512_set1_ps(1.0), n) }
    }

    #[inline(always)]
    fn sum(self, a: Self::F32) -> f32 {
        unsafe { _mm512_reduce_add_ps(a) }
    }

    #[inline(always)]
    fn largest(self, a: Self::F32) -> f32 {
        unsafe { _mm512_reduce_max_ps(a) }
    }

    #[inline(always)]
    fn transpose(self, rows: [Self::F32; LANES]) -> [Self::F32; LANES] {
        unsafe {
            // Pairs, then quadruples within each 128-bit quarter; then the quarters change places.
            let mut pairs = rows;
            for i in 0..8 {
                pairs[2 * i] = _mm512_unpacklo_ps(rows[2 * i], rows[2 * i + 1]);
                pairs[2 * i + 1] = _mm512_unpackhi_ps(rows[2 * i], rows[2 * i + 1]);
            }
            let mut quads = rows;
            for i in 0..4 {
                let (a, b) = (pairs[4 * i], pairs[4 * i + 2]);
                quads[4 * i] = _mm512_shuffle_ps::<0x44>(a, b);
                quads[4 * i + 1] = _mm512_shuffle_ps::<0xEE>(a, b);
                let (a, b) = (pairs[4 * i + 1], pairs[4 * i + 3]);
                quads[4 * i + 2] = _mm512_shuffle_ps::<0x44>(a, b);
                quads[4 * i + 3] = _mm512_shuffle_ps::<0xEE>(a, b);
            }
            let mut columns = rows;
            for i in 0..4 {
                let even = _mm512_shuffle_f32x4::<0x88>(quads[i], quads[4 + i]);
                let odd = _mm512_shuffle_f32x4::<0xDD>(quads[i], quads[4 + i]);
                let even_2 = _mm512_shuffle_f32x4::<0x88>(quads[8 + i], quads[12 + i]);
                let odd_2 = _mm512_shuffle_f32x4::<0xDD>(quads[8 + i], quads[12 + i]);
                columns[i] = _mm512_shuffle_f32x4::<0x88>(even, even_2);
                columns[4 + i] = _mm512_shuffle_f32x4::<0x88>(odd, odd_2);
                columns[8 + i] = _mm512_shuffle_f32x4::<0xDD>(even, even_2);
                columns[12 + i] = _mm512_shuffle_f32x4::<0xDD>(odd, odd_2);
            }
            columns
        }
    }

    #[inline(always)]
    unsafe fn load_f16(self, from: *const u8) -> Self::F32 {
        // SAFETY: the caller promises 32 readable bytes.
        unsafe { _mm512_cvtph_ps(_mm256_loadu_si256(from.cast())) }
    }

    #[inline(always)]
    unsafe fn load_bf16(self, from: *const u8) -> Self::F32 {
        // SAFETY: the caller promises 32 readable bytes.
        unsafe {
            let wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(from.cast()));
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(wide))
        }
    }

    #[inline(always)]
    unsafe fn store_i8(self, to: *mut i8, value: Self::F32) {
        // SAFETY: the caller promises 16 writable bytes.
        unsafe { _mm_storeu_si128(to.cast(), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(value))) }
    }

    #[inline(always)]
    fn splat_i32(self, value: i32) -> Self::I32 {
        unsafe { _mm512_set1_epi32(value) }
    }

    #[inline(always)]
    fn to_f32(self, a: Self::I32) -> Self::F32 {
        unsafe { _mm512_cvtepi32_ps(a) }
    }

    #[inline(always)]
    unsafe fn load_u8(self, from: *const u8) -> Self::U8 {
        // SAFETY: the caller promises 64 readable bytes.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }

    #[inline(always)]
    fn nibbles(self, bytes: Self::U8) -> (Self::U8, Self::U8) {
        unsafe {
            let low = _mm512_set1_epi8(15);
            (
                _mm512_and_si512(bytes, low),
                _mm512_and_si512(_mm512_srli_epi16::<4>(bytes), low),
            )
        }
    }

    #[inline(always)]
    fn dot4(self, sums: Self::I32, a: Self::U8, b: i32) -> Self::I32 {
        unsafe { _mm512_dpbusd_epi32(sums, a, _mm512_set1_epi32(b)) }
    }
}
