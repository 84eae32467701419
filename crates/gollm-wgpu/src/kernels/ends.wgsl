// Quads at the end of a row whose width is no multiple of four: what lies beyond the end reads as 0, for
// the weights and for `x`, whatever stands there in memory.

fn weight_quad(matrix: u32, row: u32, quad: u32, width: u32) -> vec4<f32> {
    let column = 4u * quad;
    if column + 4u <= width {
        return four(matrix, row, quad);
    }
    var end = vec4<f32>(0.0);
    for (var i = 0u; column + i < width; i++) {
        end[i] = one(matrix, row, column + i);
    }
    return end;
}

// `row` is the number in `x` at which the row begins.
fn x_quad(row: u32, quad: u32, width: u32) -> vec4<f32> {
    let column = 4u * quad;
    let at = row + column;
    if column + 4u <= width {
        return vec4<f32>(x[at], x[at + 1u], x[at + 2u], x[at + 3u]);
    }
    var end = vec4<f32>(0.0);
    for (var i = 0u; column + i < width; i++) {
        end[i] = x[at + i];
    }
    return end;
}
