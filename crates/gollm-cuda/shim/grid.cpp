// The blocks of a grid: some are there at once and take turns where they wait for each other.
#include "fibers.hpp"
#include "cuda.hpp"

#include <array>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

// Where the linker put the shared memory of all kernels.
extern "C" char __start_gollm_shim_shared[], __stop_gollm_shim_shared[];

namespace shim {

bool watches = false;

namespace {

constexpr unsigned MOST_THREADS = 1024, WARP = 32;
constexpr unsigned CANARY = 0xdeadbeef, CANARIES = 64;

// A block that has begun, and its shared memory while another one runs.
struct Resident {
    unsigned first_fiber = 0;
    uint3 index{};
    std::vector<char> declared;
    std::vector<unsigned> dynamic;
    bool there = false;
};

Resident *now = nullptr;
// What was read through the read-only cache: 16 bytes at most, by address and size, since one address may be
// read in several sizes.
std::unordered_map<uint64_t, std::array<char, 16>> read_only;
bool changed = false;

size_t declared_bytes() { return __stop_gollm_shim_shared - __start_gollm_shim_shared; }

void begin(Resident &resident, const Grid &grid, unsigned i) {
    unsigned n = grid.size[0] * grid.size[1] * grid.size[2], words = (grid.shared_bytes + 3) / 4;
    i = grid.reversed ? n - 1 - i : i;
    resident.index = uint3{i % grid.size[0], i / grid.size[0] % grid.size[1], i / grid.size[0] / grid.size[1]};
    // Shared memory begins as NaN, so that a number that nobody wrote, or that the block before left
    // there, spoils the result.
    resident.declared.assign(declared_bytes(), '\xff');
    resident.dynamic.assign(words, 0xffffffffu);
    resident.dynamic.resize(words + CANARIES, CANARY);
    resident.there = true;
    begin_block(resident.first_fiber, grid.block);
}

// Runs a block until it ends or waits for another one.
std::string run(Resident &resident, const Grid &grid) {
    now = &resident;
    block_index = resident.index;
    memcpy(__start_gollm_shim_shared, resident.declared.data(), declared_bytes());
    Pause pause = run_block(resident.first_fiber, grid.block, grid.reversed);
    memcpy(resident.declared.data(), __start_gollm_shim_shared, declared_bytes());
    resident.there = !pause.ended;
    if (!pause.error.empty())
        return pause.error;
    for (unsigned i = 0; i < CANARIES; i++)
        if (resident.dynamic[resident.dynamic.size() - CANARIES + i] != CANARY)
            return "it wrote behind its " + std::to_string(grid.shared_bytes) + " bytes of shared memory";
    return changed ? "a number changed that a block had read through the read-only cache" : "";
}

std::string run_blocks(const Grid &grid, std::vector<Resident> &residents) {
    size_t n = (size_t)grid.size[0] * grid.size[1] * grid.size[2], begun = 0, ended = 0;
    while (ended < n) {
        size_t before = steps();
        for (Resident &resident : residents) {
            if (!resident.there && begun < n)
                begin(resident, grid, begun++);
            if (!resident.there)
                continue;
            std::string error = run(resident, grid);
            if (!error.empty())
                return error;
            ended += !resident.there;
        }
        if (steps() == before)
            return "all blocks that are there wait for another one, and " + std::to_string(n - begun) + " of " +
                   std::to_string(n) + " have not begun";
    }
    return "";
}

} // namespace

void *dynamic_shared() { return now->dynamic.data(); }

void watch(const void *address, size_t n_bytes) {
    std::array<char, 16> bytes{};
    memcpy(bytes.data(), address, n_bytes);
    uint64_t key = (uint64_t)(uintptr_t)address ^ (uint64_t)n_bytes << 56;
    changed = changed || read_only.try_emplace(key, bytes).first->second != bytes;
}

std::string run_grid(const Grid &grid, const Body &body) {
    if (grid.block == 0 || grid.block > MOST_THREADS)
        return "a block has 1 to 1024 threads";
    if (grid.shared_bytes > 48 * 1024)
        return "a block has at most 48 KiB of shared memory";
    static std::mutex turn;
    std::lock_guard<std::mutex> mine(turn);
    block_size = uint3{grid.block, 1, 1};
    grid_size = uint3{grid.size[0], grid.size[1], grid.size[2]};
    use(body);
    std::vector<Resident> residents(grid.resident);
    for (unsigned i = 0; i < grid.resident; i++)
        residents[i].first_fiber = i * ((grid.block + WARP - 1) / WARP * WARP);
    watches = grid.resident > 1;
    changed = false;
    read_only.clear();
    std::string error = run_blocks(grid, residents);
    watches = false;
    if (!error.empty())
        abandon();
    return error;
}

} // namespace shim
