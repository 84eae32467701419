// Runs the blocks of a grid one after the other, the threads of a block as fibers.
#include "fibers.hpp"
#include "cuda.hpp"

#include <csetjmp>
#include <memory>
#include <mutex>
#include <string>
#include <ucontext.h>
#include <vector>

// Where the linker put the shared memory of all kernels.
extern "C" char __start_gollm_shim_shared[], __stop_gollm_shim_shared[];

namespace shim {

uint3 thread_index, block_index, block_size, grid_size;

namespace {

constexpr size_t STACK_BYTES = 64 * 1024;
constexpr unsigned MOST_THREADS = 1024, WARP = 32;
constexpr unsigned CANARY = 0xdeadbeef, CANARIES = 64;

enum class At { Start, BlockBarrier, WarpBarrier, End };

struct Site {
    const char *file = nullptr;
    int line = 0;
    bool operator==(const Site &other) const { return file == other.file && line == other.line; }
    std::string text() const { return std::string(file ? file : "?") + ":" + std::to_string(line); }
};

// A context is made once and its fiber then runs the body again for every block; switching saves no
// signal mask, so it costs nanoseconds and not a system call.
struct Fiber {
    ucontext_t context;
    jmp_buf here;
    bool made = false;
    At at = At::Start;
    Site site;
    unsigned exchanges = 0;
};

struct Machine {
    std::vector<Fiber> fibers = std::vector<Fiber>(MOST_THREADS);
    std::unique_ptr<char[]> stacks{new char[MOST_THREADS * STACK_BYTES]}; // not touched before it is used
    std::vector<unsigned> shared;
    float slots[2][MOST_THREADS];
    jmp_buf scheduler;
    unsigned current = 0;
    const Body *body = nullptr;
};

// One for all threads of the process, which take turns: `run_grid` holds a lock.
Machine *machine = nullptr;

void leave(At at, Site site) {
    Fiber &fiber = machine->fibers[machine->current];
    fiber.at = at;
    fiber.site = site;
    if (_setjmp(fiber.here) == 0)
        _longjmp(machine->scheduler, 1);
}

void entry() {
    for (;;) {
        machine->body->run(machine->body->argument);
        leave(At::End, Site{});
    }
}

void resume(unsigned i) {
    Fiber &fiber = machine->fibers[i];
    machine->current = i;
    thread_index = uint3{i, 0, 0};
    if (_setjmp(machine->scheduler) != 0)
        return;
    if (fiber.made)
        _longjmp(fiber.here, 1);
    fiber.made = true;
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = machine->stacks.get() + i * STACK_BYTES;
    fiber.context.uc_stack.ss_size = STACK_BYTES;
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, entry, 0);
    setcontext(&fiber.context);
}

// Runs threads first..last until all wait for the block or are done.
std::string run_warp(unsigned first, unsigned last, bool reversed) {
    for (;;) {
        for (unsigned i = first; i < last; i++)
            resume(reversed ? first + last - 1 - i : i);
        const Fiber &one = machine->fibers[first];
        for (unsigned i = first; i < last; i++) {
            const Fiber &other = machine->fibers[i];
            if (other.at != one.at || !(other.site == one.site))
                return "the lanes of a warp part: one is at " + one.site.text() + ", another at " +
                       other.site.text() + " (? is the end of the kernel)";
        }
        if (one.at != At::WarpBarrier)
            return "";
    }
}

std::string run_block(unsigned n, bool reversed) {
    unsigned n_warps = (n + WARP - 1) / WARP;
    for (;;) {
        for (unsigned i = 0; i < n_warps; i++) {
            unsigned warp = reversed ? n_warps - 1 - i : i;
            unsigned first = warp * WARP, last = first + WARP < n ? first + WARP : n;
            std::string error = run_warp(first, last, reversed);
            if (!error.empty())
                return error;
        }
        const Fiber &one = machine->fibers[0];
        for (unsigned i = 0; i < n; i++) {
            const Fiber &other = machine->fibers[i];
            if (other.at != one.at || !(other.site == one.site))
                return "a barrier is not reached by all threads of the block: one is at " + one.site.text() +
                       ", another at " + other.site.text() + " (? is the end of the kernel)";
        }
        if (one.at == At::End)
            return "";
    }
}

} // namespace

void *dynamic_shared() { return machine->shared.data(); }

void block_barrier(const char *file, int line) { leave(At::BlockBarrier, Site{file, line}); }

void warp_barrier(const char *file, int line) { leave(At::WarpBarrier, Site{file, line}); }

// Two sets of slots in turn: a lane that is back at the first has seen all others leave it.
float exchange(float value, unsigned lane_mask, const char *file, int line) {
    unsigned me = machine->current;
    float *slots = machine->slots[machine->fibers[me].exchanges++ % 2];
    slots[me] = value;
    leave(At::WarpBarrier, Site{file, line});
    return slots[me ^ lane_mask];
}

std::string run_grid(const unsigned grid[3], unsigned block, unsigned shared_bytes, bool reversed,
                     const Body &body) {
    if (block == 0 || block > MOST_THREADS)
        return "a block has 1 to 1024 threads";
    if (shared_bytes > 48 * 1024)
        return "a block has at most 48 KiB of shared memory";
    static std::mutex turn;
    std::lock_guard<std::mutex> mine(turn);
    if (!machine)
        machine = new Machine();
    block_size = uint3{block, 1, 1};
    grid_size = uint3{grid[0], grid[1], grid[2]};
    machine->body = &body;
    unsigned words = (shared_bytes + 3) / 4;
    for (unsigned z = 0; z < grid[2]; z++)
        for (unsigned y = 0; y < grid[1]; y++)
            for (unsigned x = 0; x < grid[0]; x++) {
                block_index = uint3{x, y, z};
                // Shared memory begins as NaN, so that a number that nobody wrote, or that the block
                // before left there, spoils the result.
                memset(__start_gollm_shim_shared, 0xff, __stop_gollm_shim_shared - __start_gollm_shim_shared);
                machine->shared.assign(words + CANARIES, 0xffffffffu);
                for (unsigned i = 0; i < CANARIES; i++)
                    machine->shared[words + i] = CANARY;
                for (unsigned i = 0; i < block; i++)
                    machine->fibers[i].exchanges = 0;
                std::string error = run_block(block, reversed);
                if (!error.empty()) {
                    for (Fiber &fiber : machine->fibers)
                        fiber.made = false; // they stand in the middle of the kernel
                    return error;
                }
                for (unsigned i = 0; i < CANARIES; i++)
                    if (machine->shared[words + i] != CANARY)
                        return "it wrote behind its " + std::to_string(shared_bytes) + " bytes of shared memory";
            }
    return "";
}

} // namespace shim
