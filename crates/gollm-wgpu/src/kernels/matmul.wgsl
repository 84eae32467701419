// y = x · weightᵀ for many tokens: one workgroup for a tile of 64 tokens and 64 rows of the weight.
//
// Both operands are read DEPTH columns at a time into workgroup memory, where each number serves 64
// multiplications. An invocation sums four tokens by four rows, 16 apart, in registers. The tiles lie
// column by column, and a column takes 65 numbers and not 64, so that those of different columns that are
// written together fall into different banks.
//
// With a storage file, ends.wgsl and product.wgsl.

const TILE = 64u;
const DEPTH = 16u;
const STRIDE = 65u;

@group(0) @binding(2) var<storage, read> weight: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

var<workgroup> tokens: array<f32, 1040>; // DEPTH · STRIDE
var<workgroup> rows: array<f32, 1040>;

fn word(matrix: u32, at: u32) -> u32 {
    return weight[at];
}

@compute @workgroup_size(16, 16)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) n_groups: vec3<u32>,
    @builtin(local_invocation_id) here: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let n_tiles = (p.n_rows + TILE - 1u) / TILE;
    let tile = group.y * n_groups.x + group.x;
    let first_row = tile % n_tiles * TILE;
    let first_token = tile / n_tiles * TILE;
    if first_token >= p.n_tokens {
        return;
    }
    // Which quad of each operand this invocation brings. Past the last row it brings the last again.
    let slot = lane / 4u;
    let column = lane % 4u * 4u;
    let x_row = (p.first_x + min(first_token + slot, p.n_tokens - 1u)) * p.n_in;
    let weight_row = min(first_row + slot, p.n_rows - 1u) * p.row_words;

    var sums: array<vec4<f32>, 4>; // one for each token, one component for each row
    let n_quads = (p.n_in + 3u) / 4u;
    for (var first = 0u; first < n_quads; first += DEPTH / 4u) {
        let quad = first + lane % 4u; // a quad past the end reads as 0
        let x_part = x_quad(x_row, quad, p.n_in);
        let weight_part = weight_quad(0u, weight_row, quad, p.n_in);
        for (var i = 0u; i < 4u; i++) {
            tokens[(column + i) * STRIDE + slot] = x_part[i];
            rows[(column + i) * STRIDE + slot] = weight_part[i];
        }
        workgroupBarrier();
        for (var k = 0u; k < DEPTH; k++) {
            let at = k * STRIDE + here.x;
            let row_part = vec4<f32>(rows[at], rows[at + 16u], rows[at + 32u], rows[at + 48u]);
            for (var t = 0u; t < 4u; t++) {
                sums[t] += tokens[k * STRIDE + here.y + 16u * t] * row_part;
            }
        }
        workgroupBarrier();
    }
    for (var t = 0u; t < 4u; t++) {
        let token = first_token + here.y + 16u * t;
        for (var r = 0u; r < 4u; r++) {
            let row = first_row + here.x + 16u * r;
            if token < p.n_tokens && row < p.n_rows {
                y[(p.first_y + token) * p.width_y + p.first_column + row] = sums[t][r];
            }
        }
    }
}
