//! From f32 to a storage type and back: `quantize` and `dequantize`.
//!
//! Notes: `notes/appendix-a-tensors.md`, `notes/ch08-quantization.md`. The blocked types follow ggml's
//! layout (<https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>): a block is 32 values of one
//! row that share one f16 scale.

use half::slice::{HalfBitsSliceExt, HalfFloatSliceExt};
use half::{bf16, f16};

use crate::dtype::DType;
use crate::error::{Error, Result};

/// Values per block of the blocked types.
const BLOCK: usize = 32;

/// Stores `values` as `dtype`, little-endian.
///
/// f16 and bf16 round to the nearest, ties to even. The blocked types scale each run of 32 values:
/// q8_0 by `d = max|x| / 127`, q4_0 by `d = x_m / -8` where `x_m` is the value of largest magnitude.
///
/// # Errors
///
/// If the number of values is not a whole number of blocks.
pub fn quantize(values: &[f32], dtype: DType) -> Result<Vec<u8>> {
    if !values.len().is_multiple_of(dtype.block_len()) {
        return Err(Error::RaggedBlock {
            row: values.len(),
            dtype,
            block: dtype.block_len(),
        });
    }
    Ok(match dtype {
        DType::F32 => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        DType::F16 => values
            .iter()
            .flat_map(|v| f16::from_f32(*v).to_le_bytes())
            .collect(),
        DType::BF16 => values
            .iter()
            .flat_map(|v| bf16::from_f32(*v).to_le_bytes())
            .collect(),
        DType::Q8_0 => values.chunks_exact(BLOCK).flat_map(quantize_q8_0).collect(),
        DType::Q4_0 => values.chunks_exact(BLOCK).flat_map(quantize_q4_0).collect(),
    })
}

/// Reads `bytes` stored as `dtype` back into f32.
///
/// # Errors
///
/// If `bytes` is not exactly what `out.len()` values take in `dtype`.
pub fn dequantize(bytes: &[u8], dtype: DType, out: &mut [f32]) -> Result<()> {
    let expected = dtype.n_bytes(&[out.len()])?;
    if bytes.len() != expected {
        return Err(Error::Length {
            operation: "dequantize",
            name: "bytes",
            found: bytes.len(),
            expected,
        });
    }
    match dtype {
        DType::F32 => {
            for (value, bytes) in out.iter_mut().zip(bytes.chunks_exact(4)) {
                *value = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            }
        }
        DType::F16 => widen(bytes, out, |bits, out| {
            bits.reinterpret_cast::<f16>().convert_to_f32_slice(out)
        }),
        DType::BF16 => widen(bytes, out, |bits, out| {
            bits.reinterpret_cast::<bf16>().convert_to_f32_slice(out)
        }),
        DType::Q8_0 => {
            for (block, out) in bytes.chunks_exact(34).zip(out.chunks_exact_mut(BLOCK)) {
                let scale = f16::from_le_bytes([block[0], block[1]]).to_f32();
                for (value, q) in out.iter_mut().zip(&block[2..]) {
                    *value = scale * f32::from(q.cast_signed());
                }
            }
        }
        DType::Q4_0 => {
            for (block, out) in bytes.chunks_exact(18).zip(out.chunks_exact_mut(BLOCK)) {
                let scale = f16::from_le_bytes([block[0], block[1]]).to_f32();
                // The low nibbles are the first half of the block, the high nibbles the second.
                let (first, second) = out.split_at_mut(BLOCK / 2);
                for ((a, b), q) in first.iter_mut().zip(second).zip(&block[2..]) {
                    *a = scale * f32::from((q & 15).cast_signed() - 8);
                    *b = scale * f32::from((q >> 4).cast_signed() - 8);
                }
            }
        }
    }
    Ok(())
}

/// Widens 2-byte values a chunk at a time: `half` converts slices with the machine's own
/// instruction where there is one, and a chunk on the stack needs no alignment of `bytes`.
fn widen(bytes: &[u8], out: &mut [f32], convert: impl Fn(&[u16], &mut [f32])) {
    let mut bits = [0u16; 256];
    for (bytes, out) in bytes.chunks(2 * bits.len()).zip(out.chunks_mut(bits.len())) {
        for (bits, bytes) in bits.iter_mut().zip(bytes.chunks_exact(2)) {
            *bits = u16::from_le_bytes([bytes[0], bytes[1]]);
        }
        convert(&bits[..out.len()], out);
    }
}

/// A block with a number that is not finite becomes NaN as a whole.
fn quantize_q8_0(values: &[f32]) -> [u8; 34] {
    let larger = |m: f32, v: f32| if v > m || v.is_nan() { v } else { m };
    let largest = values.iter().fold(0.0, |m, v| larger(m, v.abs()));
    let scale = largest / 127.0;
    let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
    let mut block = [0; 34];
    block[..2].copy_from_slice(&f16::from_f32(scale).to_le_bytes());
    for (q, v) in block[2..].iter_mut().zip(values) {
        *q = ((v * inverse).round() as i8).cast_unsigned();
    }
    block
}

/// As [`quantize_q8_0`].
fn quantize_q4_0(values: &[f32]) -> [u8; 18] {
    // Dividing by -8 puts the value of largest magnitude, sign included, exactly on nibble 0.
    let larger = |m: f32, v: f32| match v.abs() > m.abs() || v.is_nan() {
        true => v,
        false => m,
    };
    let extreme = values.iter().fold(0.0, |m, v| larger(m, *v));
    let scale = extreme / -8.0;
    let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
    let nibble = |v: f32| (v * inverse + 8.5).clamp(0.0, 15.0) as u8;
    let mut block = [0; 18];
    block[..2].copy_from_slice(&f16::from_f32(scale).to_le_bytes());
    let (first, second) = values.split_at(BLOCK / 2);
    for ((q, a), b) in block[2..].iter_mut().zip(first).zip(second) {
        *q = nibble(*a) | (nibble(*b) << 4);
    }
    block
}
