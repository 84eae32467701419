//! Rows of a weight as they lie in the file: f32, f16 or bf16, widened as they are read.

use gollm_tensor::DType;

use crate::simd::{LANES, Simd};

/// How 16 weights become numbers. A type and not a value, so that each kernel is compiled for each.
pub(crate) trait Stored: Copy {
    /// Bytes of one weight.
    const BYTES: usize;

    /// Reads 16 weights.
    ///
    /// # Safety
    ///
    /// `16 · BYTES` bytes must be readable at `from`; no alignment is needed.
    unsafe fn load<S: Simd>(simd: S, from: *const u8) -> S::F32;

    /// Reads the `n < 16` last weights of a row; the other lanes are 0.
    ///
    /// # Safety
    ///
    /// `n · BYTES` bytes must be readable at `from`.
    #[inline(always)]
    unsafe fn load_some<S: Simd>(simd: S, from: *const u8, n: usize) -> S::F32 {
        let mut room = [0u8; 4 * LANES];
        // SAFETY: the caller promises the bytes; `n · BYTES` is less than the room.
        unsafe {
            std::ptr::copy_nonoverlapping(from, room.as_mut_ptr(), n * Self::BYTES);
            Self::load(simd, room.as_ptr())
        }
    }
}

/// Weights stored as f32.
#[derive(Clone, Copy)]
pub(crate) struct F32;
/// Weights stored as f16.
#[derive(Clone, Copy)]
pub(crate) struct F16;
/// Weights stored as bf16.
#[derive(Clone, Copy)]
pub(crate) struct Bf16;

impl Stored for F32 {
    const BYTES: usize = 4;

    #[inline(always)]
    unsafe fn load<S: Simd>(simd: S, from: *const u8) -> S::F32 {
        // SAFETY: the caller promises the bytes.
        unsafe { simd.load(from.cast()) }
    }
}

impl Stored for F16 {
    const BYTES: usize = 2;

    #[inline(always)]
    unsafe fn load<S: Simd>(simd: S, from: *const u8) -> S::F32 {
        // SAFETY: the caller promises the bytes.
        unsafe { simd.load_f16(from) }
    }
}

impl Stored for Bf16 {
    const BYTES: usize = 2;

    #[inline(always)]
    unsafe fn load<S: Simd>(simd: S, from: *const u8) -> S::F32 {
        // SAFETY: the caller promises the bytes.
        unsafe { simd.load_bf16(from) }
    }
}

/// A matrix `[n_rows, n_columns]` in memory, row after row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) dtype: DType,
    pub(crate) n_rows: usize,
    pub(crate) n_columns: usize,
}

impl<'a> Rows<'a> {
    /// A matrix whose bytes are exactly those of its shape, or `None`.
    pub(crate) fn new(
        bytes: &'a [u8],
        dtype: DType,
        n_rows: usize,
        n_columns: usize,
    ) -> Option<Self> {
        let expected = dtype.n_bytes(&[n_rows, n_columns]).ok()?;
        (dtype.block_len() == 1 && bytes.len() == expected).then_some(Self {
            bytes,
            dtype,
            n_rows,
            n_columns,
        })
    }
}

/// Calls a generic function with the type that reads `$dtype`.
macro_rules! with_stored {
    ($dtype:expr, $stored:ident => $call:expr) => {
        match $dtype {
            gollm_tensor::DType::F16 => {
                type $stored = $crate::kernels::rows::F16;
                $call
            }
            gollm_tensor::DType::BF16 => {
                type $stored = $crate::kernels::rows::Bf16;
                $call
            }
            // `Rows` holds no other type.
            _ => {
                type $stored = $crate::kernels::rows::F32;
                $call
            }
        }
    };
}
pub(crate) use with_stored;
