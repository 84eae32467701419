// The machine that kernels run on.
#pragma once

#include <string>

namespace shim {

// What one thread does.
struct Body {
    void (*run)(const void *argument);
    const void *argument;
};

// Runs `body` for every thread of every block; returns an empty text, or what went wrong.
std::string run_grid(const unsigned grid[3], unsigned block, unsigned shared_bytes, bool reversed, const Body &body);

} // namespace shim
