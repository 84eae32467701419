// y_i = e^{x_i} / Σ_j e^{x_j}: one workgroup for each row. The largest number is subtracted first, which
// changes nothing in the quotient and keeps e^x finite.

const LANES = 256u;
const LOWEST = -3.4e38;

struct Params {
    n_rows: u32,
    width: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

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
    var largest = LOWEST;
    for (var i = lane; i < p.width; i += LANES) {
        largest = max(largest, x[start + i]);
    }
    parts[lane] = largest;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        if lane < half {
            parts[lane] = max(parts[lane], parts[lane + half]);
        }
        workgroupBarrier();
    }
    largest = parts[0];
    // Nobody may write the next sums before everybody has read the largest.
    workgroupBarrier();
    var sum = 0.0;
    for (var i = lane; i < p.width; i += LANES) {
        sum += exp(x[start + i] - largest);
    }
    parts[lane] = sum;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        if lane < half {
            parts[lane] += parts[lane + half];
        }
        workgroupBarrier();
    }
    for (var i = lane; i < p.width; i += LANES) {
        y[start + i] = exp(x[start + i] - largest) / parts[0];
    }
}
