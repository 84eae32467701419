// Weights stored as bf16: two numbers in each word, the first in the lower half. A bf16 is the upper half
// of an f32, so that moving it there is all there is to do.

fn one(matrix: u32, row: u32, column: u32) -> f32 {
    let pair = word(matrix, row + column / 2u);
    return bitcast<f32>(select(pair << 16u, pair & 0xffff0000u, column % 2u == 1u));
}

fn four(matrix: u32, row: u32, quad: u32) -> vec4<f32> {
    let at = row + 2u * quad;
    let pairs = vec2<u32>(word(matrix, at), word(matrix, at + 1u));
    let even = bitcast<vec2<f32>>(pairs << vec2<u32>(16u));
    let odd = bitcast<vec2<f32>>(pairs & vec2<u32>(0xffff0000u));
    return vec4<f32>(even.x, odd.x, even.y, odd.y);
}
