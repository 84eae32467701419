// One token of a sequence attends to the cache: a block of 256 threads for each token, query head and 256
// cached positions. out = Σ_p e^(s_p - m) · v_p / Σ_p e^(s_p - m), s_p = q·k_p · scale, m = max_p s_p.
//
// Each thread scores one position; then each warp adds up the values of its 32 positions, lanes side by
// side over the head. A longer context has more blocks (the z of the grid), which leave their m, their
// sum of weights and their unfinished sums in `partial`, and `attention_combine` puts those together.
// The grid may be larger than the context is long: then the last blocks have nothing to add.
//
// Where `k` is not null, the token is new: q and k are as they were projected, and the block rotates
// them and appends k and v to the cache on the way. No block reads from the cache what another one writes:
// all take the new row from k and v, so each sequence may have one new token in a launch.

#define POSITIONS 256u
#define WARPS (POSITIONS / LANES)

template <class C>
static __device__ __forceinline__ float score(const float *query, const C *key, unsigned head_dim) {
    float sum = 0.0f;
    for (unsigned i = 0; i < head_dim; i++)
        sum = fmaf(query[i], load(key + i), sum);
    return sum;
}

// Eight f16 at a time where rows allow it.
static __device__ __forceinline__ float score_wide(const float *query, const unsigned short *key,
                                                   unsigned head_dim) {
    float sum = 0.0f;
    for (unsigned c = 0; c < head_dim / 8; c++) {
        uint4 pairs = ((const uint4 *)key)[c];
        unsigned pair[4] = {pairs.x, pairs.y, pairs.z, pairs.w};
#pragma unroll
        for (unsigned i = 0; i < 4; i++) {
            sum = fmaf(query[8 * c + 2 * i], half_to_float((unsigned short)pair[i]), sum);
            sum = fmaf(query[8 * c + 2 * i + 1], half_to_float((unsigned short)(pair[i] >> 16)), sum);
        }
    }
    return sum;
}
static __device__ __forceinline__ float score_wide(const float *query, const float *key, unsigned head_dim) {
    float sum = 0.0f;
    for (unsigned c = 0; c < head_dim / 4; c++) {
        float4 four = ((const float4 *)key)[c];
        sum = fmaf(query[4 * c], four.x, sum);
        sum = fmaf(query[4 * c + 1], four.y, sum);
        sum = fmaf(query[4 * c + 2], four.z, sum);
        sum = fmaf(query[4 * c + 3], four.w, sum);
    }
    return sum;
}

// As the cache would give it back.
template <class C> static __device__ __forceinline__ float rounded(float v) {
    C stored;
    store(&stored, v);
    return load(&stored);
}

// Where one token and one head find what they read and write.
struct Here {
    unsigned position, start, head_dim;
    size_t kv_width, query, cache, kv_row;
    bool appends; // this block writes the new row of its key/value head
};

template <class BLOCK>
static __device__ __forceinline__ Here here(const BLOCK &at, const unsigned *places, unsigned n_kv_heads,
                                            unsigned head_dim, unsigned context_length) {
    unsigned t = at.x(), head = at.y(), n_heads = at.n_y(), ratio = n_heads / n_kv_heads;
    Here h;
    h.position = places[2 * t + 1], h.start = at.z() * POSITIONS, h.head_dim = head_dim;
    h.kv_width = (size_t)n_kv_heads * head_dim;
    h.query = ((size_t)t * n_heads + head) * head_dim;
    h.kv_row = t * h.kv_width + head / ratio * head_dim;
    h.cache = (size_t)places[2 * t] * context_length * h.kv_width + head / ratio * head_dim;
    h.appends = head % ratio == 0 && h.start <= h.position && h.position < h.start + POSITIONS;
    return h;
}

// The query, and of a new token the key and the value, into shared memory.
template <class C>
static __device__ __forceinline__ void bring(const Here &h, const float *q, const float *k, const float *v,
                                             const float *cos, const float *sin, C *keys, C *values, float *query,
                                             float *new_key, float *new_value) {
    unsigned half = h.head_dim / 2;
    cos += (size_t)h.position * half, sin += (size_t)h.position * half;
    for (unsigned i = threadIdx.x; i < h.head_dim; i += blockDim.x) {
        if (!k) {
            query[i] = q[h.query + i];
            continue;
        }
        query[i] = rotated(q + h.query, i, cos, sin, half);
        new_key[i] = rounded<C>(rotated(k + h.kv_row, i, cos, sin, half));
        new_value[i] = rounded<C>(v[h.kv_row + i]);
        if (h.appends) {
            store(keys + h.cache + h.position * h.kv_width + i, new_key[i]);
            store(values + h.cache + h.position * h.kv_width + i, new_value[i]);
        }
    }
}

template <class C, class BLOCK>
static __device__ __forceinline__ void attention_decode(const BLOCK &at, const float *q, const float *k,
                                                        const float *v, const float *cos, const float *sin,
                                                        C *keys, C *values, const unsigned *places, float *out,
                                                        float *partial, unsigned n_kv_heads, unsigned head_dim,
                                                        unsigned context_length, float scale) {
    DYNAMIC_SHARED(shared);
    float *query = shared, *new_key = query + head_dim, *new_value = new_key + head_dim;
    float *weights = new_value + head_dim, *sums = weights + POSITIONS;
    const Here h = here(at, places, n_kv_heads, head_dim, context_length);
    bring(h, q, k, v, cos, sin, keys, values, query, new_key, new_value);
    __syncthreads();

    unsigned p = h.start + threadIdx.x;
    float s = MINUS_INFINITY;
    if (p <= h.position) {
        const C *key = keys + h.cache + p * h.kv_width;
        if (k && p == h.position)
            s = score(query, new_key, head_dim);
        else if (head_dim % 8 == 0)
            s = score_wide(query, key, head_dim);
        else
            s = score(query, key, head_dim);
        s *= scale;
    }
    float largest = block_max(s);
    float weight = p <= h.position ? expf(s - largest) : 0.0f;
    weights[threadIdx.x] = weight;
    float total = block_sum(weight); // and all weights are there

    unsigned warp = threadIdx.x / LANES, lane = threadIdx.x % LANES;
    unsigned first = h.start + warp * LANES, end = k ? h.position : h.position + 1; // of what is cached
    unsigned n = first >= end ? 0 : end - first < LANES ? end - first : LANES;
    bool has_new = k && first <= h.position && h.position < first + LANES;
    const float *mine = weights + warp * LANES;
    for (unsigned i = lane; i < head_dim; i += LANES) {
        const C *value = values + h.cache + first * h.kv_width + i;
        float sum = has_new ? mine[h.position - first] * new_value[i] : 0.0f;
#pragma unroll 8
        for (unsigned j = 0; j < n; j++)
            sum = fmaf(mine[j], load(value + j * h.kv_width), sum);
        sums[warp * head_dim + i] = sum;
    }
    __syncthreads();
    unsigned n_splits = at.n_z();
    float *unfinished = partial + (h.query / head_dim * n_splits + at.z()) * (head_dim + 2);
    for (unsigned i = threadIdx.x; i < head_dim; i += blockDim.x) {
        float sum = 0.0f;
        for (unsigned w = 0; w < WARPS; w++)
            sum += sums[w * head_dim + i];
        if (n_splits == 1)
            out[h.query + i] = sum / total;
        else
            unfinished[2 + i] = sum;
    }
    if (n_splits > 1 && threadIdx.x == 0)
        unfinished[0] = largest, unfinished[1] = total;
}

// out = Σ_s e^(m_s - m) · sums_s / Σ_s e^(m_s - m) · total_s, over the splits s. A block for each token and
// head. A split behind the position has m_s = -∞ and weighs nothing; the first one always has something.
template <class BLOCK>
static __device__ __forceinline__ void combine(const BLOCK &at, const float *partial, float *out, unsigned n_splits,
                                               unsigned head_dim) {
    size_t row = (size_t)at.x() * at.n_y() + at.y();
    const float *splits = partial + row * n_splits * (head_dim + 2);
    float largest = MINUS_INFINITY, total = 0.0f;
    for (unsigned s = 0; s < n_splits; s++)
        largest = fmaxf(largest, splits[s * (head_dim + 2)]);
    for (unsigned s = 0; s < n_splits; s++)
        total += expf(splits[s * (head_dim + 2)] - largest) * splits[s * (head_dim + 2) + 1];
    for (unsigned i = at.thread(); i < head_dim; i += at.threads()) {
        float sum = 0.0f;
        for (unsigned s = 0; s < n_splits; s++)
            sum += expf(splits[s * (head_dim + 2)] - largest) * splits[s * (head_dim + 2) + 2 + i];
        out[row * head_dim + i] = sum / total;
    }
}

#ifndef TEMPLATES_ONLY
#define ATTENTION_DECODE(name, C)                                                                               \
    extern "C" __global__ void name(const float *q, const float *k, const float *v, const float *cos,          \
                                    const float *sin, C *keys, C *values, const unsigned *places, float *out,   \
                                    float *partial, unsigned n_kv_heads, unsigned head_dim,                     \
                                    unsigned context_length, float scale) {                                     \
        attention_decode<C>(Launched(), q, k, v, cos, sin, keys, values, places, out, partial, n_kv_heads,      \
                            head_dim, context_length, scale);                                                   \
    }
ATTENTION_DECODE(attention_decode_f32, float)
ATTENTION_DECODE(attention_decode_f16, unsigned short)
extern "C" __global__ void attention_combine(const float *partial, float *out, unsigned n_splits,
                                             unsigned head_dim) {
    combine(Launched(), partial, out, n_splits, head_dim);
}
#endif
