// What every kernel may use. No header is included: the run-time compiler has none.
//
// f16 is storage only, held in `unsigned short`; arithmetic is f32 on every GPU, since Maxwell has no
// fast half arithmetic. A bf16 is the upper half of an f32. The shim brings its own of the first three.

#ifndef GOLLM_SHIM
static __device__ __forceinline__ float half_to_float(unsigned short h) {
    float f;
    asm("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(h));
    return f;
}
static __device__ __forceinline__ unsigned short float_to_half(float f) {
    unsigned short h;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h) : "f"(f));
    return h;
}
// Shared memory whose size the launch states.
#define DYNAMIC_SHARED(name) extern __shared__ __align__(16) float name[]
// Between two looks at what another block is to write.
#define WAIT_A_LITTLE()
#endif

#define LANES 32u
#define ALL_LANES 0xffffffffu
#define MINUS_INFINITY __int_as_float(0xff800000)

static __device__ __forceinline__ float bfloat_to_float(unsigned short h) {
    return __uint_as_float((unsigned)h << 16);
}

// A stored f32 or f16, so that one template serves both kinds of cache.
static __device__ __forceinline__ float load(const float *p) { return *p; }
static __device__ __forceinline__ float load(const unsigned short *p) { return half_to_float(*p); }
static __device__ __forceinline__ void store(float *p, float v) { *p = v; }
static __device__ __forceinline__ void store(unsigned short *p, float v) { *p = float_to_half(v); }

// After five exchanges each lane has the sum (the largest) of all 32.
static __device__ __forceinline__ float warp_sum(float v) {
    for (unsigned distance = 16; distance > 0; distance /= 2)
        v += __shfl_xor_sync(ALL_LANES, v, distance);
    return v;
}
static __device__ __forceinline__ float warp_max(float v) {
    for (unsigned distance = 16; distance > 0; distance /= 2)
        v = fmaxf(v, __shfl_xor_sync(ALL_LANES, v, distance));
    return v;
}

// The sum (the largest) over a block of whole warps, 1024 threads at most. All threads must call it.
static __device__ __forceinline__ float block_sum(float v) {
    __shared__ float of_warp[LANES];
    unsigned lane = threadIdx.x % LANES, warp = threadIdx.x / LANES, n_warps = blockDim.x / LANES;
    v = warp_sum(v);
    __syncthreads(); // nobody reads what an earlier call left any more
    if (lane == 0)
        of_warp[warp] = v;
    __syncthreads();
    return warp_sum(lane < n_warps ? of_warp[lane] : 0.0f);
}
static __device__ __forceinline__ float block_max(float v) {
    __shared__ float of_warp[LANES];
    unsigned lane = threadIdx.x % LANES, warp = threadIdx.x / LANES, n_warps = blockDim.x / LANES;
    v = warp_max(v);
    __syncthreads();
    if (lane == 0)
        of_warp[warp] = v;
    __syncthreads();
    return warp_max(lane < n_warps ? of_warp[lane] : MINUS_INFINITY);
}

// Number i of a row of heads, rotated (RoPE): pair j of a head is its numbers j and j + half.
static __device__ __forceinline__ float rotated(const float *row, unsigned i, const float *cos, const float *sin,
                                                unsigned half) {
    unsigned pair = i % half;
    bool lower = i / half % 2 == 0;
    float here = row[i], other = lower ? row[i + half] : row[i - half];
    return lower ? here * cos[pair] - other * sin[pair] : here * cos[pair] + other * sin[pair];
}
