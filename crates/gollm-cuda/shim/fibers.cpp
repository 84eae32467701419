// The threads of a block, as fibers.
#include "fibers.hpp"
#include "cuda.hpp"

#include <csetjmp>
#include <memory>
#include <string>
#include <ucontext.h>
#include <vector>

namespace shim {

uint3 thread_index, block_index, block_size, grid_size;

namespace {

constexpr size_t STACK_BYTES = 64 * 1024;
constexpr unsigned WARP = 32;

// Where a fiber stands: at one of the three barriers, or waiting for another block.
enum class At { Start, BlockBarrier, WarpBarrier, AnotherBlock, End };

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
    float slots[2];
    std::unique_ptr<char[]> stack{new char[STACK_BYTES]}; // not touched before it is used
};

struct Machine {
    std::vector<Fiber *> fibers;
    jmp_buf scheduler;
    unsigned current = 0, first = 0; // the fiber that runs, and the first one of its block
    size_t steps = 0, waiting = 0; // waiting: fibers that wait for another block
    const Body *body = nullptr;
};

// One for all threads of the process, which take turns: `run_grid` holds a lock. Never destroyed.
Machine *const machine = new Machine();

void leave(At at, Site site) {
    Fiber &fiber = *machine->fibers[machine->current];
    if (at != At::AnotherBlock || fiber.at != At::AnotherBlock)
        machine->steps++;
    machine->waiting += (at == At::AnotherBlock) - (fiber.at == At::AnotherBlock);
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
    Fiber &fiber = *machine->fibers[i];
    machine->current = i;
    thread_index = uint3{i - machine->first, 0, 0};
    if (_setjmp(machine->scheduler) != 0)
        return;
    if (fiber.made)
        _longjmp(fiber.here, 1);
    fiber.made = true;
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = STACK_BYTES;
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, entry, 0);
    setcontext(&fiber.context);
}

bool waits_for_another_block(unsigned first, unsigned last) {
    for (unsigned i = first; i < last && machine->waiting; i++)
        if (machine->fibers[i]->at == At::AnotherBlock)
            return true;
    return false;
}

// Empty if all stand at the same place.
std::string compare(unsigned first, unsigned last, const char *what) {
    const Fiber &one = *machine->fibers[first];
    for (unsigned i = first; i < last; i++) {
        const Fiber &other = *machine->fibers[i];
        if (other.at != one.at || !(other.site == one.site))
            return what + one.site.text() + ", another at " + other.site.text() + " (? is the end of the kernel)";
    }
    return "";
}

// Runs threads first..last until all wait for the block or are done, or one waits for another block.
std::string run_warp(unsigned first, unsigned last, bool reversed) {
    for (;;) {
        bool some = waits_for_another_block(first, last); // then the others wait for those
        for (unsigned n = 0; n < last - first; n++) {
            unsigned i = reversed ? last - 1 - n : first + n;
            if (!some || machine->fibers[i]->at == At::AnotherBlock)
                resume(i);
        }
        if (waits_for_another_block(first, last))
            return "";
        std::string error = compare(first, last, "the lanes of a warp part: one is at ");
        if (!error.empty() || machine->fibers[first]->at != At::WarpBarrier)
            return error;
    }
}

} // namespace

void use(const Body &body) { machine->body = &body; }

size_t steps() { return machine->steps; }

void begin_block(unsigned first, unsigned n) {
    while (machine->fibers.size() < first + n)
        machine->fibers.push_back(new Fiber());
    for (unsigned i = first; i < first + n; i++)
        machine->fibers[i]->exchanges = 0, machine->fibers[i]->at = At::Start;
}

Pause run_block(unsigned first, unsigned n, bool reversed) {
    machine->first = first;
    unsigned n_warps = (n + WARP - 1) / WARP, end = first + n;
    for (;;) {
        bool some = waits_for_another_block(first, end);
        for (unsigned i = 0; i < n_warps; i++) {
            unsigned warp = first + (reversed ? n_warps - 1 - i : i) * WARP;
            unsigned last = warp + WARP < end ? warp + WARP : end;
            if (some && !waits_for_another_block(warp, last))
                continue;
            std::string error = run_warp(warp, last, reversed);
            if (!error.empty())
                return {true, error};
        }
        if (waits_for_another_block(first, end))
            return {false, ""};
        std::string error =
            compare(first, end, "a barrier is not reached by all threads of the block: one is at ");
        if (!error.empty() || machine->fibers[first]->at == At::End)
            return {true, error};
    }
}

void abandon() {
    for (Fiber *fiber : machine->fibers)
        fiber->made = false, fiber->at = At::Start; // they stand in the middle of the kernel
    machine->waiting = 0;
}

void block_barrier(const char *file, int line) { leave(At::BlockBarrier, Site{file, line}); }

void warp_barrier(const char *file, int line) { leave(At::WarpBarrier, Site{file, line}); }

void wait_for_another_block(const char *file, int line) { leave(At::AnotherBlock, Site{file, line}); }

// Two sets of slots in turn: a lane that is back at the first has seen all others leave it.
float exchange(float value, unsigned lane_mask, const char *file, int line) {
    unsigned me = machine->current, partner = machine->first + ((me - machine->first) ^ lane_mask);
    unsigned set = machine->fibers[me]->exchanges++ % 2;
    machine->fibers[me]->slots[set] = value;
    leave(At::WarpBarrier, Site{file, line});
    return machine->fibers[partner]->slots[set];
}

} // namespace shim
