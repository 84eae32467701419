// out[t, i] = x[t, i] · gain[i] / sqrt(mean_i x[t, i]² + eps). A block for each row.
extern "C" __global__ void rms_norm(const float *x, const float *gain, float eps, float *out, unsigned n) {
    const float *row = x + (size_t)blockIdx.x * n;
    float squares = 0.0f;
    for (unsigned i = threadIdx.x; i < n; i += blockDim.x)
        squares = fmaf(row[i], row[i], squares);
    float scale = rsqrtf(block_sum(squares) / n + eps);
    for (unsigned i = threadIdx.x; i < n; i += blockDim.x)
        out[(size_t)blockIdx.x * n + i] = row[i] * scale * gain[i];
}
