// A thread for each number.

extern "C" __global__ void add(const float *a, const float *b, float *out, unsigned n) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        out[i] = a[i] + b[i];
}

// A bias: b is one row of `width` numbers, which every row of a gets.
extern "C" __global__ void add_bias(const float *a, const float *b, float *out, unsigned width, unsigned n) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        out[i] = a[i] + b[i % width];
}

// sum[to[t]] += scales[t] · rows[t]: a block for each row. No row is named twice.
extern "C" __global__ void add_rows(const float *rows, const unsigned *to, const float *scales, float *sum,
                                    unsigned width) {
    unsigned t = blockIdx.x;
    for (unsigned i = threadIdx.x; i < width; i += blockDim.x)
        sum[(size_t)to[t] * width + i] += scales[t] * rows[(size_t)t * width + i];
}

// silu(g) = g / (1 + e^-g).
extern "C" __global__ void swiglu(const float *gate, const float *up, float *out, unsigned n) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        out[i] = gate[i] / (1.0f + expf(-gate[i])) * up[i];
}
