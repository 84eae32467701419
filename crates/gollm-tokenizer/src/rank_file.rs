//! tiktoken's rank file: one token a line, `<base64 of the bytes> <rank>`.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::quote::quoted;
use crate::vocabulary::MAX_VOCAB_SIZE;
use crate::{Error, Result};

/// Writes byte strings as a rank file, in the order of their ranks.
pub(crate) fn format_ranks(ranks: &[Vec<u8>]) -> String {
    let mut text = String::new();
    for (rank, bytes) in ranks.iter().enumerate() {
        STANDARD.encode_string(bytes, &mut text);
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, " {rank}");
    }
    text
}

/// Reads a rank file. The lines may be in any order, but the ranks must be 0, 1, 2 … without a
/// gap, so the number of lines bounds every allocation.
///
/// # Errors
///
/// [`Error::RankLine`] with the line's number for each malformed line, repeated or too large
/// rank. Repeated byte strings and missing single bytes are left to the vocabulary's own check.
pub(crate) fn parse_ranks(text: &str) -> Result<Vec<Vec<u8>>> {
    let n_ranks = text.lines().count();
    if n_ranks > MAX_VOCAB_SIZE {
        return Err(Error::VocabSizeTooLarge {
            vocab_size: n_ranks,
            maximum: MAX_VOCAB_SIZE,
        });
    }
    let mut ranks: Vec<Vec<u8>> = vec![Vec::new(); n_ranks];
    for (line, content) in (1..).zip(text.lines()) {
        let fail = |problem: String| Error::RankLine { line, problem };
        let (bytes, rank) = parse_line(content).map_err(fail)?;
        let Some(slot) = ranks.get_mut(rank) else {
            return Err(fail(format!(
                "rank {rank} is out of range; {n_ranks} lines have the ranks 0 to {}",
                n_ranks - 1
            )));
        };
        if !slot.is_empty() {
            return Err(fail(format!("rank {rank} is there twice")));
        }
        *slot = bytes;
    }
    Ok(ranks)
}

fn parse_line(line: &str) -> Result<(Vec<u8>, usize), String> {
    let (encoded, rank) = line
        .split_once(' ')
        .ok_or_else(|| format!("no space in {}", quoted(line)))?;
    let bytes = STANDARD
        .decode(encoded)
        .map_err(|error| format!("{} is not base64 ({error})", quoted(encoded)))?;
    if bytes.is_empty() {
        return Err("the token has no bytes".to_owned());
    }
    // `parse` alone would also take "+1".
    if rank.is_empty() || !rank.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("{} is not a rank", quoted(rank)));
    }
    let rank = rank
        .parse()
        .map_err(|_| format!("rank {} is too large", quoted(rank)))?;
    Ok((bytes, rank))
}
