// For attention.wgsl: queries that are rotated as they are read, with rotation.wgsl.
@group(0) @binding(5) var<storage, read> cosines: array<f32>;
@group(0) @binding(6) var<storage, read> sines: array<f32>;

fn unrotated(at: u32) -> f32 {
    return q[at];
}

fn query_number(row: u32, column: u32, position: u32) -> f32 {
    return rotated(row, column, position, HEAD_DIM / 2u);
}
