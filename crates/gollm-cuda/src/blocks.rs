//! q8_0 and q4_0 as the kernels want them: the integers of all rows, and behind them all scales.
//!
//! In a file a scale of two bytes stands before each block, so that blocks are 34 or 18 bytes and nothing
//! is aligned: a GPU would read them two bytes at a time. Apart, a lane reads 8 or 16 bytes at once. The
//! size stays the same.

use gollm_tensor::DType;

/// Bytes of an f16 scale.
const SCALE: usize = 2;

/// The file's blocks with integers and scales apart.
pub(crate) fn apart(blocks: &[u8], dtype: DType) -> Vec<u8> {
    let block_bytes = dtype.block_bytes();
    let n_blocks = blocks.len() / block_bytes;
    let mut out = vec![0; n_blocks * block_bytes];
    let (integers, scales) = out.split_at_mut(n_blocks * (block_bytes - SCALE));
    let integers = integers.chunks_exact_mut(block_bytes - SCALE);
    let parts = integers.zip(scales.chunks_exact_mut(SCALE));
    for (block, (integers, scale)) in blocks.chunks_exact(block_bytes).zip(parts) {
        scale.copy_from_slice(&block[..SCALE]);
        integers.copy_from_slice(&block[SCALE..]);
    }
    out
}

/// The inverse of [`apart`].
pub(crate) fn together(parts: &[u8], dtype: DType) -> Vec<u8> {
    let block_bytes = dtype.block_bytes();
    let n_blocks = parts.len() / block_bytes;
    let (integers, scales) = parts.split_at(n_blocks * (block_bytes - SCALE));
    let integers = integers.chunks_exact(block_bytes - SCALE);
    let blocks = integers.zip(scales.chunks_exact(SCALE));
    blocks
        .flat_map(|(integers, scale)| scale.iter().chain(integers))
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_taken_apart_and_put_together_are_the_same() {
        for dtype in [DType::Q8_0, DType::Q4_0] {
            let bytes: Vec<u8> = (0..5 * dtype.block_bytes()).map(|i| i as u8).collect();
            let parts = apart(&bytes, dtype);
            assert_eq!(together(&parts, dtype), bytes);
            // The first scale stands behind all integers.
            assert_eq!(parts[5 * (dtype.block_bytes() - 2)..][..2], bytes[..2]);
        }
    }
}
