//! What `bpe.rs` defines, with less work: the same ids, sooner.
//!
//! No page here is needed to understand byte-pair encoding, and none changes an id:
//! `tests/definition.rs` compares all of it with [`crate::bpe`], id for id.
//!
//! | file | what it saves |
//! |---|---|
//! | `pair_counts.rs` | training: counting all pairs again after each merge |
//! | `merge_short.rs` | encoding a short piece: allocations |
//! | `merge.rs` | encoding a long piece: looking at all pairs again after each merge |
//! | `piece_cache.rs` | encoding a word that was encoded a moment ago |
//! | `short_tokens.rs`, `short_key.rs` | finding a token: waiting for memory twice |
//! | `byte_hash.rs` | finding a token: a hash that is slow for a few bytes |

pub(crate) mod byte_hash;
pub(crate) mod merge;
pub(crate) mod merge_short;
pub(crate) mod pair_counts;
pub(crate) mod piece_cache;
mod short_key;
pub(crate) mod short_tokens;
