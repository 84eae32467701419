// The functions of libcuda that gollm calls, with the codes of the vendor's header.
#include "../shim/table.cpp"
#include "fake.hpp"

#include <array>
#include <list>
#include <map>
#include <memory>

namespace fake {

enum Code { OK = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_DEVICE = 101, NOT_A_CUBIN = 200,
            NO_CONTEXT = 201, NOT_FOUND = 500, LAUNCH_FAILED = 719, TOO_MANY_BLOCKS = 720,
            CAPTURE_UNSUPPORTED = 900 };

constexpr size_t MEMORY = size_t(1) << 30;
constexpr unsigned RESIDENT = 3; // blocks at once, on the one multiprocessor

struct Device { const char *name; int major, minor, cooperative; };
const Device DEVICES[] = {{"Shim of an H100", 9, 0, 1}, {"Shim of a Tesla M40", 5, 2, 0}};

struct Event { Stream *stream = nullptr; size_t mark = 0; };
struct Module { std::string image; };

// Never destroyed: threads of a test may outlive `main`.
struct Objects {
    std::map<unsigned long long, size_t> memory;
    size_t used = 0;
    std::list<Stream *> streams;
};

State &state() { static State *it = new State(); return *it; }
Objects &objects() { static Objects *it = new Objects(); return *it; }
thread_local void *context = nullptr;
// Each test is a thread, and counts its own.
thread_local unsigned long graph_launches = 0, kernel_launches = 0;
// Captures of this thread: as the backend captures, only its own calls are looked at.
thread_local int capturing = 0;

bool is_device_memory(unsigned long long address, size_t n_bytes) {
    auto after = objects().memory.upper_bound(address);
    if (after == objects().memory.begin())
        return false;
    auto found = std::prev(after);
    return address + n_bytes <= found->first + found->second;
}

// A cubin says where its tables are; the last of them ends it.
std::string read_image(const char *image) {
    if (memcmp(image, "\x7f" "ELF", 4) != 0)
        return image;
    auto u64 = [&](size_t at) { uint64_t v; memcpy(&v, image + at, 8); return size_t(v); };
    auto u16 = [&](size_t at) { uint16_t v; memcpy(&v, image + at, 2); return size_t(v); };
    size_t sections = u64(40) + u16(58) * u16(60), segments = u64(32) + u16(54) * u16(56);
    return std::string(image, std::max(sections, segments));
}

void run(const Entry *entry, std::array<unsigned, 3> grid, unsigned block, unsigned shared_bytes,
         const std::vector<uint64_t> &arguments) {
    if (!state().failure.empty())
        return;
    Call call = {arguments.data()};
    // Blocks that fit are there at once, as on a GPU; of more, one at a time is faster here.
    unsigned n = grid[0] * grid[1] * grid[2], resident = n <= RESIDENT ? n : 1;
    std::string error =
        shim::run_grid({grid.data(), block, shared_bytes, resident, false}, shim::Body{entry->run, &call});
    if (!error.empty())
        state().failure = std::string(entry->name) + ": " + error;
}

Code waited() { return state().failure.empty() ? OK : LAUNCH_FAILED; }

} // namespace fake

using namespace fake;
typedef void *Handle;
#define TURN std::lock_guard<std::recursive_mutex> turn(state().turn)
#define TURN_IN_CONTEXT TURN; if (!context) return NO_CONTEXT

API unsigned long gollm_fake_graph_launches() { return graph_launches; }
API unsigned long gollm_fake_kernel_launches() { return kernel_launches; }

API int cuInit(unsigned) { return OK; }
API int cuDriverGetVersion(int *version) { *version = 12040; return OK; }
API int cuGetErrorName(int code, const char **name) {
    static const std::map<int, const char *> NAMES = {
        {INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE"}, {OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY"},
        {INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE"}, {NOT_A_CUBIN, "CUDA_ERROR_INVALID_IMAGE"},
        {NO_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT"}, {NOT_FOUND, "CUDA_ERROR_NOT_FOUND"},
        {LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED"}, {TOO_MANY_BLOCKS, "CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE"}, {CAPTURE_UNSUPPORTED, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"}};
    auto found = NAMES.find(code);
    *name = found == NAMES.end() ? nullptr : found->second;
    return *name ? OK : INVALID_VALUE;
}
API int cuGetErrorString(int code, const char **text) {
    *text = code == LAUNCH_FAILED ? state().failure.c_str() : "as its name says";
    return OK;
}
API int cuDeviceGetCount(int *count) { *count = 2; return OK; }
API int cuDeviceGet(int *device, int ordinal) { *device = ordinal; return ordinal < 2 ? OK : INVALID_DEVICE; }
API int cuDeviceGetName(char *name, int len, int device) { snprintf(name, len, "%s", DEVICES[device].name); return OK; }
API int cuDeviceTotalMem_v2(size_t *bytes, int) { *bytes = MEMORY; return OK; }
API int cuDeviceGetAttribute(int *value, int which, int device) {
    const Device &of = DEVICES[device];
    *value = which == 75 ? of.major : which == 76 ? of.minor : which == 95 ? of.cooperative : 1;
    return OK;
}
API int cuDevicePrimaryCtxRetain(Handle *handle, int) { *handle = (Handle)DEVICES; return OK; }
API int cuDevicePrimaryCtxRelease_v2(int) { return OK; }
API int cuCtxSetCurrent(Handle handle) { context = handle; return OK; }

API int cuMemGetInfo_v2(size_t *free, size_t *total) { *free = MEMORY - objects().used; *total = MEMORY; return OK; }
API int cuMemAlloc_v2(unsigned long long *address, size_t n_bytes) {
    TURN_IN_CONTEXT;
    if (capturing)
        return CAPTURE_UNSUPPORTED;
    if (n_bytes == 0)
        return INVALID_VALUE;
    if (n_bytes > MEMORY - objects().used)
        return OUT_OF_MEMORY;
    size_t rounded = (n_bytes + 255) / 256 * 256;
    void *memory = aligned_alloc(256, rounded);
    memset(memory, 0xff, rounded); // NaN: whoever reads what nobody wrote will notice
    *address = (unsigned long long)(uintptr_t)memory;
    objects().memory[*address] = n_bytes;
    objects().used += n_bytes;
    return OK;
}
API int cuMemFree_v2(unsigned long long address) {
    TURN_IN_CONTEXT;
    auto found = objects().memory.find(address);
    if (found == objects().memory.end())
        return INVALID_VALUE;
    memset((void *)(uintptr_t)address, 0xff, found->second);
    free((void *)(uintptr_t)address);
    objects().used -= found->second;
    objects().memory.erase(found);
    return OK;
}
API int cuMemHostAlloc(Handle *memory, size_t n_bytes, unsigned) { TURN_IN_CONTEXT; *memory = malloc(n_bytes); return OK; }
API int cuMemFreeHost(Handle memory) { free(memory); return OK; }
API int cuMemcpyHtoDAsync_v2(unsigned long long to, const void *from, size_t n_bytes, Stream *stream) {
    TURN_IN_CONTEXT;
    if (!is_device_memory(to, n_bytes))
        return INVALID_VALUE;
    stream->push([=] { memcpy((void *)(uintptr_t)to, from, n_bytes); });
    return OK;
}
API int cuMemcpyDtoHAsync_v2(void *to, unsigned long long from, size_t n_bytes, Stream *stream) {
    TURN_IN_CONTEXT;
    if (!is_device_memory(from, n_bytes))
        return INVALID_VALUE;
    stream->push([=] { memcpy(to, (void *)(uintptr_t)from, n_bytes); });
    return OK;
}
API int cuMemsetD8Async(unsigned long long to, unsigned char value, size_t n_bytes, Stream *stream) {
    TURN_IN_CONTEXT;
    if (!is_device_memory(to, n_bytes))
        return INVALID_VALUE;
    stream->push([=] { memset((void *)(uintptr_t)to, value, n_bytes); });
    return OK;
}

API int cuModuleLoadData(Module **module, const char *image) {
    TURN_IN_CONTEXT;
    *module = new Module{read_image(image)};
    return (*module)->image.empty() ? NOT_A_CUBIN : OK;
}
API int cuModuleUnload(Module *module) { delete module; return OK; }
API int cuModuleGetFunction(const Entry **function, Module *module, const char *name) {
    TURN_IN_CONTEXT;
    bool compiled = module->image.compare(0, 4, "\x7f" "ELF") == 0;
    if (compiled && module->image.find(name) == std::string::npos)
        return NOT_FOUND;
    for (const Entry &entry : ENTRIES)
        if (strcmp(entry.name, name) == 0) {
            *function = &entry;
            return OK;
        }
    return NOT_FOUND;
}
API int cuFuncSetAttribute(const Entry *, int, int) { return OK; }
API int cuLaunchKernel(const Entry *function, unsigned x, unsigned y, unsigned z, unsigned block, unsigned by,
                       unsigned bz, unsigned shared_bytes, Stream *stream, void **parameters, void **extra) {
    TURN_IN_CONTEXT;
    kernel_launches++;
    if (!x || !y || !z || !block || block > 1024 || by != 1 || bz != 1 || y > 65535 || z > 65535 || extra)
        return INVALID_VALUE;
    // A GPU knows how many parameters there are; here a null pointer ends them.
    std::vector<uint64_t> arguments;
    for (; *parameters; parameters++) {
        uint64_t bits;
        memcpy(&bits, *parameters, 8);
        arguments.push_back(bits);
    }
    std::array<unsigned, 3> grid = {x, y, z};
    stream->push([=] { run(function, grid, block, shared_bytes, arguments); });
    return OK;
}

API int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *n, const Entry *, int, size_t shared_bytes) {
    *n = shared_bytes <= 47 * 1024 ? RESIDENT : 0;
    return OK;
}
API int cuLaunchCooperativeKernel(const Entry *function, unsigned x, unsigned y, unsigned z, unsigned block, unsigned by,
                                  unsigned bz, unsigned shared_bytes, Stream *stream, void **parameters) {
    if (x * y * z > RESIDENT)
        return TOO_MANY_BLOCKS;
    return cuLaunchKernel(function, x, y, z, block, by, bz, shared_bytes, stream, parameters, nullptr);
}

API int cuStreamCreate(Stream **stream, unsigned) {
    TURN_IN_CONTEXT;
    objects().streams.push_back(*stream = new Stream());
    return OK;
}
API int cuStreamDestroy_v2(Stream *stream) {
    TURN;
    objects().streams.remove(stream);
    delete stream;
    return OK;
}
API int cuStreamSynchronize(Stream *stream) {
    TURN_IN_CONTEXT;
    if (stream->capture)
        return CAPTURE_UNSUPPORTED;
    stream->run_to(stream->mark());
    return waited();
}
API int cuStreamWaitEvent(Stream *stream, Event *event, unsigned) {
    TURN_IN_CONTEXT;
    Event then = *event;
    stream->push([=] { if (then.stream) then.stream->run_to(then.mark); });
    return OK;
}
API int cuEventCreate(Event **event, unsigned) { TURN_IN_CONTEXT; *event = new Event(); return OK; }
API int cuEventRecord(Event *event, Stream *stream) { TURN_IN_CONTEXT; *event = {stream, stream->mark()}; return OK; }
API int cuEventDestroy_v2(Event *event) { delete event; return OK; }

API int cuStreamBeginCapture_v2(Stream *stream, int) {
    TURN_IN_CONTEXT;
    if (stream->capture)
        return CAPTURE_UNSUPPORTED;
    stream->capture = new std::vector<Work>();
    capturing++;
    return OK;
}
API int cuStreamEndCapture(Stream *stream, std::vector<Work> **graph) {
    TURN_IN_CONTEXT;
    *graph = stream->capture;
    stream->capture = nullptr;
    capturing--;
    return OK;
}
API int cuGraphInstantiateWithFlags(std::vector<Work> **executable, std::vector<Work> *graph, unsigned long long) {
    *executable = new std::vector<Work>(*graph);
    return OK;
}
API int cuGraphDestroy(std::vector<Work> *graph) { delete graph; return OK; }
API int cuGraphExecDestroy(std::vector<Work> *executable) { delete executable; return OK; }
API int cuGraphLaunch(std::vector<Work> *executable, Stream *stream) {
    TURN_IN_CONTEXT;
    graph_launches++;
    for (const Work &work : *executable)
        stream->push(work);
    return OK;
}
