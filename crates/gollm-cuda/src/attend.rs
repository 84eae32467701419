//! Attention: which kernels, and how the grid of tiles is cut.

use gollm_tensor::{CachedAttention, DType, Place, Result, Tensor};

use crate::cuda::Cuda;
use crate::kernel::Kernel;
use crate::memory::{argument, matrix_shape};
use crate::places::{QUERIES, runs, tiles};
use crate::runtime::Argument;

/// Cached positions that `attention_prefill` takes at a time; `KEYS` there.
const KEYS: usize = 32;

/// The largest head that `attention_prefill` has registers for.
const LARGEST_TILED_HEAD: usize = 128;

/// Tokens of an average run from which on tiles are worth their barriers: below, most of a tile's rows
/// would be empty.
const TILED_RUN: usize = 4;

/// The sizes that both kernels need.
pub(crate) struct Sizes {
    pub(crate) n_heads: usize,
    pub(crate) n_kv_heads: usize,
    pub(crate) head_dim: usize,
    pub(crate) context_length: usize,
}

impl Sizes {
    pub(crate) fn new(q: &Tensor, keys: &Tensor, head_dim: usize) -> Self {
        let head = head_dim.max(1);
        Self {
            n_heads: matrix_shape(q).1 / head,
            n_kv_heads: keys.shape()[2] / head,
            head_dim,
            context_length: keys.shape()[1],
        }
    }

    /// Scores are divided by the square root of the head's size.
    pub(crate) fn scale(&self) -> Argument {
        Argument::F32(1.0 / (self.head_dim as f32).sqrt())
    }
}

/// The most shared memory whose size a launch states. A block has 48 KiB without asking for more, and kernels
/// declare some of it themselves.
pub(crate) const MOST_SHARED_BYTES: u32 = 47 << 10;

impl Cuda {
    /// Attention over a cache that holds the rows of `places` already.
    pub(crate) fn attend(
        &self,
        q: &Tensor,
        [keys, values]: [&Tensor; 2],
        places: &[Place],
        head_dim: usize,
    ) -> Result<Tensor> {
        let out = self.new_result(q, q.shape())?;
        let sizes = Sizes::new(q, keys, head_dim);
        if places.is_empty() || sizes.n_heads == 0 {
            return Ok(out);
        }
        let cache = [keys, values];
        let runs = runs(places);
        if places.len() >= TILED_RUN * runs.len() && head_dim <= LARGEST_TILED_HEAD {
            self.attend_in_tiles(q, cache, places, &runs, &sizes, &out)?;
        } else {
            self.attend_by_token(q, None, cache, places, &sizes, &out)?;
        }
        Ok(out)
    }

    fn attend_in_tiles(
        &self,
        q: &Tensor,
        [keys, values]: [&Tensor; 2],
        places: &[Place],
        runs: &[usize],
        sizes: &Sizes,
        out: &Tensor,
    ) -> Result<()> {
        let mut on_device = self.places();
        let tiles = tiles(self, runs, sizes.n_heads / sizes.n_kv_heads.max(1))?;
        let n_tiles = self.count(tiles.len())?;
        let arguments = [
            argument(q)?,
            argument(keys)?,
            argument(values)?,
            on_device.write(self, places)?,
            on_device.write_tiles(self, &tiles)?,
            argument(out)?,
            self.size(sizes.n_heads)?,
            self.size(sizes.n_kv_heads)?,
            self.size(sizes.head_dim)?,
            self.size(sizes.context_length)?,
            sizes.scale(),
        ];
        let kernel = match keys.dtype() {
            DType::F16 => Kernel::AttentionPrefillF16,
            _ => Kernel::AttentionPrefillF32,
        };
        // Queries, keys (padded), values, weights.
        let head = sizes.head_dim;
        let shared = QUERIES * head + KEYS * (head + 1) + KEYS * head + QUERIES * KEYS;
        let shared = self.shared_bytes(shared)?;
        let grid = [n_tiles, self.count(sizes.n_kv_heads)?, 1];
        self.launch(kernel, grid, 128, shared, &arguments)
    }

    /// Rotates, appends to the cache and attends.
    pub(crate) fn rope_append(
        &self,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        cache: &CachedAttention<'_>,
    ) -> Result<Tensor> {
        let out = self.new_result(q, q.shape())?;
        let mut on_device = self.places();
        let arguments = [
            argument(q)?,
            argument(k)?,
            argument(v)?,
            argument(cache.rope.cos())?,
            argument(cache.rope.sin())?,
            on_device.write(self, cache.places)?,
            argument(&out)?,
            argument(cache.keys)?,
            argument(cache.values)?,
            self.size(matrix_shape(q).1)?,
            self.size(matrix_shape(k).1)?,
            self.size(cache.rope.head_dim() / 2)?,
            self.size(cache.keys.shape()[1])?,
        ];
        let kernel = match cache.keys.dtype() {
            DType::F16 => Kernel::RopeAppendF16,
            _ => Kernel::RopeAppendF32,
        };
        self.launch_rows(kernel, cache.places.len(), &arguments)?;
        Ok(out)
    }

    /// Bytes of shared memory for `n` numbers.
    pub(crate) fn shared_bytes(&self, n: usize) -> Result<u32> {
        let bytes = self.count(n * size_of::<f32>())?;
        if bytes > MOST_SHARED_BYTES {
            return Err(self.error(format!(
                "attention needs {bytes} bytes of shared memory for heads this large, and \
                 {MOST_SHARED_BYTES} is the most that every GPU has for it; use --device cpu for this model"
            )));
        }
        Ok(bytes)
    }
}
