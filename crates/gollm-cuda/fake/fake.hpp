// A CUDA driver without a GPU, for tests of the Rust side of one: memory is the processor's, kernels run
// in the shim.
//
// Streams are as late as the rules of CUDA allow: nothing is done before somebody waits for it. So a copy
// from memory that was used again too early, a missing wait between two streams, or memory that is freed
// under queued work gives wrong numbers or an error here, every time.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#define API extern "C" __attribute__((visibility("default")))

namespace fake {

using Work = std::function<void()>;

struct Stream {
    std::deque<Work> queue;
    size_t done = 0;
    std::vector<Work> *capture = nullptr; // records instead of queuing

    void push(Work work) {
        if (capture)
            capture->push_back(std::move(work));
        else
            queue.push_back(std::move(work));
    }
    size_t mark() const { return done + queue.size(); }
    void run_to(size_t mark) {
        while (done < mark && !queue.empty()) {
            Work work = std::move(queue.front());
            queue.pop_front();
            done++;
            work();
        }
    }
};

// What all calls share; they take turns.
struct State {
    std::recursive_mutex turn;
    std::string failure; // of a kernel; all later calls that wait report it
};

State &state();
// Whether these bytes lie in one allocation of device memory.
bool is_device_memory(unsigned long long address, size_t n_bytes);

} // namespace fake
