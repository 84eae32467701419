// CUDA C on the processor: what the kernels take for granted, as C++.
//
// Every thread of a block is a fiber with its own stack. A fiber runs until it reaches a barrier, a
// warp's exchange or its end; so barriers are real, and one that is missing lets a thread read what
// another has not written yet. Fibers start in order or, on request, in reverse: a kernel that is right in
// one order only is wrong.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#define GOLLM_SHIM 1
// Hidden, so that a kernel named `add` stays a matter of this library.
#define __global__ __attribute__((visibility("hidden")))
#define __device__
#define __forceinline__ inline
#define __noinline__
#define __align__(n) alignas(n)
#define __launch_bounds__(n)
// One block runs at a time, so one copy is enough. All copies stand together, to be spoiled before each block,
// and to be put aside where several blocks take turns.
#define __shared__ static __attribute__((section("gollm_shim_shared")))
#define DYNAMIC_SHARED(name) float *name = (float *)shim::dynamic_shared()

struct alignas(16) float4 { float x, y, z, w; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
struct alignas(8) uint2 { unsigned x, y; };
struct uint3 { unsigned x, y, z; };

namespace shim {
extern uint3 thread_index, block_index, block_size, grid_size;
void *dynamic_shared();
// Waits for the whole block (the warp). `line` tells apart barriers that are not the same one.
void block_barrier(const char *file, int line);
void warp_barrier(const char *file, int line);
float exchange(float value, unsigned lane_mask, const char *file, int line);
// Lets other blocks go on until this thread can.
void wait_for_another_block(const char *file, int line);
// Where blocks take turns, what is read through the read-only cache must not change while the kernel runs.
extern bool watches;
void watch(const void *address, size_t n_bytes);
} // namespace shim

#define threadIdx shim::thread_index
#define blockIdx shim::block_index
#define blockDim shim::block_size
#define gridDim shim::grid_size
#define __syncthreads() shim::block_barrier(__FILE__, __LINE__)
#define __syncwarp() shim::warp_barrier(__FILE__, __LINE__)
#define __shfl_xor_sync(lanes, value, mask) shim::exchange(value, mask, __FILE__, __LINE__)

#define WAIT_A_LITTLE() shim::wait_for_another_block(__FILE__, __LINE__)

template <class T> static inline T __ldg(const T *address) {
    if (shim::watches)
        shim::watch(address, sizeof(T));
    return *address;
}
// Fibers see each other's writes in order.
static inline void __threadfence() {}
static inline unsigned atomicAdd(unsigned *address, unsigned value) {
    unsigned old = *address;
    *address = old + value;
    return old;
}
static inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
static inline float __uint_as_float(unsigned bits) {
    float f;
    memcpy(&f, &bits, 4);
    return f;
}
static inline float __int_as_float(unsigned bits) { return __uint_as_float(bits); }
static inline unsigned atomicMin(unsigned *address, unsigned value) {
    unsigned old = *address;
    if (value < old)
        *address = value;
    return old;
}
// The same roundings as the GPU's, in software: not every compiler has a half type.
float half_to_float(unsigned short bits);
unsigned short float_to_half(float value);
