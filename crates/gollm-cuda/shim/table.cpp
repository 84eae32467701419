// All kernels by name, and the one function that the Rust side calls.
#include "cuda.hpp"
#include "fibers.hpp"

#include <cstdio>
#include <string>
#include <utility>

#include "../kernels/prelude.cuh"
#include "../kernels/weights.cuh"
#include "../kernels/dot.cuh"

#include "../kernels/argmax.cu"
#include "../kernels/attention_decode.cu"
#include "../kernels/attention_prefill.cu"
#include "../kernels/convert.cu"
#include "../kernels/elementwise.cu"
#include "../kernels/embed.cu"
#include "../kernels/gate_up.cu"
#include "../kernels/mat_mul.cu"
#include "../kernels/mat_vec.cu"
#include "../kernels/rms_norm.cu"
#include "../kernels/rope.cu"
#include "../kernels/softmax.cu"
#include "broken.cu"

namespace {

// As the Rust side counts the kinds of arguments.
template <class T> struct Kind { static_assert(sizeof(T) == 0, "a kernel takes addresses, unsigned and float"); };
template <class T> struct Kind<T *> { static const unsigned char value = 0; };
template <> struct Kind<unsigned> { static const unsigned char value = 1; };
template <> struct Kind<float> { static const unsigned char value = 2; };

template <class T> T argument(uint64_t bits) {
    T value;
    memcpy(&value, &bits, sizeof value); // little-endian: the low bytes
    return value;
}

// What one launch is made of: the kernel behind its template, and its arguments.
struct Call {
    const uint64_t *arguments;
};

template <class F, F *function> struct Kernel;
template <class... A, void (*function)(A...)> struct Kernel<void(A...), function> {
    template <size_t... I> static void call(const uint64_t *arguments, std::index_sequence<I...>) {
        function(argument<A>(arguments[I])...);
    }
    static void run(const void *call_) {
        call(((const Call *)call_)->arguments, std::index_sequence_for<A...>());
    }
    static bool takes(const unsigned char *kinds, unsigned n) {
        const unsigned char own[] = {Kind<A>::value...};
        return n == sizeof own && memcmp(kinds, own, n) == 0;
    }
};

struct Entry {
    const char *name;
    void (*run)(const void *);
    bool (*takes)(const unsigned char *, unsigned);
};

#define ENTRY(name) {#name, Kernel<decltype(name), name>::run, Kernel<decltype(name), name>::takes}
#define ENTRY_OF_TYPES(name) \
    ENTRY(name##_f32), ENTRY(name##_f16), ENTRY(name##_bf16), ENTRY(name##_q8_0), ENTRY(name##_q4_0)

const Entry ENTRIES[] = {
    ENTRY(add), ENTRY(add_bias), ENTRY(add_rows), ENTRY(swiglu), ENTRY(rms_norm), ENTRY(softmax), ENTRY(argmax),
    ENTRY(rope),
    ENTRY(rope_append_f32), ENTRY(rope_append_f16), ENTRY(append_f32), ENTRY(append_f16),
    ENTRY(attention_decode_f32), ENTRY(attention_decode_f16), ENTRY(attention_combine),
    ENTRY(attention_prefill_f32), ENTRY(attention_prefill_f16),
    ENTRY_OF_TYPES(embed), ENTRY_OF_TYPES(mat_vec), ENTRY_OF_TYPES(mat_vec_8), ENTRY_OF_TYPES(gate_up),
    ENTRY_OF_TYPES(gate_up_8), ENTRY_OF_TYPES(mat_mul),
    ENTRY(f32_to_f16), ENTRY(q8_0_to_f16), ENTRY(q4_0_to_f16),
    ENTRY(f16_to_f32), ENTRY(bf16_to_f32), ENTRY(q8_0_to_f32), ENTRY(q4_0_to_f32),
    ENTRY(broken_missing_barrier), ENTRY(broken_divergent_barrier), ENTRY(broken_shared_memory), ENTRY(broken_memory),
};

} // namespace

// Runs a kernel. Returns 0, or 1 and what went wrong in `message`.
extern "C" int gollm_shim_launch(const char *name, const unsigned *grid, unsigned block, unsigned shared_bytes,
                                 const uint64_t *arguments, const unsigned char *kinds, unsigned n_arguments,
                                 int reversed, char *message, size_t message_bytes) {
    std::string error = "there is no kernel of this name";
    for (const Entry &entry : ENTRIES) {
        if (strcmp(entry.name, name) != 0)
            continue;
        if (!entry.takes(kinds, n_arguments)) {
            error = "the arguments are not those that the kernel takes";
            break;
        }
        Call call = {arguments};
        error = shim::run_grid(grid, block, shared_bytes, reversed != 0, shim::Body{entry.run, &call});
        break;
    }
    snprintf(message, message_bytes, "%s", error.c_str());
    return error.empty() ? 0 : 1;
}
