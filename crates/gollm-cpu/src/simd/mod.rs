//! SIMD vectors of sixteen numbers, on whatever instruction set (ISA) the processor offers.
//!
//! Every kernel of this crate is written once, over the trait [`Simd`], whose vector has 16 lanes
//! on every instruction set: one register of AVX-512, two of AVX2, four of NEON, an array in
//! portable Rust. An instruction set is a small file that says how its registers do a dozen things.
//!
//! Which one to use is decided once, at run time ([`Isa::detect`]). A kernel is then a [`Task`],
//! and [`Isa::run`] compiles one copy of it for each instruction set: the copy is inlined into a
//! function marked with `#[target_feature]`, so that its vector operations become single
//! instructions. Nothing else in the program needs special compiler flags.

#![allow(
    clippy::needless_range_loop,
    reason = "iterators over vectors are not inlined everywhere: see `Simd`"
)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;

use std::fmt;
use std::str::FromStr;

/// How many numbers a vector has.
pub(crate) const LANES: usize = 16;

/// What a processor can do with vectors of 16 numbers.
///
/// Every value of an implementing type is a promise that the processor has the instructions, so the
/// operations on values are safe; those that follow a pointer are not.
///
/// All methods must be inlined to become instructions, hence `#[inline(always)]` on each of them
/// and on every kernel. A closure cannot carry that attribute, and one that the compiler leaves
/// alone turns each of its vector operations into a call through memory, a hundred times slower: so
/// no kernel has a closure around vectors, nor `array::from_fn` or an iterator over them; kernels
/// count with indices.
pub(crate) trait Simd: Copy + Send + Sync + 'static {
    /// 16 numbers.
    type F32: Copy;
    /// 16 integers of 32 bits.
    type I32: Copy;
    /// 64 bytes.
    type U8: Copy;

    /// Rows of the register tile of the packed matrix product (see `kernels/gemm.rs`).
    const TILE_ROWS: usize;
    /// Vectors in a row of that tile.
    const TILE_VECTORS: usize;
    /// How many tokens the quantized kernel works on at once: as many as its sums fit in registers.
    const QUANTIZED_TOKENS: usize;

    /// The same number in every lane.
    fn splat(self, value: f32) -> Self::F32;
    /// Reads 16 numbers.
    ///
    /// # Safety
    ///
    /// 64 bytes must be readable at `from`; no alignment is needed.
    unsafe fn load(self, from: *const f32) -> Self::F32;
    /// Writes 16 numbers.
    ///
    /// # Safety
    ///
    /// 64 bytes must be writable at `to`; no alignment is needed.
    unsafe fn store(self, to: *mut f32, value: Self::F32);
    /// Asks for a cache line that will be read soon.
    #[inline(always)]
    fn prefetch(self, _from: *const f32) {}
    /// `a + b`.
    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a · b`.
    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a / b`.
    fn div(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a · b + c`, rounded once where the processor can.
    fn fma(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    /// The larger of each pair.
    fn max(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// To the nearest whole number.
    fn round(self, a: Self::F32) -> Self::F32;
    /// `2ⁿ` for whole numbers `n` from −126 to 127.
    fn power_of_two(self, n: Self::F32) -> Self::F32;
    /// The sum of the lanes.
    fn sum(self, a: Self::F32) -> f32;
    /// The largest lane.
    fn largest(self, a: Self::F32) -> f32;
    /// Rows become columns: lane `j` of vector `i` goes to lane `i` of vector `j`.
    fn transpose(self, rows: [Self::F32; LANES]) -> [Self::F32; LANES];

    /// Reads 16 numbers of half precision.
    ///
    /// # Safety
    ///
    /// 32 bytes must be readable at `from`; no alignment is needed.
    unsafe fn load_f16(self, from: *const u8) -> Self::F32;
    /// Reads 16 numbers stored as bf16.
    ///
    /// # Safety
    ///
    /// 32 bytes must be readable at `from`; no alignment is needed.
    unsafe fn load_bf16(self, from: *const u8) -> Self::F32;
    /// Writes 16 numbers from −127 to 127 as signed bytes, rounded to the nearest. What a number
    /// that is not one becomes is not said.
    ///
    /// # Safety
    ///
    /// 16 bytes must be writable at `to`.
    unsafe fn store_i8(self, to: *mut i8, value: Self::F32);

    /// The same integer in every lane.
    fn splat_i32(self, value: i32) -> Self::I32;
    /// Integers as numbers.
    fn to_f32(self, a: Self::I32) -> Self::F32;
    /// Reads 64 bytes.
    ///
    /// # Safety
    ///
    /// 64 bytes must be readable at `from`; no alignment is needed.
    unsafe fn load_u8(self, from: *const u8) -> Self::U8;
    /// The low and the high half of each byte.
    fn nibbles(self, bytes: Self::U8) -> (Self::U8, Self::U8);
    /// To each lane of `sums` the four products of its four unsigned bytes of `a` with the four
    /// signed bytes of `b`, which are the same for every lane.
    fn dot4(self, sums: Self::I32, a: Self::U8, b: i32) -> Self::I32;
}

/// A kernel with its arguments, to be compiled for each instruction set.
///
/// `run` must be `#[inline(always)]`.
pub(crate) trait Task {
    /// What the kernel returns.
    type Output;
    /// Does the work.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// Instruction set: the vector instructions in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Isa(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Portable(portable::Portable),
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(avx512::Avx512),
    #[cfg(target_arch = "aarch64")]
    Neon(neon::Neon<false>),
    #[cfg(target_arch = "aarch64")]
    NeonDot(neon::Neon<true>),
}

impl Isa {
    /// The best that this processor has.
    #[must_use]
    pub fn detect() -> Self {
        Self::available()
            .pop()
            .unwrap_or(Self(Kind::Portable(portable::Portable)))
    }

    /// All that this processor can run, the slowest first; portable Rust is always there.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut all = vec![Self(Kind::Portable(portable::Portable))];
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(avx2::Avx2::detect().map(|m| Self(Kind::Avx2(m))));
            all.extend(avx512::Avx512::detect().map(|m| Self(Kind::Avx512(m))));
        }
        #[cfg(target_arch = "aarch64")]
        {
            all.extend(neon::Neon::detect().map(|m| Self(Kind::Neon(m))));
            all.extend(neon::Neon::detect().map(|m| Self(Kind::NeonDot(m))));
        }
        all
    }

    /// A short lower-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Portable(_) => "portable",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512(_) => "avx512",
            #[cfg(target_arch = "aarch64")]
            Kind::Neon(_) => "neon",
            #[cfg(target_arch = "aarch64")]
            Kind::NeonDot(_) => "neon-dotprod",
        }
    }

    /// Runs the copy of a kernel that was compiled for this instruction set.
    #[inline]
    pub(crate) fn run<T: Task>(self, task: T) -> T::Output {
        match self.0 {
            Kind::Portable(simd) => task.run(simd),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2(simd) => simd.enter(task),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512(simd) => simd.enter(task),
            #[cfg(target_arch = "aarch64")]
            Kind::Neon(simd) => simd.enter(task),
            #[cfg(target_arch = "aarch64")]
            Kind::NeonDot(simd) => simd.enter(task),
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Isa {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let available = Self::available();
        let found = available.iter().find(|isa| isa.name() == text);
        found.copied().ok_or_else(|| {
            let names: Vec<&str> = available.iter().map(|isa| isa.name()).collect();
            format!(
                "this processor has no kernels called `{text}`; it has {}",
                names.join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests;
