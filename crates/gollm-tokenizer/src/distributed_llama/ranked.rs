//! A byte-level vocabulary: ids are in the order of merging, and the special tokens come last.

use super::FILE;
use super::cut::{self, Cut};
use super::head::Head;
use crate::byte_level::ByteLevel;
use crate::little_endian::wrong;
use crate::pair_merges::PairMerges;
use crate::quote::quoted;
use crate::scored_list::ScoredList;
use crate::tokenizer::Method;
use crate::{Result, Tokenizer};

/// The longest ordinary token, in bytes. Those of cl100k, which Llama 3's and Qwen 2's grew from, have up to
/// 128; the bound keeps cutting each token everywhere from being slow for a file that was made to be slow.
const MAX_TOKEN_BYTES: usize = 256;
/// What all ways to cut tokens into two others may take, written out: this many times the bytes of the
/// tokens with their scores and lengths, and [`MORE_BYTES`]. cl100k takes 1.2 times as many, o200k 1.1.
const MAX_FACTOR: usize = 4;
const MORE_BYTES: usize = 64 << 10;

/// Makes the tokenizer. Ids from the first that begins or ends a text on are special.
pub(super) fn tokenizer(list: &ScoredList<'_>, head: &Head) -> Result<Tokenizer> {
    let first = head.ends.iter().fold(head.begin, |a, b| a.min(*b)) as usize;
    let (ordinary, whole) = list.tokens.split_at(first.min(list.tokens.len()));
    check_bytes(ordinary)?;
    check_order(&list.scores[..ordinary.len()])?;
    let ranks: Vec<Vec<u8>> = ordinary.iter().map(|token| token.to_vec()).collect();
    let (special, added) = whole_tokens(whole, head)?;
    let cut = cut::of_marks(&special, &ranks)?;
    let method = Method::ByteLevel(Box::new(merged(ranks, cut)?));
    Tokenizer::of_parts(method, special, added, Some(head.roles()))
}

/// All 256 bytes are ordinary tokens, and no token is too long.
fn check_bytes(ordinary: &[&[u8]]) -> Result<()> {
    let mut is_there = [false; 256];
    for (id, token) in ordinary.iter().enumerate() {
        if let [byte] = token {
            is_there[usize::from(*byte)] = true;
        }
        if token.len() > MAX_TOKEN_BYTES {
            let n_bytes = token.len();
            let problem =
                format!("token {id} has {n_bytes} bytes, expected at most {MAX_TOKEN_BYTES}");
            return Err(wrong(FILE, problem));
        }
    }
    match is_there.iter().position(|is_there| !is_there) {
        None => Ok(()),
        Some(byte) => {
            let problem = format!(
                "it is of neither kind that is read: ids 3 to 258 are not the bytes of a SentencePiece \
                 vocabulary, and byte 0x{byte:02x} is not among the {} tokens before the first that begins \
                 or ends a text, as in a byte-level one whose special tokens come last",
                ordinary.len()
            );
            Err(wrong(FILE, problem))
        }
    }
}

/// The tokens of higher scores are merged first, and ids are taken for that order.
fn check_order(scores: &[f32]) -> Result<()> {
    let mut pairs = scores.windows(2).enumerate();
    let falls = |pair: &[f32]| pair[0].is_finite() && pair[1].is_finite() && pair[0] > pair[1];
    match pairs.find(|(_, pair)| !falls(pair)) {
        None => Ok(()),
        Some((id, pair)) => {
            let problem = format!(
                "the score of token {id} is {} and that of the next {}; expected scores that fall from id to \
                 id, since in a byte-level vocabulary ids are the order of merging",
                pair[0], pair[1]
            );
            Err(wrong(FILE, problem))
        }
    }
}

type Tokens = Vec<(String, u32)>;

/// The tokens behind the ordinary ones: the special ones, and those that anybody may write.
///
/// The file does not tell them apart, their names do: marks are written `<|…|>`, with DeepSeek's wide bars
/// as well, and what is not, such as `<think>`, is text that a model prints. What begins or ends a text is a
/// mark under any name.
fn whole_tokens(whole: &[&[u8]], head: &Head) -> Result<(Tokens, Tokens)> {
    let (mut special, mut added) = (Vec::new(), Vec::new());
    let first = head.n_tokens - whole.len();
    for (id, token) in (first as u32..).zip(whole) {
        let text = std::str::from_utf8(token).map_err(|_| {
            let shown = quoted(&String::from_utf8_lossy(token));
            wrong(FILE, format!("token {id} ({shown}) is not UTF-8"))
        })?;
        let has_role = id == head.begin || head.ends.contains(&id);
        let list = match has_role || is_mark(text) {
            true => &mut special,
            false => &mut added,
        };
        list.push((text.to_owned(), id));
    }
    Ok((special, added))
}

fn is_mark(text: &str) -> bool {
    let inside = |open, close| {
        text.strip_prefix(open)
            .is_some_and(|rest| rest.ends_with(close))
    };
    inside("<|", "|>") || inside("<｜", "｜>")
}

/// Ranks as merges: any two tokens that are together a token are joined, in the order of the ids. That is the
/// form in which it is kept, so that a file made of this one gives the same ids to the letter.
fn merged(ranks: Vec<Vec<u8>>, cut: Cut) -> Result<ByteLevel> {
    let n_bytes: usize = ranks.iter().map(|token| token.len() + 8).sum();
    let mut method = ByteLevel::of_ranks(ranks, cut.pattern)?;
    let most = n_bytes
        .saturating_mul(MAX_FACTOR)
        .saturating_add(MORE_BYTES);
    let mut merges = PairMerges::default();
    let mut n_merged = 0;
    for (left, right, joined) in method.pairs_of_ranks() {
        n_merged += method.vocabulary.bytes(joined).map_or(0, <[u8]>::len);
        if n_merged > most {
            let problem = format!(
                "its tokens can be made of each other in more ways than those of any vocabulary that text was \
                 learned from: written out, more than {most} bytes for tokens of {n_bytes}"
            );
            return Err(wrong(FILE, problem));
        }
        merges.push(left, right, joined);
    }
    method.merges = Some(merges);
    method.composes = cut.composes;
    Ok(method)
}
