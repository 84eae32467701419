// out[t] = the column of the largest x[t, i], the first one on a tie: the greedy id, without moving the
// logits off the device. A block of whole warps for each row.
extern "C" __global__ void argmax(const float *x, unsigned *out, unsigned n) {
    const float *row = x + (size_t)blockIdx.x * n;
    float largest = MINUS_INFINITY;
    unsigned column = 0;
    for (unsigned i = threadIdx.x; i < n; i += blockDim.x)
        if (row[i] > largest)
            largest = row[i], column = i;
    // Of all threads that found the largest value, the smallest column.
    float best = block_max(largest);
    __shared__ unsigned smallest;
    if (threadIdx.x == 0)
        smallest = 0xffffffffu;
    __syncthreads();
    if (largest == best)
        atomicMin(&smallest, column);
    __syncthreads();
    if (threadIdx.x == 0)
        out[blockIdx.x] = smallest;
}
