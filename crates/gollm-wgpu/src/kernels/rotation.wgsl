// Rotary position embedding of one number, split halves: with d = head_dim / 2 and the angle of pair i,
// y_i = x_i · cos − x_{i+d} · sin and y_{i+d} = x_{i+d} · cos + x_i · sin, in every head.
// Source: Su et al. 2021, https://arxiv.org/abs/2104.09864, eq. 34.
//
// A kernel that includes this defines `unrotated(at)`, a number of its x, and binds `cosines` and `sines`.

// `row` is where the row begins in x, `pairs` is d.
fn rotated(row: u32, column: u32, position: u32, pairs: u32) -> f32 {
    let i = column % (2u * pairs);
    let angle = position * pairs + i % pairs;
    let x = unrotated(row + column);
    if i < pairs {
        return x * cosines[angle] - unrotated(row + column + pairs) * sines[angle];
    }
    return x * cosines[angle] + unrotated(row + column - pairs) * sines[angle];
}
