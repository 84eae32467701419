// The first half of the feed-forward for a few tokens, in one pass over x and both matrices:
// out[t, o] = silu(g) · u with g = Σ_i n[t, i] · gate[o, i], u = Σ_i n[t, i] · up[o, i], n = RMSNorm(x).
//
// A warp has one output, hence one row of each matrix.

template <class W, unsigned TOKENS, class BLOCK>
static __device__ __forceinline__ void gate_up(const BLOCK &at, const float *x, const float *gain, float eps,
                                               unsigned n_tokens, unsigned n_in, const void *gate,
                                               const void *up, float *out, unsigned n_out) {
    unsigned row = (at.x() * at.threads() + at.thread()) / LANES;
    unsigned token = at.y() * TOKENS;
    if (row >= n_out)
        return; // the whole warp
    const W rows[2] = {W(gate, row, n_out, n_in), W(up, row, n_out, n_in)};
    unsigned count = n_tokens - token < TOKENS ? n_tokens - token : TOKENS;
    Dot<W, 2, TOKENS, BLOCK> dot;
    dot.multiply(rows, x + (size_t)token * n_in, gain, eps, n_in, count);
    if (at.thread() % LANES != 0)
        return;
#pragma unroll
    for (unsigned t = 0; t < TOKENS; t++)
        if (t < count) {
            float g = dot.sums[0][t];
            out[(size_t)(token + t) * n_out + row] = g / (1.0f + expf(-g)) * dot.sums[1][t];
        }
}

#ifndef TEMPLATES_ONLY
#define GATE_UP(name, W, TOKENS)                                                                                \
    extern "C" __global__ void name(const float *x, const float *gain, float eps, unsigned n_tokens,           \
                                    unsigned n_in, const void *gate, const void *up, float *out,                \
                                    unsigned n_out) {                                                           \
        gate_up<W, TOKENS>(Launched(), x, gain, eps, n_tokens, n_in, gate, up, out, n_out);                     \
    }
GATE_UP(gate_up_f32, F32, 1)
GATE_UP(gate_up_f16, F16, 1)
GATE_UP(gate_up_bf16, BF16, 1)
GATE_UP(gate_up_q8_0, Q8_0, 1)
GATE_UP(gate_up_q4_0, Q4_0, 1)
GATE_UP(gate_up_8_f32, F32, 8)
GATE_UP(gate_up_8_f16, F16, 8)
GATE_UP(gate_up_8_bf16, BF16, 8)
GATE_UP(gate_up_8_q8_0, Q8_0, 8)
GATE_UP(gate_up_8_q4_0, Q4_0, 8)
#endif
