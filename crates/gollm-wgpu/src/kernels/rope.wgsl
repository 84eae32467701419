// y = x, rotated: one invocation for each number. With rotation.wgsl.

struct Params {
    n_numbers: u32,
    width: u32,
    pairs: u32,       // head_dim / 2
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> cosines: array<f32>;
@group(0) @binding(3) var<storage, read> sines: array<f32>;
@group(0) @binding(4) var<storage, read> places: array<vec2<u32>>; // sequence, position
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

fn unrotated(at: u32) -> f32 {
    return x[at];
}

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
    let position = places[row].y;
    y[i] = rotated(row * p.width, i % p.width, position, p.pairs);
}
