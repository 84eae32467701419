// Where a thread stands, for kernels that also run inside a larger one (`persistent.cu`): there a block
// plays one block of a recorded launch after the other, and CUDA's own names speak of the larger kernel.

// A kernel that was launched by itself: CUDA's own names.
struct Launched {
    __device__ __forceinline__ unsigned x() const { return blockIdx.x; }
    __device__ __forceinline__ unsigned y() const { return blockIdx.y; }
    __device__ __forceinline__ unsigned z() const { return blockIdx.z; }
    __device__ __forceinline__ unsigned n_y() const { return gridDim.y; }
    __device__ __forceinline__ unsigned n_z() const { return gridDim.z; }
    __device__ __forceinline__ unsigned thread() const { return threadIdx.x; }
    __device__ __forceinline__ unsigned threads() const { return blockDim.x; }
    // Activations were written by kernels before this one, so they may come through the read-only cache.
    template <class T> __device__ __forceinline__ static T read(const T *p) { return __ldg(p); }
};
