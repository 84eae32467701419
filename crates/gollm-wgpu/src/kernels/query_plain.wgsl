// For attention.wgsl: queries that are rotated already, or never.
fn query_number(row: u32, column: u32, position: u32) -> f32 {
    return q[row + column];
}
