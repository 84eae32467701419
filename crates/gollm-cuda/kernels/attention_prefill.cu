// Many tokens of a sequence attend to the cache, in one pass over it (online softmax: Milakov &
// Gimelshein 2018, https://arxiv.org/abs/1805.02867; tiles: Dao et al. 2022, https://arxiv.org/abs/2205.14135).
//
// A tile is 16 query rows that share a key/value head: row r of a run of tokens is token r / ratio and the
// r % ratio-th head of the group, so that a cached row that was brought to shared memory serves the whole
// group. A block of four warps takes the positions 32 at a time. A warp has four query rows: first each
// lane scores one position for them, then each lane adds up its numbers of the head for them.
//
// `tiles` holds for each x of the grid the first token of its run, how many tokens the run has, and the
// first row. The positions of a run follow one another.

#define QUERIES 16u
#define QUERIES_OF_WARP 4u
#define KEYS 32u
#define MOST_PARTS 4u // of 32 numbers: heads of 128 at most

template <class C>
static __device__ __forceinline__ void attention_prefill(const float *q, const C *keys, const C *values,
                                                         const unsigned *places, const unsigned *tiles, float *out,
                                                         unsigned n_heads, unsigned n_kv_heads, unsigned head_dim,
                                                         unsigned context_length, float scale) {
    DYNAMIC_SHARED(shared);
    unsigned padded = head_dim + 1; // so that lanes that read a column meet no bank twice
    float *queries = shared, *ks = queries + QUERIES * head_dim, *vs = ks + KEYS * padded;
    float *weights = vs + KEYS * head_dim;
    unsigned first_token = tiles[3 * blockIdx.x], n_tokens = tiles[3 * blockIdx.x + 1];
    unsigned first_row = tiles[3 * blockIdx.x + 2], kv_head = blockIdx.y, ratio = n_heads / n_kv_heads;
    unsigned last_row = n_tokens * ratio - 1, start = places[2 * first_token + 1];
    size_t kv_width = (size_t)n_kv_heads * head_dim;
    size_t cache = (size_t)places[2 * first_token] * context_length * kv_width + kv_head * head_dim;
    unsigned warp = threadIdx.x / LANES, lane = threadIdx.x % LANES;

    // Rows behind the last one repeat it and are not written.
    for (unsigned r = warp; r < QUERIES; r += blockDim.x / LANES) {
        unsigned row = first_row + r < last_row ? first_row + r : last_row;
        size_t from = ((size_t)(first_token + row / ratio) * n_heads + kv_head * ratio + row % ratio) * head_dim;
        for (unsigned i = lane; i < head_dim; i += LANES)
            queries[r * head_dim + i] = q[from + i];
    }
    float largest[QUERIES_OF_WARP], total[QUERIES_OF_WARP], sums[QUERIES_OF_WARP][MOST_PARTS] = {};
    unsigned position[QUERIES_OF_WARP];
#pragma unroll
    for (unsigned r = 0; r < QUERIES_OF_WARP; r++) {
        unsigned row = first_row + warp * QUERIES_OF_WARP + r;
        position[r] = start + (row < last_row ? row : last_row) / ratio;
        largest[r] = MINUS_INFINITY, total[r] = 0.0f;
    }
    unsigned end = first_row + QUERIES - 1;
    unsigned last = start + (end < last_row ? end : last_row) / ratio;

    const float *mine = queries + warp * QUERIES_OF_WARP * head_dim;
    float *my_weights = weights + warp * QUERIES_OF_WARP * KEYS;
    for (unsigned base = 0; base <= last; base += KEYS) {
        __syncthreads(); // the queries are there; nobody reads the tile before or its weights any more
        for (unsigned j = warp; j < KEYS; j += blockDim.x / LANES)
            for (unsigned i = lane; i < head_dim; i += LANES) {
                size_t from = cache + (base + j) * kv_width + i;
                ks[j * padded + i] = base + j <= last ? load(keys + from) : 0.0f;
                vs[j * head_dim + i] = base + j <= last ? load(values + from) : 0.0f;
            }
        __syncthreads();

        float s[QUERIES_OF_WARP] = {};
        for (unsigned i = 0; i < head_dim; i++) {
            float k = ks[lane * padded + i];
#pragma unroll
            for (unsigned r = 0; r < QUERIES_OF_WARP; r++)
                s[r] = fmaf(mine[r * head_dim + i], k, s[r]);
        }
#pragma unroll
        for (unsigned r = 0; r < QUERIES_OF_WARP; r++) {
            float scaled = base + lane <= position[r] ? s[r] * scale : MINUS_INFINITY;
            // Position 0 is in the first tile and seen by all, so the largest is a number from there on.
            float now = fmaxf(largest[r], warp_max(scaled));
            float weight = expf(scaled - now), shrink = expf(largest[r] - now);
            my_weights[r * KEYS + lane] = weight;
            total[r] = total[r] * shrink + warp_sum(weight);
            largest[r] = now;
#pragma unroll
            for (unsigned part = 0; part < MOST_PARTS; part++)
                sums[r][part] *= shrink;
        }
        __syncwarp();
        for (unsigned j = 0; j < KEYS; j++) {
            float w[QUERIES_OF_WARP];
#pragma unroll
            for (unsigned r = 0; r < QUERIES_OF_WARP; r++)
                w[r] = my_weights[r * KEYS + j];
#pragma unroll
            for (unsigned part = 0; part < MOST_PARTS; part++) {
                unsigned i = part * LANES + lane;
                if (i >= head_dim)
                    break;
                float v = vs[j * head_dim + i];
#pragma unroll
                for (unsigned r = 0; r < QUERIES_OF_WARP; r++)
                    sums[r][part] = fmaf(w[r], v, sums[r][part]);
            }
        }
    }
#pragma unroll
    for (unsigned r = 0; r < QUERIES_OF_WARP; r++) {
        unsigned row = first_row + warp * QUERIES_OF_WARP + r;
        size_t to = ((size_t)(first_token + row / ratio) * n_heads + kv_head * ratio + row % ratio) * head_dim;
#pragma unroll
        for (unsigned part = 0; part < MOST_PARTS; part++) {
            unsigned i = part * LANES + lane;
            if (row <= last_row && i < head_dim)
                out[to + i] = sums[r][part] / total[r];
        }
    }
}

#define ATTENTION_PREFILL(name, C)                                                                              \
    extern "C" __global__ void name(const float *q, const C *keys, const C *values, const unsigned *places,    \
                                    const unsigned *tiles, float *out, unsigned n_heads, unsigned n_kv_heads,   \
                                    unsigned head_dim, unsigned context_length, float scale) {                  \
        attention_prefill(q, keys, values, places, tiles, out, n_heads, n_kv_heads, head_dim, context_length,   \
                          scale);                                                                               \
    }
ATTENTION_PREFILL(attention_prefill_f32, float)
ATTENTION_PREFILL(attention_prefill_f16, unsigned short)
