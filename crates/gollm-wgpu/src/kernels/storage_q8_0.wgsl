// Weights stored as q8_0: a block of 32 is an f16 scale d and 32 signed bytes q, 17 halves in all. A
// number is d · q.

fn four(matrix: u32, row: u32, quad: u32) -> vec4<f32> {
    let block = 17u * (quad / 8u);
    let bytes = bitcast<i32>(two_halves(matrix, row, block + 1u + 2u * (quad % 8u)));
    let q = vec4<i32>(
        extractBits(bytes, 0u, 8u),
        extractBits(bytes, 8u, 8u),
        extractBits(bytes, 16u, 8u),
        extractBits(bytes, 24u, 8u),
    );
    return scale_at(matrix, row, block) * vec4<f32>(q);
}

fn one(matrix: u32, row: u32, column: u32) -> f32 {
    return four(matrix, row, column / 4u)[column % 4u];
}
