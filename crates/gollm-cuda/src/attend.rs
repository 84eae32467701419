//! Attention: which of the two kernels, and how its grid is cut.

use gollm_tensor::{CachedAttention, DType, Place, Result, Tensor};

use crate::cuda::Cuda;
use crate::kernel::Kernel;
use crate::memory::{argument, matrix_shape};
use crate::places::{QUERIES, runs, tiles};
use crate::runtime::Argument;

/// Cached positions of a block of `attention_decode`; `POSITIONS` there.
const POSITIONS: usize = 256;

/// Cached positions that `attention_prefill` takes at a time; `KEYS` there.
const KEYS: usize = 32;

/// The largest head that `attention_prefill` has registers for.
const LARGEST_TILED_HEAD: usize = 128;

/// Tokens of an average run from which on tiles are worth their barriers: below, most of a tile's rows
/// would be empty.
const TILED_RUN: usize = 4;

/// The sizes that both kernels need.
struct Sizes {
    n_heads: usize,
    n_kv_heads: usize,
    head_dim: usize,
    context_length: usize,
}

impl Sizes {
    fn new(q: &Tensor, keys: &Tensor, head_dim: usize) -> Self {
        let head = head_dim.max(1);
        Self {
            n_heads: matrix_shape(q).1 / head,
            n_kv_heads: keys.shape()[2] / head,
            head_dim,
            context_length: keys.shape()[1],
        }
    }

    /// Scores are divided by the square root of the head's size.
    fn scale(&self) -> Argument {
        Argument::F32(1.0 / (self.head_dim as f32).sqrt())
    }
}

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
            let as_is = [Argument::Address(0); 4]; // no k, v, cos, sin: nothing is new
            self.attend_by_token(argument(q)?, as_is, cache, places, &sizes, &out)?;
        }
        Ok(out)
    }

    /// Attention of one new token for each of some sequences: rotates, appends and attends in one launch.
    pub(crate) fn attend_new(
        &self,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        cache: &CachedAttention<'_>,
    ) -> Result<Tensor> {
        let out = self.new_result(q, q.shape())?;
        let sizes = Sizes::new(q, cache.keys, cache.head_dim);
        let (cos, sin) = (argument(cache.rope.cos())?, argument(cache.rope.sin())?);
        let new = [argument(k)?, argument(v)?, cos, sin];
        let caches = [&*cache.keys, &*cache.values];
        self.attend_by_token(argument(q)?, new, caches, cache.places, &sizes, &out)?;
        Ok(out)
    }

    /// A block for each token, head and 256 positions. `new` is k, v, cos and sin, or zeros.
    fn attend_by_token(
        &self,
        q: Argument,
        [k, v, cos, sin]: [Argument; 4],
        [keys, values]: [&Tensor; 2],
        places: &[Place],
        sizes: &Sizes,
        out: &Tensor,
    ) -> Result<()> {
        let mut on_device = self.places();
        let last = places.iter().map(|place| place.position).max();
        let n_splits = n_splits(last.unwrap_or(0), sizes.context_length);
        let rows = places.len() * sizes.n_heads;
        let partial = match n_splits {
            1 => None,
            _ => Some(self.take(rows * n_splits * (sizes.head_dim + 2))?),
        };
        let partial = partial.as_ref().map_or(0, |buffer| buffer.address());
        let partial = Argument::Address(partial);
        let (out, head_dim) = (argument(out)?, self.size(sizes.head_dim)?);
        let arguments = [
            q,
            k,
            v,
            cos,
            sin,
            argument(keys)?,
            argument(values)?,
            on_device.write(self, places)?,
            out,
            partial,
            self.size(sizes.n_kv_heads)?,
            head_dim,
            self.size(sizes.context_length)?,
            sizes.scale(),
        ];
        let kernel = match keys.dtype() {
            DType::F16 => Kernel::AttentionDecodeF16,
            _ => Kernel::AttentionDecodeF32,
        };
        let (tokens, heads) = (self.count(places.len())?, self.count(sizes.n_heads)?);
        let splits = self.count(n_splits)?;
        // Query, new key and new value; a weight for each position; a sum for each warp.
        let shared = 3 * sizes.head_dim + POSITIONS + POSITIONS / 32 * sizes.head_dim;
        let shared = self.shared_bytes(shared)?;
        let grid = [tokens, heads, splits];
        self.launch(kernel, grid, POSITIONS as u32, shared, &arguments)?;
        if n_splits == 1 {
            return Ok(());
        }
        let arguments = [partial, out, Argument::U32(splits), head_dim];
        self.launch(
            Kernel::AttentionCombine,
            [tokens, heads, 1],
            64,
            0,
            &arguments,
        )
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
    fn shared_bytes(&self, n: usize) -> Result<u32> {
        let bytes = self.count(n * size_of::<f32>())?;
        if bytes > 48 * 1024 {
            return Err(self.error(format!(
                "attention needs {bytes} bytes of shared memory for heads this large, and 49152 is the \
                 most that every GPU has; use --device cpu for this model"
            )));
        }
        Ok(bytes)
    }
}

/// Whether all tokens are new ones of different sequences, as in a decode step.
pub(crate) fn is_decoding(places: &[Place]) -> bool {
    let mut sequences: Vec<usize> = places.iter().map(|place| place.sequence).collect();
    sequences.sort_unstable();
    !places.is_empty() && sequences.windows(2).all(|pair| pair[0] != pair[1])
}

/// Blocks over the positions up to `last`, which is rounded up to a power of two: so one decode step
/// launches the same grids as the next, but for a few.
fn n_splits(last: usize, context_length: usize) -> usize {
    let rounded = (last + 1).next_power_of_two().max(POSITIONS);
    rounded.min(context_length).div_ceil(POSITIONS).max(1)
}

#[cfg(test)]
mod tests {
    use super::n_splits;

    #[test]
    fn a_grid_changes_only_when_the_context_doubles() {
        let splits = |last| n_splits(last, 2000);
        assert_eq!([0, 255].map(splits), [1, 1]);
        assert_eq!([256, 511].map(splits), [2, 2]);
        assert_eq!([512, 1023].map(splits), [4, 4]);
        // 2,048 positions would be, but the context ends before.
        assert_eq!([1024, 1999].map(splits), [8, 8]);
        assert_eq!(n_splits(5, 100), 1);
    }
}
