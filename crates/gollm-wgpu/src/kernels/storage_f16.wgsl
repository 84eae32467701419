// Weights, or a cache, stored as f16: two numbers in each word, the first in the lower half.
//
// `unpack2x16float` is part of WGSL itself: no adapter needs 16-bit arithmetic for this.

fn one(matrix: u32, row: u32, column: u32) -> f32 {
    return unpack2x16float(word(matrix, row + column / 2u))[column % 2u];
}

fn four(matrix: u32, row: u32, quad: u32) -> vec4<f32> {
    let at = row + 2u * quad;
    return vec4<f32>(unpack2x16float(word(matrix, at)), unpack2x16float(word(matrix, at + 1u)));
}
