//! Places of tokens on the device, and the tiles that a prompt's attention is cut into.
//!
//! Every layer of a step gets the same places, so they are written once and recognized by the other
//! layers. Kernels read them from memory instead of from their arguments: then the launches of one
//! decode step are those of the next, and can be replayed.

use gollm_tensor::{Place, Result};

use crate::cuda::Cuda;
use crate::pool::Buffer;
use crate::runtime::Argument;

/// Query rows of a tile; `QUERIES` in `attention_prefill.cu`.
pub(crate) const QUERIES: usize = 16;

/// What is on the device.
#[derive(Default)]
pub(crate) struct Places {
    places: Written<Place>,
    tiles: Written<[u32; 3]>,
}

/// A list and its copy on the device.
struct Written<T> {
    list: Vec<T>,
    buffer: Option<Buffer>,
}

impl<T> Default for Written<T> {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            buffer: None,
        }
    }
}

impl<T: Clone + PartialEq> Written<T> {
    /// The address of a copy of `list`, which is written if it is not there yet.
    fn write(
        &mut self,
        cuda: &Cuda,
        list: &[T],
        words: impl Fn(&T) -> Result<Vec<u32>>,
    ) -> Result<Argument> {
        let buffer = match self.buffer.take() {
            Some(buffer) if self.list == list => return Ok(self.keep(buffer)),
            old => old,
        };
        let words = list.iter().map(words).collect::<Result<Vec<_>>>()?;
        let bytes: Vec<u8> = words
            .concat()
            .into_iter()
            .flat_map(u32::to_le_bytes)
            .collect();
        // Work that still reads the old list is queued before the write.
        let buffer = match buffer {
            Some(buffer) if buffer.n_bytes() >= bytes.len() => buffer,
            _ => cuda.pool.take(bytes.len())?,
        };
        cuda.queue()?.write(buffer.address(), &bytes)?;
        self.list = list.to_vec();
        Ok(self.keep(buffer))
    }

    fn keep(&mut self, buffer: Buffer) -> Argument {
        let address = Argument::Address(buffer.address());
        self.buffer = Some(buffer);
        address
    }
}

impl Places {
    /// The sequence and position of each token, two `unsigned` each.
    pub(crate) fn write(&mut self, cuda: &Cuda, places: &[Place]) -> Result<Argument> {
        self.places.write(cuda, places, |place| {
            Ok(vec![
                cuda.count(place.sequence)?,
                cuda.count(place.position)?,
            ])
        })
    }

    /// Tiles of query rows: the first token of the run, its length, the first row.
    pub(crate) fn write_tiles(&mut self, cuda: &Cuda, tiles: &[[u32; 3]]) -> Result<Argument> {
        self.tiles.write(cuda, tiles, |tile| Ok(tile.to_vec()))
    }
}

/// How many tokens each run has: rows of one sequence whose positions follow one another.
pub(crate) fn runs(places: &[Place]) -> Vec<usize> {
    let follows = |a: &Place, b: &Place| {
        a.sequence == b.sequence && a.position.checked_add(1) == Some(b.position)
    };
    places.chunk_by(follows).map(<[Place]>::len).collect()
}

/// Cuts runs into tiles of [`QUERIES`] rows, where each token has `ratio` rows: the query heads that
/// share a key/value head.
pub(crate) fn tiles(cuda: &Cuda, runs: &[usize], ratio: usize) -> Result<Vec<[u32; 3]>> {
    let mut tiles = Vec::new();
    let mut first = 0;
    for &n_tokens in runs {
        for row in (0..n_tokens * ratio).step_by(QUERIES) {
            tiles.push([cuda.count(first)?, cuda.count(n_tokens)?, cuda.count(row)?]);
        }
        first += n_tokens;
    }
    Ok(tiles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_where_the_sequence_changes_or_a_position_is_left_out() {
        let places = [
            Place::run(0, 3, 4),
            Place::run(1, 7, 1),
            Place::run(1, 9, 2),
            Place::run(0, 11, 1),
        ]
        .concat();
        assert_eq!(runs(&places), [4, 1, 2, 1]);
        assert!(runs(&[]).is_empty());
    }
}
