// cache[sequence_t, position_t] = rows_t: one invocation for each word of a cache's row, so that no two
// write to one word. With HALF: whether the cache holds two f16 numbers in each word, or one f32.
//
// A cache may be bound in several windows; a call writes the rows whose sequence is in its window.

struct Params {
    n_words: u32, // words of all rows of this call
    width: u32,
    row_words: u32,
    first_sequence: u32, // of the cache in this window
    n_sequences: u32,
    context_length: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> rows: array<f32>;
@group(0) @binding(2) var<storage, read> places: array<vec2<u32>>; // sequence, position
@group(0) @binding(3) var<storage, read_write> cache: array<u32>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) n_groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = (group.y * n_groups.x + group.x) * 256u + lane;
    if i >= p.n_words {
        return;
    }
    let row = i / p.row_words;
    let word = i % p.row_words;
    let place = places[row];
    if place.x < p.first_sequence || place.x - p.first_sequence >= p.n_sequences {
        return;
    }
    let to = ((place.x - p.first_sequence) * p.context_length + place.y) * p.row_words + word;
    let start = row * p.width;
    if HALF {
        let second = min(2u * word + 1u, p.width - 1u);
        cache[to] = pack2x16float(vec2<f32>(rows[start + 2u * word], rows[start + second]));
    } else {
        cache[to] = bitcast<u32>(rows[start + word]);
    }
}
