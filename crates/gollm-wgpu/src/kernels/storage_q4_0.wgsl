// Weights stored as q4_0: a block of 32 is an f16 scale d and 16 bytes, 9 halves in all. Byte j holds
// number j in its lower four bits and number j + 16 in its upper four; a number is d · (q − 8).

fn four(matrix: u32, row: u32, quad: u32) -> vec4<f32> {
    let block = 9u * (quad / 8u);
    let bytes = two_halves(matrix, row, block + 1u + 2u * (quad % 4u));
    // Quads 0 to 3 of a block are lower nibbles, quads 4 to 7 the upper nibbles of the same bytes.
    let nibbles = bytes >> (quad % 8u / 4u * 4u);
    let q = vec4<u32>(nibbles, nibbles >> 8u, nibbles >> 16u, nibbles >> 24u) & vec4<u32>(15u);
    return scale_at(matrix, row, block) * (vec4<f32>(q) - 8.0);
}

fn one(matrix: u32, row: u32, column: u32) -> f32 {
    return four(matrix, row, column / 4u)[column % 4u];
}
