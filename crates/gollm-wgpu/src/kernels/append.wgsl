// Rotates the keys of new tokens and writes them and their values into the cache: write_rows.wgsl, twice,
// with the rotation on the way. With slot.wgsl and rotation.wgsl.

struct Params {
    n_words: u32, // words of all rows of this call, in one of the caches
    width: u32,
    row_words: u32,
    first_sequence: u32, // of the caches in this window
    n_sequences: u32,
    context_length: u32,
    pairs: u32, // head_dim / 2
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> k: array<f32>;
@group(0) @binding(2) var<storage, read> v: array<f32>;
@group(0) @binding(3) var<storage, read> cosines: array<f32>;
@group(0) @binding(4) var<storage, read> sines: array<f32>;
@group(0) @binding(5) var<storage, read> places: array<vec2<u32>>; // sequence, position
@group(0) @binding(6) var<storage, read_write> keys: array<u32>;
@group(0) @binding(7) var<storage, read_write> values: array<u32>;

fn unrotated(at: u32) -> f32 {
    return k[at];
}

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
        let first = 2u * s.word;
        let second = min(first + 1u, p.width - 1u);
        keys[s.to] = pack2x16float(vec2<f32>(
            rotated(s.start, first, s.position, p.pairs),
            rotated(s.start, second, s.position, p.pairs),
        ));
        values[s.to] = pack2x16float(vec2<f32>(v[s.start + first], v[s.start + second]));
    } else {
        keys[s.to] = bitcast<u32>(rotated(s.start, s.word, s.position, p.pairs));
        values[s.to] = bitcast<u32>(v[s.start + s.word]);
    }
}
