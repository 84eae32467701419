// out[t] = table[ids[t]], widened to f32. A block for each token.

template <class W>
static __device__ __forceinline__ void embed(const void *table, const unsigned *ids, float *out, unsigned n_rows,
                                             unsigned n_columns) {
    unsigned t = blockIdx.x;
    W row(table, ids[t], n_rows, n_columns);
    for (unsigned i = threadIdx.x; i < n_columns; i += blockDim.x)
        out[(size_t)t * n_columns + i] = row.value(i);
}

#define EMBED(name, W)                                                                                          \
    extern "C" __global__ void name(const void *table, const unsigned *ids, float *out, unsigned n_rows,       \
                                    unsigned n_columns) {                                                       \
        embed<W>(table, ids, out, n_rows, n_columns);                                                           \
    }
EMBED(embed_f32, F32)
EMBED(embed_f16, F16)
EMBED(embed_bf16, BF16)
EMBED(embed_q8_0, Q8_0)
EMBED(embed_q4_0, Q4_0)
