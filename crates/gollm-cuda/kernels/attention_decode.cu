// One token of a sequence attends to the cache: a block of 256 threads for each token, query head and 256
// cached positions. out = Σ_p e^(s_p - m) · v_p / Σ_p e^(s_p - m), s_p = q·k_p · scale, m = max_p s_p.
//
// Each thread scores one position; then each warp adds up the values of its 32 positions, lanes side by
// side over the head. A longer context has more blocks (the z of the grid), which leave their m, their
// sum of weights and their unfinished sums in `partial`, and `attention_combine` puts those together.
// The grid may be larger than the context is long: then the last blocks have nothing to add.

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

template <class C>
static __device__ __forceinline__ void attention_decode(const float *q, const C *keys, const C *values,
                                                        const unsigned *places, float *out, float *partial,
                                                        unsigned n_kv_heads, unsigned head_dim,
                                                        unsigned context_length, float scale) {
    DYNAMIC_SHARED(shared);
    float *query = shared, *weights = query + (head_dim + 3) / 4 * 4, *sums = weights + POSITIONS;
    unsigned t = blockIdx.x, head = blockIdx.y, n_heads = gridDim.y, split = blockIdx.z;
    unsigned position = places[2 * t + 1], start = split * POSITIONS, p = start + threadIdx.x;
    size_t kv_width = (size_t)n_kv_heads * head_dim, row = (size_t)t * n_heads + head;
    size_t cache = (size_t)places[2 * t] * context_length * kv_width + head / (n_heads / n_kv_heads) * head_dim;
    for (unsigned i = threadIdx.x; i < head_dim; i += blockDim.x)
        query[i] = q[row * head_dim + i];
    __syncthreads();

    float s = MINUS_INFINITY;
    if (p <= position) {
        const C *key = keys + cache + p * kv_width;
        s = scale * (head_dim % 8 == 0 ? score_wide(query, key, head_dim) : score(query, key, head_dim));
    }
    float largest = block_max(s);
    float weight = p <= position ? expf(s - largest) : 0.0f;
    weights[threadIdx.x] = weight;
    float total = block_sum(weight); // and all weights are there

    unsigned warp = threadIdx.x / LANES, lane = threadIdx.x % LANES;
    unsigned first = start + warp * LANES;
    unsigned n = first > position ? 0 : position - first + 1 < LANES ? position - first + 1 : LANES;
    for (unsigned i = lane; i < head_dim; i += LANES) {
        const C *value = values + cache + first * kv_width + i;
        float sum = 0.0f;
#pragma unroll 8
        for (unsigned j = 0; j < n; j++)
            sum = fmaf(weights[warp * LANES + j], load(value + j * kv_width), sum);
        sums[warp * head_dim + i] = sum;
    }
    __syncthreads();
    unsigned n_splits = gridDim.z;
    float *mine = partial + (row * n_splits + split) * (head_dim + 2);
    for (unsigned i = threadIdx.x; i < head_dim; i += blockDim.x) {
        float sum = 0.0f;
        for (unsigned w = 0; w < WARPS; w++)
            sum += sums[w * head_dim + i];
        if (n_splits == 1)
            out[row * head_dim + i] = sum / total;
        else
            mine[2 + i] = sum;
    }
    if (n_splits > 1 && threadIdx.x == 0)
        mine[0] = largest, mine[1] = total;
}

#define ATTENTION_DECODE(name, C)                                                                               \
    extern "C" __global__ void name(const float *q, const C *keys, const C *values, const unsigned *places,    \
                                    float *out, float *partial, unsigned n_kv_heads, unsigned head_dim,         \
                                    unsigned context_length, float scale) {                                     \
        attention_decode(q, keys, values, places, out, partial, n_kv_heads, head_dim, context_length, scale);   \
    }
ATTENTION_DECODE(attention_decode_f32, float)
ATTENTION_DECODE(attention_decode_f16, unsigned short)

// out = Σ_s e^(m_s - m) · sums_s / Σ_s e^(m_s - m) · total_s, over the splits s. A block for each token and
// head. A split behind the position has m_s = -∞ and weighs nothing; the first one always has something.
extern "C" __global__ void attention_combine(const float *partial, float *out, unsigned n_splits, unsigned head_dim) {
    size_t row = (size_t)blockIdx.x * gridDim.y + blockIdx.y;
    const float *splits = partial + row * n_splits * (head_dim + 2);
    float largest = MINUS_INFINITY, total = 0.0f;
    for (unsigned s = 0; s < n_splits; s++)
        largest = fmaxf(largest, splits[s * (head_dim + 2)]);
    for (unsigned s = 0; s < n_splits; s++)
        total += expf(splits[s * (head_dim + 2)] - largest) * splits[s * (head_dim + 2) + 1];
    for (unsigned i = threadIdx.x; i < head_dim; i += blockDim.x) {
        float sum = 0.0f;
        for (unsigned s = 0; s < n_splits; s++)
            sum += expf(splits[s * (head_dim + 2)] - largest) * splits[s * (head_dim + 2) + 2 + i];
        out[row * head_dim + i] = sum / total;
    }
}
