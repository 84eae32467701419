// One sum of all invocations: their four sums for a token meet in a tree.

const LANES = 64u;

// A component for each row of a weight. In the end `parts[0]` is the sum of all.
var<workgroup> parts: array<vec4<f32>, LANES>;

// All invocations must call it, and wait before they call it again.
fn add_up(lane: u32, sums: vec4<f32>) {
    parts[lane] = sums;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        if lane < half {
            parts[lane] += parts[lane + half];
        }
        workgroupBarrier();
    }
}
