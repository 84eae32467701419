//! One block of each of ggml's types that we have no arithmetic for, as f32.
//!
//! `d` is always a scale in f16 and `m` an offset. The k types hold 256 values in groups with scales
//! of their own, six bits each (q6_k: eight), under the scale of the block.
//! Source: the dequantization rows of <https://github.com/ggml-org/ggml>, `src/ggml-quants.c`.
//!
//! Every function takes exactly one block of bytes and the values it stands for; the caller cuts both.

use half::f16;

fn half_at(block: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
}

fn bits_at(block: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]])
}

/// `d`, `m`, 16 bytes of two nibbles: `d · q + m`.
pub(crate) fn q4_1(block: &[u8], out: &mut [f32]) {
    let (d, m) = (half_at(block, 0), half_at(block, 2));
    let (first, second) = out.split_at_mut(16);
    for ((a, b), q) in first.iter_mut().zip(second).zip(&block[4..]) {
        *a = d * f32::from(q & 15) + m;
        *b = d * f32::from(q >> 4) + m;
    }
}

/// `d`, 32 fifth bits, 16 bytes of two nibbles: `d · (q − 16)`.
pub(crate) fn q5_0(block: &[u8], out: &mut [f32]) {
    let d = half_at(block, 0);
    five_bits(bits_at(block, 2), &block[6..], out, |q| d * (q - 16.0));
}

/// `d`, `m`, 32 fifth bits, 16 bytes of two nibbles: `d · q + m`.
pub(crate) fn q5_1(block: &[u8], out: &mut [f32]) {
    let (d, m) = (half_at(block, 0), half_at(block, 2));
    five_bits(bits_at(block, 4), &block[8..], out, |q| d * q + m);
}

fn five_bits(high: u32, low: &[u8], out: &mut [f32], value: impl Fn(f32) -> f32) {
    let (first, second) = out.split_at_mut(16);
    for (j, ((a, b), q)) in first.iter_mut().zip(second).zip(low).enumerate() {
        let fifth = |bit: usize| ((high >> bit & 1) as u8) << 4;
        *a = value(f32::from(q & 15 | fifth(j)));
        *b = value(f32::from(q >> 4 | fifth(j + 16)));
    }
}

/// Scale and offset of group `j` of eight, six bits each, out of twelve bytes.
///
/// The first four groups have theirs in the low six bits of a byte each; the other four have four bits
/// in the last bytes and their upper two at the top of the first eight.
fn group(scales: &[u8], j: usize) -> (f32, f32) {
    let (scale, offset) = if j < 4 {
        (scales[j] & 63, scales[j + 4] & 63)
    } else {
        (
            scales[j + 4] & 15 | scales[j - 4] >> 6 << 4,
            scales[j + 4] >> 4 | scales[j] >> 6 << 4,
        )
    };
    (f32::from(scale), f32::from(offset))
}

/// `d`, `m`, 12 bytes of scales, 128 bytes of two nibbles: `d · scale · q − m · offset`.
pub(crate) fn q4_k(block: &[u8], out: &mut [f32]) {
    let (d, m) = (half_at(block, 0), half_at(block, 2));
    let (scales, nibbles) = (&block[4..16], &block[16..]);
    for (pair, (out, q)) in out.chunks_mut(64).zip(nibbles.chunks(32)).enumerate() {
        let (low, high) = (group(scales, 2 * pair), group(scales, 2 * pair + 1));
        let (first, second) = out.split_at_mut(32);
        for ((a, b), q) in first.iter_mut().zip(second).zip(q) {
            *a = d * low.0 * f32::from(q & 15) - m * low.1;
            *b = d * high.0 * f32::from(q >> 4) - m * high.1;
        }
    }
}

/// As q4_k, with 32 bytes of fifth bits before the nibbles: bit `g` of byte `l` is that of value `l`
/// of group `g`.
pub(crate) fn q5_k(block: &[u8], out: &mut [f32]) {
    let (d, m) = (half_at(block, 0), half_at(block, 2));
    let (scales, fifths, nibbles) = (&block[4..16], &block[16..48], &block[48..]);
    for (pair, (out, q)) in out.chunks_mut(64).zip(nibbles.chunks(32)).enumerate() {
        let (low, high) = (group(scales, 2 * pair), group(scales, 2 * pair + 1));
        let (first, second) = out.split_at_mut(32);
        for (((a, b), q), bits) in first.iter_mut().zip(second).zip(q).zip(fifths) {
            let fifth = |group: usize| (bits >> group & 1) << 4;
            *a = d * low.0 * f32::from(q & 15 | fifth(2 * pair)) - m * low.1;
            *b = d * high.0 * f32::from(q >> 4 | fifth(2 * pair + 1)) - m * high.1;
        }
    }
}

/// 128 bytes of low nibbles, 64 of upper bit pairs, 16 signed scales, `d`: `d · scale · (q − 32)`.
///
/// Each half of the block has 128 values in four runs of 32: the low nibbles of 64 bytes, then their
/// high nibbles; the upper bits of all four runs share a byte.
pub(crate) fn q6_k(block: &[u8], out: &mut [f32]) {
    let d = half_at(block, 208);
    for (half, out) in out.chunks_mut(128).enumerate() {
        let low = &block[64 * half..][..64];
        let upper = &block[128 + 32 * half..][..32];
        let scales = &block[192 + 8 * half..][..8];
        for (run, out) in out.chunks_mut(32).enumerate() {
            for (l, value) in out.iter_mut().enumerate() {
                let nibble = low[l + 32 * (run % 2)] >> (4 * (run / 2)) & 15;
                let q = nibble | (upper[l] >> (2 * run) & 3) << 4;
                let scale = f32::from(scales[2 * run + l / 16].cast_signed());
                *value = d * scale * f32::from(q.cast_signed() - 32);
            }
        }
    }
}

#[cfg(test)]
mod tests;
