// The column of the largest number of each row, the first one on a tie: one workgroup for each row.

const LANES = 256u;
const LOWEST = -3.4e38;
const NOWHERE = 0xffffffffu;

struct Params {
    n_rows: u32,
    width: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> columns: array<u32>;

var<workgroup> values: array<f32, LANES>;
var<workgroup> places: array<u32, LANES>;

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
    var value = LOWEST;
    var place = NOWHERE;
    for (var i = lane; i < p.width; i += LANES) {
        let candidate = x[row * p.width + i];
        if candidate > value {
            value = candidate;
            place = i;
        }
    }
    values[lane] = value;
    places[lane] = place;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        if lane < half {
            let other = lane + half;
            let larger = values[other] > values[lane];
            let earlier = values[other] == values[lane] && places[other] < places[lane];
            if larger || earlier {
                values[lane] = values[other];
                places[lane] = places[other];
            }
        }
        workgroupBarrier();
    }
    if lane == 0u {
        // A row without any number above the lowest has its first column for an answer.
        columns[row] = select(places[0], 0u, places[0] == NOWHERE);
    }
}
