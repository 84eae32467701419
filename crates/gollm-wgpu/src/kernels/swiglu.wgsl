// y = silu(gate) · up with silu(g) = g / (1 + e^-g): one invocation for each number.
// Source: Shazeer 2020, https://arxiv.org/abs/2002.05202, eq. 5.

struct Params {
    n_numbers: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> gate: array<f32>;
@group(0) @binding(2) var<storage, read> up: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) n_groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = (group.y * n_groups.x + group.x) * 256u + lane;
    if i < p.n_numbers {
        y[i] = silu(gate[i]) * up[i];
    }
}
