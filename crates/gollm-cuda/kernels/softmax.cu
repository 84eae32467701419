// out[t, i] = exp(x[t, i] - m) / Σ_j exp(x[t, j] - m), m the largest of the row. A block for each row.
extern "C" __global__ void softmax(const float *x, float *out, unsigned n) {
    const float *row = x + (size_t)blockIdx.x * n;
    float largest = MINUS_INFINITY;
    for (unsigned i = threadIdx.x; i < n; i += blockDim.x)
        largest = fmaxf(largest, row[i]);
    largest = block_max(largest);
    float sum = 0.0f;
    for (unsigned i = threadIdx.x; i < n; i += blockDim.x)
        sum += expf(row[i] - largest);
    sum = block_sum(sum);
    for (unsigned i = threadIdx.x; i < n; i += blockDim.x)
        out[(size_t)blockIdx.x * n + i] = expf(row[i] - largest) / sum;
}
