// sum[to_t] += scales_t · rows_t: one invocation for each number of the rows. No row is named twice, so no
// two invocations write to one number.
//
// A sum may be bound in several windows; a call adds the rows that fall in its window.

struct Params {
    n_numbers: u32, // of the rows of this call
    width: u32,
    first_row: u32, // of the sum in this window
    n_rows: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> rows: array<f32>;
@group(0) @binding(2) var<storage, read> to: array<u32>;
@group(0) @binding(3) var<storage, read> scales: array<f32>;
@group(0) @binding(4) var<storage, read_write> sum: array<f32>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) n_groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = (group.y * n_groups.x + group.x) * 256u + lane;
    if i >= p.n_numbers {
        return;
    }
    let row = i / p.width;
    let place = to[row];
    if place < p.first_row || place - p.first_row >= p.n_rows {
        return;
    }
    sum[(place - p.first_row) * p.width + i % p.width] += scales[row] * rows[i];
}
