// y_t = table[ids_t]: one invocation for each number of the result.
//
// With a storage file. A table may be bound in several windows; a call looks up the ids that fall in its
// window and leaves the others alone.

struct Params {
    n_numbers: u32,   // n_tokens · emb_dim of this call
    emb_dim: u32,
    row_words: u32,   // words from one row of the table to the next
    first_row: u32,   // of the table in this window
    n_rows: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> table: array<u32>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

fn word(matrix: u32, at: u32) -> u32 {
    return table[at];
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
    let id = ids[i / p.emb_dim];
    if id < p.first_row || id - p.first_row >= p.n_rows {
        return;
    }
    y[i] = one(0u, (id - p.first_row) * p.row_words, i % p.emb_dim);
}
