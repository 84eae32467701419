//! Vectors of 16 as arrays: for any processor, and the meaning of every operation of [`Simd`].

use half::f16;

use super::{LANES, Simd};

/// Plain Rust, which the compiler may still turn into vector instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Portable;

#[inline(always)]
fn each(f: impl Fn(usize) -> f32) -> [f32; LANES] {
    std::array::from_fn(f)
}

impl Simd for Portable {
    type F32 = [f32; LANES];
    type I32 = [i32; LANES];
    type U8 = [u8; 64];

    const TILE_ROWS: usize = 4;
    const TILE_VECTORS: usize = 1;
    const QUANTIZED_TOKENS: usize = 1;

    #[inline(always)]
    fn splat(self, value: f32) -> Self::F32 {
        [value; LANES]
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> Self::F32 {
        // SAFETY: the caller promises 64 readable bytes.
        unsafe { from.cast::<Self::F32>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, value: Self::F32) {
        // SAFETY: the caller promises 64 writable bytes.
        unsafe { to.cast::<Self::F32>().write_unaligned(value) }
    }

    #[inline(always)]
    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        each(|i| a[i] + b[i])
    }

    #[inline(always)]
    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        each(|i| a[i] * b[i])
    }

    #[inline(always)]
    fn div(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        each(|i| a[i] / b[i])
    }

    #[inline(always)]
    fn fma(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32 {
        // Not `f32::mul_add`: without the instruction that is a slow library call.
        each(|i| a[i] * b[i] + c[i])
    }

    #[inline(always)]
    fn max(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        each(|i| if a[i] > b[i] { a[i] } else { b[i] })
    }

    #[inline(always)]
    fn round(self, a: Self::F32) -> Self::F32 {
        // Adding 1.5 · 2^23 pushes the fraction out of the mantissa, rounding to nearest even.
        const PUSH: f32 = 12_582_912.0;
        each(|i| (a[i] + PUSH) - PUSH)
    }

    #[inline(always)]
    fn power_of_two(self, n: Self::F32) -> Self::F32 {
        each(|i| f32::from_bits(((n[i] as i32 + 127) << 23).cast_unsigned()))
    }

    #[inline(always)]
    fn sum(self, a: Self::F32) -> f32 {
        let eight: [f32; 8] = std::array::from_fn(|i| a[i] + a[i + 8]);
        let four: [f32; 4] = std::array::from_fn(|i| eight[i] + eight[i + 4]);
        (four[0] + four[2]) + (four[1] + four[3])
    }

    #[inline(always)]
    fn largest(self, a: Self::F32) -> f32 {
        a.into_iter().fold(f32::NEG_INFINITY, f32::max)
    }

    #[inline(always)]
    fn transpose(self, rows: [Self::F32; LANES]) -> [Self::F32; LANES] {
        std::array::from_fn(|j| each(|i| rows[i][j]))
    }

    #[inline(always)]
    unsafe fn load_f16(self, from: *const u8) -> Self::F32 {
        // SAFETY: the caller promises 32 readable bytes.
        let bits = unsafe { from.cast::<[u16; LANES]>().read_unaligned() };
        each(|i| f16::from_bits(u16::from_le(bits[i])).to_f32())
    }

    #[inline(always)]
    unsafe fn load_bf16(self, from: *const u8) -> Self::F32 {
        // SAFETY: the caller promises 32 readable bytes.
        let bits = unsafe { from.cast::<[u16; LANES]>().read_unaligned() };
        each(|i| f32::from_bits(u32::from(u16::from_le(bits[i])) << 16))
    }

    #[inline(always)]
    unsafe fn store_i8(self, to: *mut i8, value: Self::F32) {
        // 1.5 · 2^23 pushes the fraction out of the mantissa, which rounds to the nearest whole
        // number and leaves that in the lowest bits.
        let bytes = value.map(|v| (v + 12_582_912.0).to_bits() as u8 as i8);
        // SAFETY: the caller promises 16 writable bytes.
        unsafe { to.cast::<[i8; LANES]>().write_unaligned(bytes) }
    }

    #[inline(always)]
    fn splat_i32(self, value: i32) -> Self::I32 {
        [value; LANES]
    }

    #[inline(always)]
    fn to_f32(self, a: Self::I32) -> Self::F32 {
        each(|i| a[i] as f32)
    }

    #[inline(always)]
    unsafe fn load_u8(self, from: *const u8) -> Self::U8 {
        // SAFETY: the caller promises 64 readable bytes.
        unsafe { from.cast::<Self::U8>().read_unaligned() }
    }

    #[inline(always)]
    fn nibbles(self, bytes: Self::U8) -> (Self::U8, Self::U8) {
        (bytes.map(|b| b & 15), bytes.map(|b| b >> 4))
    }

    #[inline(always)]
    fn dot4(self, sums: Self::I32, a: Self::U8, b: i32) -> Self::I32 {
        let b = b.to_ne_bytes();
        std::array::from_fn(|i| {
            let products = (0..4).map(|j| i32::from(a[4 * i + j]) * i32::from(b[j].cast_signed()));
            sums[i] + products.sum::<i32>()
        })
    }
}
