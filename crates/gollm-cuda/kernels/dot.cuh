// A warp multiplies some rows of weights with some tokens: the inner loop of decoding.
//
// Decoding reads every weight once and does little with it, so what counts is to keep memory busy: each
// lane asks for several chunks of 8 to 32 bytes before it uses the first one, and each weight serves all
// tokens while it is in a register.
//
// RMSNorm is fused: Σ w·(x·r·g) = r · Σ w·x·g with r = 1/rms(x), and the warp passes over x anyway, so it
// sums the squares on the way. `gain` is g; null where nothing is to be normalized.
//
// `BLOCK` says how activations are read (`block.cuh`).

template <class W, unsigned ROWS, unsigned TOKENS, class BLOCK> struct Dot {
    // Chunks of each row on their way at once. Tokens take registers too.
    enum { AHEAD = TOKENS == 1 ? 4 : 2 };
    float sums[ROWS][TOKENS];
    float squares[TOKENS];

    // Chunk c of each row.
    __device__ __forceinline__ void use(const typename W::Chunk *chunks, unsigned c, const float *x,
                                        const float *gain, unsigned n_in, unsigned n_tokens) {
        float w[ROWS * W::CHUNK];
#pragma unroll
        for (unsigned r = 0; r < ROWS; r++)
            W::widen(chunks[r], w + r * W::CHUNK);
        run<W::CHUNK / 2>(x, gain, W::first(c), w, W::CHUNK, n_in, n_tokens);
        run<W::CHUNK / 2>(x, gain, W::second(c), w + W::CHUNK / 2, W::CHUNK, n_in, n_tokens);
    }

    // n columns that begin at `column`, for all tokens. `w` holds them for each row, `stride` apart.
    template <unsigned N>
    __device__ __forceinline__ void run(const float *x, const float *gain, unsigned column, const float *w,
                                        unsigned stride, unsigned n_in, unsigned n_tokens) {
        float g[N];
        if (gain) {
            read<N, Launched>(gain + column, g); // a weight: no kernel writes it
        } else {
#pragma unroll
            for (unsigned i = 0; i < N; i++)
                g[i] = 1.0f;
        }
#pragma unroll
        for (unsigned t = 0; t < TOKENS; t++) {
            if (t >= n_tokens)
                break;
            float v[N];
            read<N, BLOCK>(x + (size_t)t * n_in + column, v);
#pragma unroll
            for (unsigned i = 0; i < N; i++) {
                squares[t] = fmaf(v[i], v[i], squares[t]);
                v[i] *= g[i];
            }
#pragma unroll
            for (unsigned r = 0; r < ROWS; r++)
#pragma unroll
                for (unsigned i = 0; i < N; i++)
                    sums[r][t] = fmaf(w[r * stride + i], v[i], sums[r][t]);
        }
    }

    // Runs of more than one number are aligned and a multiple of four.
    template <unsigned N, class READER> __device__ __forceinline__ static void read(const float *x, float *v) {
        if (N == 1) {
            v[0] = READER::read(x);
            return;
        }
#pragma unroll
        for (unsigned i = 0; i < N / 4; i++) {
            float4 four = READER::read((const float4 *)x + i);
            v[4 * i] = four.x, v[4 * i + 1] = four.y, v[4 * i + 2] = four.z, v[4 * i + 3] = four.w;
        }
    }

    // Leaves in `sums[r][t]` the product of row r and token t, in every lane.
    __device__ __forceinline__ void multiply(const W *rows, const float *x, const float *gain, float eps,
                                             unsigned n_in, unsigned n_tokens) {
        unsigned lane = threadIdx.x % LANES;
#pragma unroll
        for (unsigned t = 0; t < TOKENS; t++) {
            squares[t] = 0.0f;
#pragma unroll
            for (unsigned r = 0; r < ROWS; r++)
                sums[r][t] = 0.0f;
        }
        if (n_in % W::CHUNK == 0) {
            unsigned n_chunks = n_in / W::CHUNK;
#pragma unroll 1
            for (unsigned c = lane; c < n_chunks; c += AHEAD * LANES) {
                typename W::Chunk chunks[AHEAD][ROWS];
#pragma unroll
                for (unsigned a = 0; a < AHEAD; a++)
                    if (c + a * LANES < n_chunks)
#pragma unroll
                        for (unsigned r = 0; r < ROWS; r++)
                            chunks[a][r] = rows[r].fetch(c + a * LANES);
#pragma unroll
                for (unsigned a = 0; a < AHEAD; a++)
                    if (c + a * LANES < n_chunks)
                        use(chunks[a], c + a * LANES, x, gain, n_in, n_tokens);
            }
        } else {
#pragma unroll 1
            for (unsigned i = lane; i < n_in; i += LANES) {
                float w[ROWS];
#pragma unroll
                for (unsigned r = 0; r < ROWS; r++)
                    w[r] = rows[r].value(i);
                run<1>(x, gain, i, w, 1, n_in, n_tokens);
            }
        }
#pragma unroll
        for (unsigned t = 0; t < TOKENS; t++) {
            float scale = gain ? rsqrtf(warp_sum(squares[t]) / n_in + eps) : 1.0f;
#pragma unroll
            for (unsigned r = 0; r < ROWS; r++)
                sums[r][t] = scale * warp_sum(sums[r][t]);
        }
    }
};
