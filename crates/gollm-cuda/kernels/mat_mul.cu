// out[t, o] = Σ_i x[t, i] · w[o, i] for many tokens, where no library does it.
//
// A block of 256 threads makes 64 x 64 outputs. It brings 32 columns of 64 rows of x and of w into shared
// memory, as f32, and each thread multiplies 4 x 4 of them: a number that was read once is used 64 times.
// Rows of shared memory are 65 apart, so that lanes that write a column meet no bank twice.

#define TILE 64u
#define DEPTH 32u

template <class W>
static __device__ __forceinline__ void mat_mul(const float *x, const void *weight, float *out, unsigned n_tokens,
                                               unsigned n_in, unsigned n_out) {
    __shared__ float xs[DEPTH][TILE + 1], ws[DEPTH][TILE + 1];
    unsigned across = threadIdx.x % 16, down = threadIdx.x / 16;
    unsigned first_out = blockIdx.x * TILE, first_token = blockIdx.y * TILE;
    unsigned column = threadIdx.x % DEPTH;
    float sums[4][4] = {};
    for (unsigned start = 0; start < n_in; start += DEPTH) {
        unsigned i = start + column;
        for (unsigned r = threadIdx.x / DEPTH; r < TILE; r += 256 / DEPTH) {
            unsigned token = first_token + r, row = first_out + r;
            xs[column][r] = i < n_in && token < n_tokens ? x[(size_t)token * n_in + i] : 0.0f;
            ws[column][r] = i < n_in && row < n_out ? W(weight, row, n_out, n_in).value(i) : 0.0f;
        }
        __syncthreads();
#pragma unroll 8
        for (unsigned k = 0; k < DEPTH; k++) {
            float a[4], b[4];
#pragma unroll
            for (unsigned j = 0; j < 4; j++)
                a[j] = xs[k][down + 16 * j], b[j] = ws[k][across + 16 * j];
#pragma unroll
            for (unsigned t = 0; t < 4; t++)
#pragma unroll
                for (unsigned o = 0; o < 4; o++)
                    sums[t][o] = fmaf(a[t], b[o], sums[t][o]);
        }
        __syncthreads();
    }
#pragma unroll
    for (unsigned t = 0; t < 4; t++)
#pragma unroll
        for (unsigned o = 0; o < 4; o++) {
            unsigned token = first_token + down + 16 * t, row = first_out + across + 16 * o;
            if (token < n_tokens && row < n_out)
                out[(size_t)token * n_out + row] = sums[t][o];
        }
}

#define MAT_MUL(name, W)                                                                                        \
    extern "C" __global__ void name(const float *x, const void *weight, float *out, unsigned n_tokens,         \
                                    unsigned n_in, unsigned n_out) {                                            \
        mat_mul<W>(x, weight, out, n_tokens, n_in, n_out);                                                      \
    }
MAT_MUL(mat_mul_f32, F32)
MAT_MUL(mat_mul_f16, F16)
MAT_MUL(mat_mul_bf16, BF16)
MAT_MUL(mat_mul_q8_0, Q8_0)
MAT_MUL(mat_mul_q4_0, Q4_0)
