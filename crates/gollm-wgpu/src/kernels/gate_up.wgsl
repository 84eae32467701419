// y = silu(x · gateᵀ) · (x · upᵀ) for few tokens: matvec.wgsl for two matrices at once, so that the
// hidden numbers exist only as their product. One workgroup for ROWS rows of both and TOKENS tokens.
//
// With TOKENS, a storage file, ends.wgsl, product.wgsl, add_up.wgsl and silu.wgsl. Of the four sums of an
// invocation two are of rows of gate, two of the same rows of up.

const ROWS = 2u;
const GATE = 0u;
const UP = 1u;

@group(0) @binding(2) var<storage, read> gate: array<u32>;
@group(0) @binding(3) var<storage, read> up: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

fn word(matrix: u32, at: u32) -> u32 {
    if matrix == GATE {
        return gate[at];
    }
    return up[at];
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
    let next_row = min(row + 1u, p.n_rows - 1u);
    let last_token = p.n_tokens - 1u;
    var sums: array<vec4<f32>, TOKENS>;
    let n_quads = (p.n_in + 3u) / 4u;
    for (var quad = lane; quad < n_quads; quad += LANES) {
        let rows = mat4x4<f32>(
            weight_quad(GATE, row * p.row_words, quad, p.n_in),
            weight_quad(GATE, next_row * p.row_words, quad, p.n_in),
            weight_quad(UP, row * p.row_words, quad, p.n_in),
            weight_quad(UP, next_row * p.row_words, quad, p.n_in),
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
            y[at] = silu(parts[0][lane]) * parts[0][lane + ROWS];
        }
        workgroupBarrier();
    }
}
