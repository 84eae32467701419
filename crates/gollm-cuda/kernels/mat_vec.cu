// out[t, o] = Σ_i x[t, i] · w[o, i] for a few tokens, with up to three weights in one launch (q, k and v)
// and, where `gain` is not null, RMSNorm of x first. Where `sum` is not null there is one weight, and
// sum = residual + out is written beside it: the residual stream takes a block's output without a launch.
//
// One warp for each ROWS outputs. Blocks are dealt to the weights one weight after the other; the y of
// the grid goes over groups of TOKENS tokens.

template <class W, unsigned ROWS, unsigned TOKENS, class BLOCK>
static __device__ __forceinline__ void mat_vec(const BLOCK &at, const float *x, const float *gain, float eps,
                                               unsigned n_tokens, unsigned n_in, const void *w0, float *out0,
                                               unsigned n0, const void *w1, float *out1, unsigned n1,
                                               const void *w2, float *out2, unsigned n2, const float *residual,
                                               float *sum) {
    unsigned rows_of_block = at.threads() / LANES * ROWS;
    unsigned blocks0 = (n0 + rows_of_block - 1) / rows_of_block, blocks1 = (n1 + rows_of_block - 1) / rows_of_block;
    unsigned block = at.x();
    const void *weight = w0;
    float *out = out0;
    unsigned n_out = n0;
    if (block >= blocks0) {
        block -= blocks0, weight = w1, out = out1, n_out = n1;
        if (block >= blocks1)
            block -= blocks1, weight = w2, out = out2, n_out = n2;
    }
    unsigned row = block * rows_of_block + at.thread() / LANES * ROWS;
    unsigned token = at.y() * TOKENS;
    if (row >= n_out)
        return; // the whole warp
    unsigned second = ROWS > 1 && row + 1 < n_out ? row + 1 : row;
    const W rows[2] = {W(weight, row, n_out, n_in), W(weight, second, n_out, n_in)};
    unsigned count = n_tokens - token < TOKENS ? n_tokens - token : TOKENS;
    Dot<W, ROWS, TOKENS, BLOCK> dot;
    dot.multiply(rows, x + (size_t)token * n_in, gain, eps, n_in, count);
    if (at.thread() % LANES != 0)
        return;
#pragma unroll
    for (unsigned t = 0; t < TOKENS; t++)
#pragma unroll
        for (unsigned r = 0; r < ROWS; r++)
            if (t < count && row + r < n_out) {
                size_t at = (size_t)(token + t) * n_out + row + r;
                out[at] = dot.sums[r][t];
                if (sum)
                    sum[at] = residual[at] + dot.sums[r][t];
            }
}

#ifndef TEMPLATES_ONLY
#define MAT_VEC(name, W, ROWS, TOKENS)                                                                          \
    extern "C" __global__ void name(const float *x, const float *gain, float eps, unsigned n_tokens,           \
                                    unsigned n_in, const void *w0, float *out0, unsigned n0, const void *w1,    \
                                    float *out1, unsigned n1, const void *w2, float *out2, unsigned n2,         \
                                    const float *residual, float *sum) {                                        \
        mat_vec<W, ROWS, TOKENS>(Launched(), x, gain, eps, n_tokens, n_in, w0, out0, n0, w1, out1, n1, w2,      \
                                 out2, n2, residual, sum);                                                      \
    }
MAT_VEC(mat_vec_f32, F32, 1, 1)
MAT_VEC(mat_vec_f16, F16, 1, 1)
MAT_VEC(mat_vec_bf16, BF16, 1, 1)
MAT_VEC(mat_vec_q8_0, Q8_0, 1, 1)
MAT_VEC(mat_vec_q4_0, Q4_0, 1, 1)
MAT_VEC(mat_vec_8_f32, F32, 2, 8)
MAT_VEC(mat_vec_8_f16, F16, 2, 8)
MAT_VEC(mat_vec_8_bf16, BF16, 2, 8)
MAT_VEC(mat_vec_8_q8_0, Q8_0, 2, 8)
MAT_VEC(mat_vec_8_q4_0, Q4_0, 2, 8)
#endif
