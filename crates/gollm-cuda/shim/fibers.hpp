// The machine that kernels run on.
#pragma once

#include <cstddef>
#include <string>

namespace shim {

// What one thread does.
struct Body {
    void (*run)(const void *argument);
    const void *argument;
};

// One launch.
struct Grid {
    const unsigned *size; // in blocks: x, y, z
    unsigned block, shared_bytes;
    // How many blocks are there at once: one may wait for another only if both are. The others begin as
    // those end.
    unsigned resident;
    bool reversed; // threads and blocks begin in reverse
};

// Runs `body` for every thread of every block; returns an empty text, or what went wrong.
std::string run_grid(const Grid &grid, const Body &body);

// What `run_grid` in `grid.cpp` needs of the fibers. The threads of a block are `n` fibers from `first` on.
void use(const Body &body);
void begin_block(unsigned first, unsigned n);
// Why a block stopped: it ended, with what went wrong; or it waits for another one.
struct Pause {
    bool ended;
    std::string error;
};
Pause run_block(unsigned first, unsigned n, bool reversed);
// How far all fibers have come: as long as this is the same, nobody has done anything but wait.
size_t steps();
// Forgets all fibers, wherever they are.
void abandon();

} // namespace shim
