//! Attention of single tokens: a block for each token, head and 256 cached positions.

use gollm_tensor::{CachedAttention, DType, Place, Result, Tensor};

use crate::attend::Sizes;
use crate::cuda::Cuda;
use crate::kernel::Kernel;
use crate::memory::argument;
use crate::pool::Buffer;
use crate::runtime::Argument;

/// Cached positions of a block of `attention_decode`; `POSITIONS` there.
const POSITIONS: usize = 256;

/// Nothing: an address that the kernel takes for "there is none".
const NONE: Argument = Argument::Address(0);

/// Rows that are not in the cache yet, and the angles they are rotated by.
#[derive(Clone, Copy)]
pub(crate) struct NewRows<'a> {
    k: &'a Tensor,
    v: &'a Tensor,
    cos: &'a Tensor,
    sin: &'a Tensor,
}

impl NewRows<'_> {
    fn arguments(new: Option<Self>) -> Result<[Argument; 4]> {
        let Some(Self { k, v, cos, sin }) = new else {
            return Ok([NONE; 4]);
        };
        Ok([argument(k)?, argument(v)?, argument(cos)?, argument(sin)?])
    }
}

impl Cuda {
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
        let (cos, sin) = (cache.rope.cos(), cache.rope.sin());
        let new = Some(NewRows { k, v, cos, sin });
        let caches = [&*cache.keys, &*cache.values];
        self.attend_by_token(q, new, caches, cache.places, &sizes, &out)?;
        Ok(out)
    }

    /// Attention of tokens whose rows are in the cache, or are new.
    pub(crate) fn attend_by_token(
        &self,
        q: &Tensor,
        new: Option<NewRows<'_>>,
        [keys, values]: [&Tensor; 2],
        places: &[Place],
        sizes: &Sizes,
        out: &Tensor,
    ) -> Result<()> {
        let mut on_device = self.places();
        let last = places.iter().map(|place| place.position).max();
        let n_splits = n_splits(last.unwrap_or(0), sizes.context_length);
        let rows = [places.len(), sizes.n_heads];
        let unfinished = self.partial(rows, n_splits, sizes.head_dim)?;
        let partial = unfinished.as_ref().map_or(0, Buffer::address);
        let [k, v, cos, sin] = NewRows::arguments(new)?;
        let arguments = [
            argument(q)?,
            k,
            v,
            cos,
            sin,
            argument(keys)?,
            argument(values)?,
            on_device.write(self, places)?,
            argument(out)?,
            Argument::Address(partial),
            self.size(sizes.n_kv_heads)?,
            self.size(sizes.head_dim)?,
            self.size(sizes.context_length)?,
            sizes.scale(),
        ];
        // Query, new key and new value; a weight for each position; a sum for each warp.
        let shared = 3 * sizes.head_dim + POSITIONS + POSITIONS / 32 * sizes.head_dim;
        let shared = self.shared_bytes(shared)?;
        let [tokens, heads] = [self.count(rows[0])?, self.count(rows[1])?];
        let grid = [tokens, heads, self.count(n_splits)?];
        self.launch(kernel_of(keys), grid, POSITIONS as u32, shared, &arguments)?;
        match partial {
            0 => Ok(()),
            partial => self.combine(partial, argument(out)?, grid, sizes.head_dim),
        }
    }

    /// Memory for what the blocks of a long context leave: for each row and split the largest score, the
    /// sum of weights and a sum for each number of the head. None where one block is enough.
    fn partial(
        &self,
        [n_tokens, n_heads]: [usize; 2],
        n_splits: usize,
        head_dim: usize,
    ) -> Result<Option<Buffer>> {
        if n_splits == 1 {
            return Ok(None);
        }
        let shape = [n_tokens, n_heads, n_splits, head_dim + 2];
        let n_bytes = DType::F32.n_bytes(&shape)?;
        self.pool.take(n_bytes).map(Some)
    }

    fn combine(
        &self,
        partial: u64,
        out: Argument,
        [tokens, heads, splits]: [u32; 3],
        head_dim: usize,
    ) -> Result<()> {
        let arguments = [
            Argument::Address(partial),
            out,
            Argument::U32(splits),
            self.size(head_dim)?,
        ];
        let grid = [tokens, heads, 1];
        self.launch(Kernel::AttentionCombine, grid, 64, 0, &arguments)
    }
}

fn kernel_of(cache: &Tensor) -> Kernel {
    match cache.dtype() {
        DType::F16 => Kernel::AttentionDecodeF16,
        _ => Kernel::AttentionDecodeF32,
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
