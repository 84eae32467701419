// y_i = x_i / sqrt(mean(x²) + eps) · weight_i: one workgroup for each row.
// Source: Zhang & Sennrich 2019, https://arxiv.org/abs/1910.07467, eq. 4.

const LANES = 256u;

struct Params {
    n_rows: u32,
    width: u32,
    eps: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

var<workgroup> parts: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) n_groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = group.y * n_groups.x + group.x;
    if row >= p.n_rows {
        return;
    }
    let start = row * p.width;
    var squares = 0.0;
    for (var i = lane; i < p.width; i += LANES) {
        squares += x[start + i] * x[start + i];
    }
    parts[lane] = squares;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        if lane < half {
            parts[lane] += parts[lane + half];
        }
        workgroupBarrier();
    }
    let scale = 1.0 / sqrt(parts[0] / f32(p.width) + p.eps);
    for (var i = lane; i < p.width; i += LANES) {
        y[start + i] = x[start + i] * scale * weight[i];
    }
}
