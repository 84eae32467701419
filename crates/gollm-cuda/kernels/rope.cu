// Rotary positions and the cache. Pair i of a head is its numbers i and i + head_dim/2; the tables hold
// cos and sin of each position and pair, because `sincosf` of a large angle spills on small GPUs.
//
// `places` holds the sequence and the position of each token. A cache is
// [sequence][position][kv_head][head_dim], f32 or f16. A block for each token. `rotated` is in the prelude.

extern "C" __global__ void rope(const float *x, const float *cos, const float *sin, const unsigned *places,
                                float *out, unsigned width, unsigned half) {
    unsigned t = blockIdx.x;
    size_t angles = (size_t)places[2 * t + 1] * half, row = (size_t)t * width;
    for (unsigned i = threadIdx.x; i < width; i += blockDim.x)
        out[row + i] = rotated(x + row, i, cos + angles, sin + angles, half);
}

// Rotates q into `out` and k into the cache, and copies v into the cache.
template <class C>
static __device__ __forceinline__ void rope_append(const float *q, const float *k, const float *v, const float *cos,
                                                   const float *sin, const unsigned *places, float *out, C *keys,
                                                   C *values, unsigned q_width, unsigned kv_width, unsigned half,
                                                   unsigned context_length) {
    unsigned t = blockIdx.x, position = places[2 * t + 1];
    cos += (size_t)position * half, sin += (size_t)position * half;
    q += (size_t)t * q_width, k += (size_t)t * kv_width, v += (size_t)t * kv_width;
    size_t slot = ((size_t)places[2 * t] * context_length + position) * kv_width;
    for (unsigned i = threadIdx.x; i < q_width; i += blockDim.x)
        out[(size_t)t * q_width + i] = rotated(q, i, cos, sin, half);
    for (unsigned i = threadIdx.x; i < kv_width; i += blockDim.x) {
        store(keys + slot + i, rotated(k, i, cos, sin, half));
        store(values + slot + i, v[i]);
    }
}

#define ROPE_APPEND(name, C)                                                                                    \
    extern "C" __global__ void name(const float *q, const float *k, const float *v, const float *cos,          \
                                    const float *sin, const unsigned *places, float *out, C *keys, C *values,   \
                                    unsigned q_width, unsigned kv_width, unsigned half,                         \
                                    unsigned context_length) {                                                  \
        rope_append(q, k, v, cos, sin, places, out, keys, values, q_width, kv_width, half, context_length);     \
    }
ROPE_APPEND(rope_append_f32, float)
ROPE_APPEND(rope_append_f16, unsigned short)

// cache[sequence, position] = rows[t].
#define APPEND(name, C)                                                                                         \
    extern "C" __global__ void name(const float *rows, const unsigned *places, C *cache, unsigned width,       \
                                    unsigned context_length) {                                                  \
        unsigned t = blockIdx.x;                                                                                \
        size_t slot = ((size_t)places[2 * t] * context_length + places[2 * t + 1]) * width;                     \
        for (unsigned i = threadIdx.x; i < width; i += blockDim.x)                                              \
            store(cache + slot + i, rows[(size_t)t * width + i]);                                               \
    }
APPEND(append_f32, float)
APPEND(append_f16, unsigned short)
