//! Vectors of 16 in four registers: every 64-bit ARM processor.
//!
//! Two instructions are written as assembly because Rust's intrinsics for them are not stable: the
//! widening of half precision and the dot product of bytes (`sdot`, ARMv8.2 and later; without it,
//! pairs of products are added in 16 bits).

use std::arch::aarch64::*;
use std::arch::asm;

use super::{LANES, Simd, Task};

/// A processor with NEON, which is all of them, and perhaps `sdot`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Neon<const DOT: bool>(());

impl<const DOT: bool> Neon<DOT> {
    /// Asks the processor.
    pub(super) fn detect() -> Option<Self> {
        let has_dot = std::arch::is_aarch64_feature_detected!("dotprod");
        (std::arch::is_aarch64_feature_detected!("neon") && (has_dot || !DOT)).then_some(Self(()))
    }

    /// Runs a kernel compiled with these instructions.
    #[inline]
    pub(super) fn enter<T: Task>(self, task: T) -> T::Output {
        #[target_feature(enable = "neon")]
        fn with_features<const DOT: bool, T: Task>(simd: Neon<DOT>, task: T) -> T::Output {
            task.run(simd)
        }
        // SAFETY: `self` exists only where `detect` found the features.
        unsafe { with_features(self, task) }
    }
}

/// Applies an intrinsic to each of the four registers.
macro_rules! four {
    ($f:expr, $($v:expr),+) => {
        // SAFETY: `Neon` exists only where `detect` found the feature that the intrinsics need.
        unsafe { [$f($($v[0]),+), $f($($v[1]),+), $f($($v[2]),+), $f($($v[3]),+)] }
    };
}

// SAFETY, for every block below: `Neon` exists only where `detect` found the features that the
// intrinsics need. Blocks that follow a pointer say so themselves.
#[expect(
    clippy::undocumented_unsafe_blocks,
    reason = "one reason for all, above the block"
)]
impl<const DOT: bool> Simd for Neon<DOT> {
    type F32 = [float32x4_t; 4];
    type I32 = [int32x4_t; 4];
    type U8 = [uint8x16_t; 4];

    // 6 x 4 sums, 4 weights and 1 activation: 29 of 32 registers.
    const TILE_ROWS: usize = 6;
    const TILE_VECTORS: usize = 1;
    const QUANTIZED_TOKENS: usize = 2;

    #[inline(always)]
    fn splat(self, value: f32) -> Self::F32 {
        unsafe { [vdupq_n_f32(value); 4] }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> Self::F32 {
        // SAFETY: the caller promises 64 readable bytes.
        unsafe {
            [
                vld1q_f32(from),
                vld1q_f32(from.add(4)),
                vld1q_f32(from.add(8)),
                vld1q_f32(from.add(12)),
            ]
        }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, value: Self::F32) {
        // SAFETY: the caller promises 64 writable bytes.
        unsafe {
            vst1q_f32(to, value[0]);
            vst1q_f32(to.add(4), value[1]);
            vst1q_f32(to.add(8), value[2]);
            vst1q_f32(to.add(12), value[3]);
        }
    }

    #[inline(always)]
    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        four!(vaddq_f32, a, b)
    }

    #[inline(always)]
    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        four!(vmulq_f32, a, b)
    }

    #[inline(always)]
    fn div(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        four!(vdivq_f32, a, b)
    }

    #[inline(always)]
    fn fma(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32 {
        // NEON names the sum first.
        four!(vfmaq_f32, c, a, b)
    }

    #[inline(always)]
    fn max(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        four!(vmaxq_f32, a, b)
    }

    #[inline(always)]
    fn round(self, a: Self::F32) -> Self::F32 {
        four!(vrndnq_f32, a)
    }

    #[inline(always)]
    fn power_of_two(self, n: Self::F32) -> Self::F32 {
        // An f32 keeps its exponent, plus 127, in bits 23 to 30.
        let mut powers = n;
        for power in &mut powers {
            *power = unsafe {
                let exponent = vaddq_s32(vcvtq_s32_f32(*power), vdupq_n_s32(127));
                vreinterpretq_f32_s32(vshlq_n_s32::<23>(exponent))
            };
        }
        powers
    }

    #[inline(always)]
    fn sum(self, a: Self::F32) -> f32 {
        unsafe { vaddvq_f32(vaddq_f32(vaddq_f32(a[0], a[1]), vaddq_f32(a[2], a[3]))) }
    }

    #[inline(always)]
    fn largest(self, a: Self::F32) -> f32 {
        unsafe { vmaxvq_f32(vmaxq_f32(vmaxq_f32(a[0], a[1]), vmaxq_f32(a[2], a[3]))) }
    }

    #[inline(always)]
    fn transpose(self, rows: [Self::F32; LANES]) -> [Self::F32; LANES] {
        // Sixteen blocks of 4 x 4, each turned, and those off the diagonal changed places.
        let mut columns = rows;
        for i in 0..4 {
            for j in 0..4 {
                unsafe {
                    let (a, b) = (rows[4 * i][j], rows[4 * i + 1][j]);
                    let (c, d) = (rows[4 * i + 2][j], rows[4 * i + 3][j]);
                    let (ab_even, ab_odd) = (vtrn1q_f32(a, b), vtrn2q_f32(a, b));
                    let (cd_even, cd_odd) = (vtrn1q_f32(c, d), vtrn2q_f32(c, d));
                    let low = |x: float32x4_t, y: float32x4_t| {
                        vcombine_f32(vget_low_f32(x), vget_low_f32(y))
                    };
                    let high = |x: float32x4_t, y: float32x4_t| {
                        vcombine_f32(vget_high_f32(x), vget_high_f32(y))
                    };
                    columns[4 * j][i] = low(ab_even, cd_even);
                    columns[4 * j + 1][i] = low(ab_odd, cd_odd);
                    columns[4 * j + 2][i] = high(ab_even, cd_even);
                    columns[4 * j + 3][i] = high(ab_odd, cd_odd);
                }
            }
        }
        columns
    }

    #[inline(always)]
    unsafe fn load_f16(self, from: *const u8) -> Self::F32 {
        let mut values = self.splat(0.0);
        for (i, value) in values.iter_mut().enumerate() {
            // SAFETY: the caller promises 32 readable bytes, 8 for each register. The instruction
            // widens four numbers and touches nothing else.
            unsafe {
                let bits = vld1_u16(from.add(8 * i).cast());
                asm!(
                    "fcvtl {wide:v}.4s, {bits:v}.4h",
                    wide = out(vreg) *value,
                    bits = in(vreg) bits,
                    options(pure, nomem, nostack, preserves_flags)
                );
            }
        }
        values
    }

    #[inline(always)]
    unsafe fn load_bf16(self, from: *const u8) -> Self::F32 {
        let mut values = self.splat(0.0);
        for (i, value) in values.iter_mut().enumerate() {
            // SAFETY: the caller promises 32 readable bytes, 8 for each register.
            *value = unsafe {
                let bits = vld1_u16(from.add(8 * i).cast());
                vreinterpretq_f32_u32(vshll_n_u16::<16>(bits))
            };
        }
        values
    }

    #[inline(always)]
    unsafe fn store_i8(self, to: *mut i8, value: Self::F32) {
        // SAFETY: the caller promises 16 writable bytes.
        unsafe {
            let (a, b) = (vcvtnq_s32_f32(value[0]), vcvtnq_s32_f32(value[1]));
            let (c, d) = (vcvtnq_s32_f32(value[2]), vcvtnq_s32_f32(value[3]));
            let low = vcombine_s16(vmovn_s32(a), vmovn_s32(b));
            let high = vcombine_s16(vmovn_s32(c), vmovn_s32(d));
            vst1q_s8(to, vcombine_s8(vmovn_s16(low), vmovn_s16(high)));
        }
    }

    #[inline(always)]
    fn splat_i32(self, value: i32) -> Self::I32 {
        unsafe { [vdupq_n_s32(value); 4] }
    }

    #[inline(always)]
    fn to_f32(self, a: Self::I32) -> Self::F32 {
        four!(vcvtq_f32_s32, a)
    }

    #[inline(always)]
    unsafe fn load_u8(self, from: *const u8) -> Self::U8 {
        // SAFETY: the caller promises 64 readable bytes.
        unsafe {
            [
                vld1q_u8(from),
                vld1q_u8(from.add(16)),
                vld1q_u8(from.add(32)),
                vld1q_u8(from.add(48)),
            ]
        }
    }

    #[inline(always)]
    fn nibbles(self, bytes: Self::U8) -> (Self::U8, Self::U8) {
        let (mut low, mut high) = (bytes, bytes);
        for (low, high) in low.iter_mut().zip(&mut high) {
            unsafe {
                *low = vandq_u8(*low, vdupq_n_u8(15));
                *high = vshrq_n_u8::<4>(*high);
            }
        }
        (low, high)
    }

    #[inline(always)]
    fn dot4(self, sums: Self::I32, a: Self::U8, b: i32) -> Self::I32 {
        // NEON multiplies signed with signed: (a − 128) · b, and then 128 · Σ b on top.
        let bytes = b.to_ne_bytes();
        let sum_b: i32 = bytes.iter().map(|b| i32::from(b.cast_signed())).sum();
        let mut totals = sums;
        for (total, a) in totals.iter_mut().zip(a) {
            unsafe {
                let a = vreinterpretq_s8_u8(veorq_u8(a, vdupq_n_u8(0x80)));
                let b = vreinterpretq_s8_s32(vdupq_n_s32(b));
                let mut sum = vaddq_s32(*total, vdupq_n_s32(128 * sum_b));
                if DOT {
                    // The instruction adds to `sum` and touches nothing else.
                    asm!(
                        ".arch_extension dotprod",
                        "sdot {sum:v}.4s, {a:v}.16b, {b:v}.16b",
                        sum = inout(vreg) sum,
                        a = in(vreg) a,
                        b = in(vreg) b,
                        options(pure, nomem, nostack, preserves_flags)
                    );
                } else {
                    // Two products of bytes may not fit in 16 bits, so each is widened first.
                    let low = vmull_s8(vget_low_s8(a), vget_low_s8(b));
                    let high = vmull_high_s8(a, b);
                    let pairs = vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high));
                    sum = vaddq_s32(sum, pairs);
                }
                *total = sum;
            }
        }
        totals
    }
}
