// NVRTC, whose compiled code is the source itself, and the one product of cuBLAS that gollm uses.
#include "../shim/cuda.hpp"
#include "fake.hpp"

using namespace fake;

namespace {

struct Program {
    std::string source, log;
};

const int ARCHITECTURES[] = {50, 52, 60, 70, 75, 80, 90};

struct Cublas {
    Stream *stream = nullptr;
    bool has_workspace = false;
};

// The types of a matrix, as the vendor numbers them.
enum Type { F32 = 0, F16 = 2 };

float element(const void *matrix, int type, size_t i) {
    return type == F32 ? ((const float *)matrix)[i] : half_to_float(((const unsigned short *)matrix)[i]);
}

bool is_matrix(const void *matrix, int type, size_t columns, size_t rows, size_t distance) {
    size_t n = columns ? (columns - 1) * distance + rows : 0;
    return distance >= rows && is_device_memory((uintptr_t)matrix, n * (type == F32 ? 4 : 2));
}

} // namespace

API int nvrtcVersion(int *major, int *minor) { *major = 12; *minor = 4; return 0; }
API const char *nvrtcGetErrorString(int code) { return code == 5 ? "NVRTC_ERROR_INVALID_OPTION" : "NVRTC_ERROR_COMPILATION"; }
API int nvrtcGetNumSupportedArchs(int *n) { *n = sizeof ARCHITECTURES / sizeof(int); return 0; }
API int nvrtcGetSupportedArchs(int *architectures) { memcpy(architectures, ARCHITECTURES, sizeof ARCHITECTURES); return 0; }
API int nvrtcCreateProgram(Program **program, const char *source, const char *, int, const char *const *, const char *const *) {
    *program = new Program{source, ""};
    return 0;
}
API int nvrtcCompileProgram(Program *program, int n, const char *const *options) {
    for (int i = 0; i < n; i++)
        for (int architecture : ARCHITECTURES)
            if (options[i] == "--gpu-architecture=sm_" + std::to_string(architecture))
                return 0;
    program->log = "no known architecture among the options";
    return 5;
}
API int nvrtcDestroyProgram(Program **program) { delete *program; *program = nullptr; return 0; }
API int nvrtcGetProgramLogSize(Program *program, size_t *len) { *len = program->log.size() + 1; return 0; }
API int nvrtcGetProgramLog(Program *program, char *log) { memcpy(log, program->log.c_str(), program->log.size() + 1); return 0; }
API int nvrtcGetCUBINSize(Program *program, size_t *len) { *len = program->source.size() + 1; return 0; }
API int nvrtcGetCUBIN(Program *program, char *cubin) { memcpy(cubin, program->source.c_str(), program->source.size() + 1); return 0; }

API int cublasCreate_v2(Cublas **handle) { *handle = new Cublas(); return 0; }
API int cublasDestroy_v2(Cublas *handle) { delete handle; return 0; }
API int cublasGetVersion_v2(Cublas *, int *version) { *version = 120403; return 0; }
API int cublasSetStream_v2(Cublas *handle, Stream *stream) { *handle = {stream, false}; return 0; }
API int cublasSetWorkspace_v2(Cublas *handle, void *workspace, size_t n_bytes) {
    handle->has_workspace = is_device_memory((uintptr_t)workspace, n_bytes);
    return handle->has_workspace ? 0 : 7;
}
API int cublasGemmEx(Cublas *handle, int op_a, int op_b, int m, int n, int k, const float *alpha, const void *a,
                     int a_type, int lda, const void *b, int b_type, int ldb, const float *beta, float *c, int c_type,
                     int ldc, int compute_type, int) {
    std::lock_guard<std::recursive_mutex> turn(state().turn);
    // Without a workspace the library would allocate one, which a graph cannot hold.
    if (!handle->has_workspace)
        return 14;
    // The combinations that the vendor documents for f32 sums: both operands of one type.
    if (op_a != 1 || op_b != 0 || a_type != b_type || (a_type != F32 && a_type != F16) || c_type != F32 || compute_type != 68)
        return 15;
    if (*alpha != 1.0f || *beta != 0.0f || !is_matrix(a, a_type, m, k, lda) || !is_matrix(b, b_type, n, k, ldb) ||
        !is_matrix(c, F32, n, m, ldc))
        return 7;
    handle->stream->push([=] {
        for (size_t j = 0; j < (size_t)n; j++)
            for (size_t i = 0; i < (size_t)m; i++) {
                double sum = 0;
                for (size_t l = 0; l < (size_t)k; l++)
                    sum += (double)element(a, a_type, i * lda + l) * element(b, b_type, j * ldb + l);
                c[j * ldc + i] = (float)sum;
            }
    });
    return 0;
}
