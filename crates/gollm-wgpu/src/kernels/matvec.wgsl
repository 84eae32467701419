// y = x · weightᵀ for few tokens: one workgroup for ROWS rows of the weight and TOKENS tokens.
//
// Reading the weight is what takes the time, so each of its numbers is read once for all the tokens of a
// workgroup. Neighbouring invocations read neighbouring quads of a row. Their sums meet in a tree in
// workgroup memory, which asks nothing of the size of a subgroup.
//
// With TOKENS, a storage file, ends.wgsl, product.wgsl and add_up.wgsl.

const ROWS = 4u;

@group(0) @binding(2) var<storage, read> weight: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

fn word(matrix: u32, at: u32) -> u32 {
    return weight[at];
}

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) n_groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let n_tiles = (p.n_rows + ROWS - 1u) / ROWS;
    let tile = group.y * n_groups.x + group.x;
    let row = tile % n_tiles * ROWS;
    let token = tile / n_tiles * TOKENS;
    if token >= p.n_tokens {
        return;
    }
    // Rows and tokens past the last compute the last one again, and are not written.
    let last_row = p.n_rows - 1u;
    let last_token = p.n_tokens - 1u;
    var sums: array<vec4<f32>, TOKENS>;
    let n_quads = (p.n_in + 3u) / 4u;
    for (var quad = lane; quad < n_quads; quad += LANES) {
        // One column for each row of the weight: vector times matrix is four dot products.
        let rows = mat4x4<f32>(
            weight_quad(0u, row * p.row_words, quad, p.n_in),
            weight_quad(0u, min(row + 1u, last_row) * p.row_words, quad, p.n_in),
            weight_quad(0u, min(row + 2u, last_row) * p.row_words, quad, p.n_in),
            weight_quad(0u, min(row + 3u, last_row) * p.row_words, quad, p.n_in),
        );
        for (var t = 0u; t < TOKENS; t++) {
            let start = (p.first_x + min(token + t, last_token)) * p.n_in;
            sums[t] += x_quad(start, quad, p.n_in) * rows;
        }
    }
    for (var t = 0u; t < TOKENS; t++) {
        add_up(lane, sums[t]);
        if lane < ROWS && row + lane < p.n_rows && token + t < p.n_tokens {
            let at = (p.first_y + token + t) * p.width_y + p.first_column + row + lane;
            y[at] = parts[0][lane];
        }
        workgroupBarrier();
    }
}
