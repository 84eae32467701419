// cache[sequence_t, position_t] = rows_t. With slot.wgsl.

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
    let s = slot((group.y * n_groups.x + group.x) * 256u + lane);
    if !s.here {
        return;
    }
    if HALF {
        let second = min(2u * s.word + 1u, p.width - 1u);
        cache[s.to] = pack2x16float(vec2<f32>(rows[s.start + 2u * s.word], rows[s.start + second]));
    } else {
        cache[s.to] = bitcast<u32>(rows[s.start + s.word]);
    }
}
