// Kernels that are wrong on purpose: the tests make sure that the shim notices.

// `rms_norm` whose sum over the block has lost the barrier between writing and reading.
extern "C" __global__ void broken_missing_barrier(const float *x, const float *gain, float eps, float *out,
                                                  unsigned n) {
    __shared__ float of_warp[LANES];
    const float *row = x + (size_t)blockIdx.x * n;
    float squares = 0.0f;
    for (unsigned i = threadIdx.x; i < n; i += blockDim.x)
        squares = fmaf(row[i], row[i], squares);
    unsigned lane = threadIdx.x % LANES;
    squares = warp_sum(squares);
    if (lane == 0)
        of_warp[threadIdx.x / LANES] = squares;
    // Here `__syncthreads();` is missing.
    float sum = warp_sum(lane < blockDim.x / LANES ? of_warp[lane] : 0.0f);
    float scale = rsqrtf(sum / n + eps);
    for (unsigned i = threadIdx.x; i < n; i += blockDim.x)
        out[(size_t)blockIdx.x * n + i] = row[i] * scale * gain[i];
}

// A barrier that the last thread does not reach.
extern "C" __global__ void broken_divergent_barrier(float *out) {
    if (threadIdx.x + 1 < blockDim.x)
        __syncthreads();
    out[threadIdx.x] = 1.0f;
}

// A number behind the end of shared memory.
extern "C" __global__ void broken_shared_memory(float *out) {
    DYNAMIC_SHARED(shared);
    shared[blockDim.x + threadIdx.x] = 1.0f;
    out[threadIdx.x] = shared[blockDim.x + threadIdx.x];
}

// A number behind the end of an allocation of `n` numbers.
extern "C" __global__ void broken_memory(float *out, unsigned n) {
    if (threadIdx.x == 0)
        out[n] = 1.0f;
}

// `persistent_f32` whose blocks do not wait for each other.
extern "C" __global__ void broken_missing_gate(const Operation *operations, unsigned n_operations) {
    for (unsigned i = 0; i < n_operations; i++) {
        play<F32>(operations[i]);
        __syncthreads(); // but here `wait_for_all_blocks(gate);` is missing
    }
}

// A number that another block changes meanwhile, read through the cache that is not told.
extern "C" __global__ void broken_read_only_cache(float *x, Gate *gate) {
    float before = __ldg(x);
    wait_for_all_blocks(gate);
    if (blockIdx.x == 0 && threadIdx.x == 0)
        x[0] = before + 1.0f;
    wait_for_all_blocks(gate);
    x[1 + blockIdx.x * blockDim.x + threadIdx.x] = __ldg(x);
}
