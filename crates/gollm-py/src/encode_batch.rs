//! Many texts to ids, on several threads.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use gollm_tokenizer::Tokenizer;

use crate::error::{Failure, Result};

/// Texts taken by a thread at a time: enough that the shared counter costs nothing, few enough that
/// a block of long texts at the end does not keep everybody waiting.
const BLOCK: usize = 16;

/// The ids of all texts in a row, and where each text begins: text `i` has the ids
/// `ids[offsets[i]..offsets[i + 1]]`.
pub(crate) struct Batch {
    pub(crate) ids: Vec<u32>,
    /// One more than there are texts.
    pub(crate) offsets: Vec<u64>,
}

/// The ids of one block of texts.
struct Block {
    index: usize,
    ids: Vec<u32>,
    /// How many ids each text has.
    lengths: Vec<usize>,
}

/// Encodes every text. The result does not depend on the number of threads; `None` is as many as
/// the machine runs at a time.
///
/// # Errors
///
/// If a thread could not be started, or panicked, which would be a mistake in the tokenizer.
pub(crate) fn encode_batch<S: AsRef<str> + Sync>(
    tokenizer: &Tokenizer,
    texts: &[S],
    allow_special: bool,
    threads: Option<NonZeroUsize>,
) -> Result<Batch> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        // Each block goes to the first thread that is free, since texts differ in length.
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(block) = texts.chunks(BLOCK).nth(index) else {
                return done;
            };
            done.push(encode_block(tokenizer, index, block, allow_special));
        }
    };

    let wanted = threads.or_else(|| thread::available_parallelism().ok());
    let n_blocks = texts.len().div_ceil(BLOCK);
    let n_threads = wanted.map_or(1, NonZeroUsize::get).min(n_blocks);
    if n_threads <= 1 {
        return Ok(join(work(), texts.len()));
    }
    let blocks = thread::scope(|scope| {
        let spawn = |_| thread::Builder::new().spawn_scoped(scope, work);
        let threads: Vec<_> = (0..n_threads).map(spawn).collect();
        let mut blocks = Vec::with_capacity(n_blocks);
        for thread in threads {
            let thread = thread
                .map_err(|error| Failure::gollm(format!("cannot start a thread: {error}")))?;
            let done = thread.join();
            blocks.extend(done.map_err(|_| Failure::gollm("a thread of encode_batch panicked"))?);
        }
        Ok::<_, Failure>(blocks)
    })?;
    Ok(join(blocks, texts.len()))
}

fn encode_block<S: AsRef<str>>(
    tokenizer: &Tokenizer,
    index: usize,
    texts: &[S],
    allow_special: bool,
) -> Block {
    let mut ids = Vec::new();
    let mut lengths = Vec::with_capacity(texts.len());
    for text in texts {
        let text = text.as_ref();
        let new = if allow_special {
            tokenizer.encode_with_special(text)
        } else {
            tokenizer.encode(text)
        };
        lengths.push(new.len());
        ids.extend(new);
    }
    Block {
        index,
        ids,
        lengths,
    }
}

/// Puts the blocks back in order.
fn join(mut blocks: Vec<Block>, n_texts: usize) -> Batch {
    blocks.sort_unstable_by_key(|block| block.index);
    let mut ids = Vec::with_capacity(blocks.iter().map(|block| block.ids.len()).sum());
    let mut offsets = Vec::with_capacity(n_texts + 1);
    let mut end = 0;
    offsets.push(end);
    for block in blocks {
        ids.extend(block.ids);
        for length in block.lengths {
            end += length as u64;
            offsets.push(end);
        }
    }
    Batch { ids, offsets }
}
