// One row of a weight matrix in each storage type.
//
// `value(i)` reads one number. `fetch(c)` reads a whole chunk with one wide load for each lane, and
// `widen` makes it f32: the numbers of two runs of columns, which begin at `first(c)` and `second(c)`.
// They are apart so that several chunks can be on their way at once. Chunks need rows of whole chunks;
// the backend's buffers begin at multiples of 256 bytes, so each row is aligned then.
//
// `__ldg` reads through the cache for what no kernel writes meanwhile, the only one of Maxwell near a core.
//
// The quantized types do not lie as in the file, where a scale stands before each block and nothing is
// aligned: `upload` puts the integers of all rows first and the scales of all rows behind them.

struct F32 {
    enum { CHUNK = 8 };
    const float *row;
    __device__ F32(const void *weight, size_t r, size_t, unsigned n_columns)
        : row((const float *)weight + r * n_columns) {}
    __device__ float value(unsigned i) const { return row[i]; }
    __device__ static unsigned first(unsigned c) { return 8 * c; }
    __device__ static unsigned second(unsigned c) { return 8 * c + 4; }
    struct Chunk {
        float4 low, high;
    };
    __device__ Chunk fetch(unsigned c) const {
        const float4 *four = (const float4 *)row + 2 * c;
        return {__ldg(four), __ldg(four + 1)};
    }
    __device__ static void widen(const Chunk &c, float *w) {
        w[0] = c.low.x, w[1] = c.low.y, w[2] = c.low.z, w[3] = c.low.w;
        w[4] = c.high.x, w[5] = c.high.y, w[6] = c.high.z, w[7] = c.high.w;
    }
};

// Two bytes a number; `to_float` says what they mean.
template <float to_float(unsigned short)> struct TwoBytes {
    enum { CHUNK = 8 };
    const unsigned short *row;
    __device__ TwoBytes(const void *weight, size_t r, size_t, unsigned n_columns)
        : row((const unsigned short *)weight + r * n_columns) {}
    __device__ float value(unsigned i) const { return to_float(row[i]); }
    __device__ static unsigned first(unsigned c) { return 8 * c; }
    __device__ static unsigned second(unsigned c) { return 8 * c + 4; }
    typedef uint4 Chunk;
    __device__ Chunk fetch(unsigned c) const { return __ldg((const uint4 *)row + c); }
    __device__ static void widen(const Chunk &pairs, float *w) {
        unsigned pair[4] = {pairs.x, pairs.y, pairs.z, pairs.w};
#pragma unroll
        for (unsigned i = 0; i < 4; i++) {
            w[2 * i] = to_float((unsigned short)pair[i]);
            w[2 * i + 1] = to_float((unsigned short)(pair[i] >> 16));
        }
    }
};
typedef TwoBytes<half_to_float> F16;
typedef TwoBytes<bfloat_to_float> BF16;

// value = scale · q, q a signed byte; a scale for each block of 32.
struct Q8_0 {
    enum { CHUNK = 16 };
    const signed char *row;
    const unsigned short *scales;
    __device__ Q8_0(const void *weight, size_t r, size_t n_rows, unsigned n_columns)
        : row((const signed char *)weight + r * n_columns),
          scales((const unsigned short *)((const char *)weight + n_rows * n_columns) + r * (n_columns / 32)) {}
    __device__ float value(unsigned i) const { return half_to_float(scales[i / 32]) * row[i]; }
    __device__ static unsigned first(unsigned c) { return 16 * c; }
    __device__ static unsigned second(unsigned c) { return 16 * c + 8; }
    struct Chunk {
        uint4 fours;
        unsigned short scale;
    };
    __device__ Chunk fetch(unsigned c) const { return {__ldg((const uint4 *)row + c), __ldg(scales + c / 2)}; }
    __device__ static void widen(const Chunk &c, float *w) {
        unsigned four[4] = {c.fours.x, c.fours.y, c.fours.z, c.fours.w};
        float scale = half_to_float(c.scale);
#pragma unroll
        for (unsigned i = 0; i < 16; i++)
            w[i] = scale * (signed char)(four[i / 4] >> (i % 4 * 8));
    }
};

// value = scale · (q - 8), q a nibble. Byte j of a block holds value j below and value j + 16 above, so
// the eight bytes of a chunk are two runs of eight columns, 16 apart.
struct Q4_0 {
    enum { CHUNK = 16 };
    const unsigned char *row;
    const unsigned short *scales;
    __device__ Q4_0(const void *weight, size_t r, size_t n_rows, unsigned n_columns)
        : row((const unsigned char *)weight + r * (n_columns / 2)),
          scales((const unsigned short *)((const char *)weight + n_rows * (n_columns / 2)) + r * (n_columns / 32)) {}
    __device__ float value(unsigned i) const {
        unsigned byte = row[i / 32 * 16 + i % 16];
        int q = i % 32 < 16 ? byte & 15 : byte >> 4;
        return half_to_float(scales[i / 32]) * (q - 8);
    }
    __device__ static unsigned first(unsigned c) { return c / 2 * 32 + c % 2 * 8; }
    __device__ static unsigned second(unsigned c) { return c / 2 * 32 + c % 2 * 8 + 16; }
    struct Chunk {
        uint2 fours;
        unsigned short scale;
    };
    __device__ Chunk fetch(unsigned c) const { return {__ldg((const uint2 *)row + c), __ldg(scales + c / 2)}; }
    __device__ static void widen(const Chunk &c, float *w) {
        unsigned four[2] = {c.fours.x, c.fours.y};
        float scale = half_to_float(c.scale);
#pragma unroll
        for (unsigned i = 0; i < 8; i++) {
            unsigned byte = four[i / 4] >> (i % 4 * 8);
            w[i] = scale * ((int)(byte & 15) - 8);
            w[8 + i] = scale * ((int)(byte >> 4 & 15) - 8);
        }
    }
};
