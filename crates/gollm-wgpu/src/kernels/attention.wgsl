// y = Σ_{s ≤ position} softmax_s(q · k_s / sqrt(head_dim)) · v_s: one workgroup for each token and head.
//
// One pass over the cache, LANES positions at a time. For each block an invocation scores one position;
// then each owns some numbers of the head and adds up the block's values. What was summed before is
// shrunk whenever a larger score turns up, so that no exponent is ever above zero.
// Source: Milakov & Gimelshein 2018, https://arxiv.org/abs/1805.02867 (online softmax).
//
// With HEAD_DIM, OUTPUT (the binding of y), a storage file for the cache, and one of query_plain.wgsl and
// query_rotated.wgsl.

const LANES = 64u;
const LOWEST = -3.4e38;
const KEYS = 0u;
const VALUES = 1u;
// How many numbers of the head one invocation owns at most.
const OWN = (HEAD_DIM + LANES - 1u) / LANES;

struct Params {
    n_tokens: u32, // in this window of q
    n_heads: u32,
    group: u32,          // query heads that share a key/value head
    row_words: u32,      // of the cache
    first_sequence: u32, // of the cache in this window
    n_sequences: u32,
    context_length: u32,
    scale: f32, // 1 / sqrt(head_dim)
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> keys: array<u32>;
@group(0) @binding(3) var<storage, read> values: array<u32>;
@group(0) @binding(4) var<storage, read> places: array<vec2<u32>>; // sequence, position
@group(0) @binding(OUTPUT) var<storage, read_write> y: array<f32>;

var<workgroup> query: array<f32, HEAD_DIM>;
var<workgroup> shares: array<f32, LANES>;
var<workgroup> scratch: array<f32, LANES>;

fn word(matrix: u32, at: u32) -> u32 {
    if matrix == KEYS {
        return keys[at];
    }
    return values[at];
}

// q · k / sqrt(head_dim) for the key in the cache's row that begins at word `row`.
fn score(row: u32, first_column: u32) -> f32 {
    var sum = 0.0;
    if HEAD_DIM % 4u == 0u {
        for (var quad = 0u; quad < HEAD_DIM / 4u; quad++) {
            let at = 4u * quad;
            let part = vec4<f32>(query[at], query[at + 1u], query[at + 2u], query[at + 3u]);
            sum += dot(part, four(KEYS, row, first_column / 4u + quad));
        }
    } else {
        for (var i = 0u; i < HEAD_DIM; i++) {
            sum += query[i] * one(KEYS, row, first_column + i);
        }
    }
    return sum * p.scale;
}

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) n_groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = group.y * n_groups.x + group.x;
    let token = index / p.n_heads;
    let head = index % p.n_heads;
    if token >= p.n_tokens {
        return;
    }
    let place = places[token];
    if place.x < p.first_sequence || place.x - p.first_sequence >= p.n_sequences {
        return;
    }
    let position = place.y;
    let first_row = (place.x - p.first_sequence) * p.context_length;
    let first_column = head / p.group * HEAD_DIM;
    let start = (token * p.n_heads) * HEAD_DIM;
    for (var i = lane; i < HEAD_DIM; i += LANES) {
        query[i] = query_number(start, head * HEAD_DIM + i, position);
    }
    workgroupBarrier();

    var largest = LOWEST;
    var sum = 0.0; // of this invocation's shares
    var context: array<f32, OWN>;
    for (var block = 0u; block <= position; block += LANES) {
        let s = block + lane;
        var own_score = LOWEST;
        if s <= position {
            own_score = score((first_row + s) * p.row_words, first_column);
        }
        scratch[lane] = own_score;
        workgroupBarrier();
        for (var half = LANES / 2u; half > 0u; half /= 2u) {
            if lane < half {
                scratch[lane] = max(scratch[lane], scratch[lane + half]);
            }
            workgroupBarrier();
        }
        let new_largest = max(largest, scratch[0]);
        let shrink = exp(largest - new_largest);
        largest = new_largest;
        let share = select(0.0, exp(own_score - largest), s <= position);
        sum = sum * shrink + share;
        shares[lane] = share;
        workgroupBarrier();
        let n_seen = min(LANES, position + 1u - block);
        for (var j = 0u; j < OWN; j++) {
            let i = lane + j * LANES;
            if i < HEAD_DIM {
                var total = context[j] * shrink;
                for (var r = 0u; r < n_seen; r++) {
                    let row = (first_row + block + r) * p.row_words;
                    total += shares[r] * one(VALUES, row, first_column + i);
                }
                context[j] = total;
            }
        }
        // The next block writes both arrays.
        workgroupBarrier();
    }
    scratch[lane] = sum;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        if lane < half {
            scratch[lane] += scratch[lane + half];
        }
        workgroupBarrier();
    }
    for (var j = 0u; j < OWN; j++) {
        let i = lane + j * LANES;
        if i < HEAD_DIM {
            y[start + head * HEAD_DIM + i] = context[j] / scratch[0];
        }
    }
}
