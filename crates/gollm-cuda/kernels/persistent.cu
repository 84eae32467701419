// The layers of a decode step in one launch, an experiment: every block stays until the end and works
// through a table of the launches that the step would otherwise be, and all blocks wait for each other
// between one and the next.
//
// There is one for each type of weights. The functions are those of `mat_vec.cu`, `gate_up.cu` and
// `attention_decode.cu`: a block of this kernel plays blocks of theirs, one after the other, several small
// ones side by side.
//
// All blocks must be on the GPU at once, or those that are there wait for ever for those that are not: the
// host launches no more than fit.

#define THREADS 256u

// An argument as the host wrote it: it becomes whatever the parameter is.
struct Slot {
    unsigned long long bits;
    template <class T> __device__ operator T *() const { return (T *)bits; }
    __device__ operator unsigned() const { return (unsigned)bits; }
    __device__ operator float() const { return __uint_as_float((unsigned)bits); }
};

// A recorded launch. `Operation::write` in `persistent.rs` writes it, and knows the same numbers.
struct Operation {
    unsigned kernel, threads, grid[3], none;
    Slot arguments[16];
};

// A block of a recorded launch. `x()` and its like are what `blockIdx` and the others would be.
struct Played {
    const Operation &operation;
    unsigned i; // counted through the grid, x first
    __device__ __forceinline__ unsigned x() const { return i % operation.grid[0]; }
    __device__ __forceinline__ unsigned y() const { return i / operation.grid[0] % n_y(); }
    __device__ __forceinline__ unsigned z() const { return i / operation.grid[0] / n_y(); }
    __device__ __forceinline__ unsigned n_y() const { return operation.grid[1]; }
    __device__ __forceinline__ unsigned n_z() const { return operation.grid[2]; }
    __device__ __forceinline__ unsigned thread() const { return threadIdx.x % operation.threads; }
    __device__ __forceinline__ unsigned threads() const { return operation.threads; }
    // Other blocks of this very kernel wrote the activations: the read-only cache may hold what was at
    // their address before, and no fence empties it. (Weights and gains do come through it. None of a
    // model's is a result of the same step.)
    template <class T> __device__ __forceinline__ static T read(const T *p) { return *p; }
};

// One block of each kernel that can be played.
template <class W> struct MatVec {
    static __device__ __forceinline__ void block(const Played &at, const Slot *a) {
        mat_vec<W, 1, 1>(at, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12], a[13],
                         a[14], a[15]);
    }
};
template <class W> struct GateUp {
    static __device__ __forceinline__ void block(const Played &at, const Slot *a) {
        gate_up<W, 1>(at, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8]);
    }
};
template <class C> struct Attention {
    static __device__ __forceinline__ void block(const Played &at, const Slot *a) {
        attention_decode<C>(at, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12],
                            a[13]);
    }
};
struct Combine {
    static __device__ __forceinline__ void block(const Played &at, const Slot *a) { combine(at, a[0], a[1], a[2], a[3]); }
};

// This block's share of a launch. One whose blocks have fewer threads than this kernel's uses neither
// shared memory nor barriers; its blocks are played side by side, and no warp waits for another.
template <class KERNEL> static __device__ __forceinline__ void share(const Operation &operation) {
    unsigned side_by_side = THREADS / operation.threads;
    unsigned n_blocks = operation.grid[0] * operation.grid[1] * operation.grid[2];
#pragma unroll 1
    for (unsigned first = blockIdx.x * side_by_side; first < n_blocks; first += gridDim.x * side_by_side) {
        unsigned i = first + threadIdx.x / operation.threads;
        if (i < n_blocks)
            KERNEL::block(Played{operation, i}, operation.arguments);
        if (side_by_side == 1)
            __syncthreads(); // nobody uses its shared memory any more
    }
}

// The numbers are those of `persistent.rs`. With the weights of all types in one kernel, the compiler has
// too few registers.
template <class W> static __device__ __forceinline__ void play(const Operation &operation) {
    switch (operation.kernel) {
    case 0: return share<MatVec<W>>(operation);
    case 1: return share<GateUp<W>>(operation);
    case 2: return share<Attention<float>>(operation);
    case 3: return share<Attention<unsigned short>>(operation);
    case 4: return share<Combine>(operation);
    }
}

// Where all blocks wait for each other: how many have come, and how often all were there. Zero at first.
struct Gate {
    unsigned arrived, opened;
};

// What any block wrote before, all blocks see behind. The last one to come opens the gate, and leaves it as
// it was found.
static __device__ __forceinline__ void wait_for_all_blocks(Gate *gate) {
    __syncthreads();
    if (threadIdx.x == 0) {
        volatile unsigned *arrived = &gate->arrived, *opened = &gate->opened;
        unsigned before = *opened;
        __threadfence(); // this block's numbers are out before it is counted
        if (atomicAdd(&gate->arrived, 1u) == gridDim.x - 1) {
            *arrived = 0;
            __threadfence();
            *opened = before + 1;
        } else {
            while (*opened == before)
                WAIT_A_LITTLE();
        }
        __threadfence(); // and the others' are read after that
    }
    __syncthreads();
}

// One row of the table into shared memory.
static __device__ __forceinline__ void bring(Operation *to, const Operation *from) {
    for (unsigned i = threadIdx.x; i < sizeof(Operation) / 4; i += THREADS)
        ((unsigned *)to)[i] = ((const unsigned *)from)[i];
}

template <class W>
static __device__ __forceinline__ void persistent(const Operation *operations, unsigned n_operations, Gate *gate) {
    __shared__ Operation rows[2];
    bring(&rows[0], operations);
    __syncthreads();
#pragma unroll 1
    for (unsigned i = 0; i < n_operations; i++) {
        bool last = i + 1 == n_operations;
        if (!last)
            bring(&rows[(i + 1) % 2], operations + i + 1); // on its way while this one is worked on
        play<W>(rows[i % 2]);
        if (!last)
            wait_for_all_blocks(gate);
    }
}

#define PERSISTENT(name, W)                                                                                     \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                       \
        name(const Operation *operations, unsigned n_operations, Gate *gate) {                                  \
        persistent<W>(operations, n_operations, gate);                                                          \
    }
PERSISTENT(persistent_f32, F32)
PERSISTENT(persistent_f16, F16)
PERSISTENT(persistent_bf16, BF16)
PERSISTENT(persistent_q8_0, Q8_0)
PERSISTENT(persistent_q4_0, Q4_0)
