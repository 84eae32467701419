// What the vendor's library takes: f32 or f16 copies of weights in any type, and f16 activations.
// A block for each row; rows of activations are rows of an f32 weight.

template <class W, class OUT>
static __device__ __forceinline__ void convert(const void *weight, OUT *out, unsigned n_rows, unsigned n_columns) {
    W row(weight, blockIdx.x, n_rows, n_columns);
    for (unsigned i = threadIdx.x; i < n_columns; i += blockDim.x)
        store(out + (size_t)blockIdx.x * n_columns + i, row.value(i));
}

#define CONVERT(name, W, OUT)                                                                                   \
    extern "C" __global__ void name(const void *weight, OUT *out, unsigned n_rows, unsigned n_columns) {       \
        convert<W>(weight, out, n_rows, n_columns);                                                             \
    }
CONVERT(f32_to_f16, F32, unsigned short)
CONVERT(q8_0_to_f16, Q8_0, unsigned short)
CONVERT(q4_0_to_f16, Q4_0, unsigned short)
CONVERT(f16_to_f32, F16, float)
CONVERT(bf16_to_f32, BF16, float)
CONVERT(q8_0_to_f32, Q8_0, float)
CONVERT(q4_0_to_f32, Q4_0, float)
