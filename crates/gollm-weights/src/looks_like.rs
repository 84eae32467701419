//! What a file is when it is not a `.gollm` file, so that the message can say what to do.

use crate::error::{Error, Result};
use crate::header::MAGIC;
use crate::hf::header;
use crate::model_file::dot_t::MAGICS;

/// Accepts bytes that start with the magic; otherwise says what they look like.
pub(crate) fn check_magic(bytes: &[u8]) -> Result<()> {
    if bytes.starts_with(&MAGIC) {
        return Ok(());
    }
    if bytes.is_empty() {
        return Err(Error::Empty);
    }
    if MAGIC.starts_with(bytes) {
        return Err(Error::Truncated {
            needed: MAGIC.len() as u64,
            found: bytes.len() as u64,
            cut: "the magic bytes".to_owned(),
        });
    }
    let (what, advice) = guess(bytes);
    Err(Error::NotAModel { what, advice })
}

const EXPORT: &str = "write a .gollm file with `python export.py --checkpoint DIR --out FILE`";
const CONVERT: &str = "it holds another project's model: convert it to .gollm first";
const BESIDE: &str = "its config.json must lie beside it: give the path of the file or the folder";
const VERSION_0: &str = "only version 0 is read: export the model again with `--version 0`";
const MODEL: &str = "give the path of the model (.m); the tokenizer is found beside it";
const UNPACK: &str = "unpack it and give the .gollm file inside";
const AGAIN: &str = "copy or download the file again, as binary";

/// What the first bytes look like, and what to do about it.
fn guess(bytes: &[u8]) -> (&'static str, &'static str) {
    damaged_magic(bytes)
        .or_else(|| known_signature(bytes))
        .or_else(|| header::looks_like(bytes).then_some(("a safetensors file", BESIDE)))
        .or_else(|| text(bytes))
        .unwrap_or(("binary data of no kind that gollm knows", "check the path"))
}

/// A `.gollm` file that went through something that takes it for text.
fn damaged_magic(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let what = if bytes.starts_with(b"\x89GOLLM\n") || bytes.starts_with(b"\x89GOLLM\r\r\n") {
        "a .gollm file whose line ends were rewritten as if it were text"
    } else if bytes.starts_with(b"\x09GOLLM") {
        "a .gollm file that lost the eighth bit of each byte"
    } else if bytes.starts_with(b"\xC2\x89GOLLM") || bytes.starts_with(b"\xEF\xBF\xBDGOLLM") {
        "a .gollm file that was re-encoded as UTF-8 text"
    } else {
        return None;
    };
    Some((what, AGAIN))
}

/// Files that say in their first bytes what they are.
fn known_signature(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    const SIGNATURES: [(&[u8], &str, &str); 20] = [
        (b"tjgg", "a GGML file (older than GGUF)", CONVERT),
        (b"lmgg", "a GGML file (older than GGUF)", CONVERT),
        (b"fmgg", "a GGML file (older than GGUF)", CONVERT),
        (
            b"24ka",
            "a llama2.c checkpoint of version 1 or 2",
            VERSION_0,
        ),
        (&MAGICS[0], "a distributed-llama tokenizer", MODEL),
        (&MAGICS[1], "a distributed-llama tokenizer", MODEL),
        (
            b"PK\x03\x04",
            "a zip archive, such as a PyTorch checkpoint",
            EXPORT,
        ),
        (
            b"\x80\x02",
            "a Python pickle, such as an old PyTorch checkpoint",
            EXPORT,
        ),
        (
            b"\x80\x03",
            "a Python pickle, such as an old PyTorch checkpoint",
            EXPORT,
        ),
        (
            b"\x80\x04",
            "a Python pickle, such as an old PyTorch checkpoint",
            EXPORT,
        ),
        (
            b"\x80\x05",
            "a Python pickle, such as an old PyTorch checkpoint",
            EXPORT,
        ),
        (b"\x93NUMPY", "a NumPy array", EXPORT),
        (b"\x89HDF\r\n\x1A\n", "an HDF5 file", CONVERT),
        (b"\x1F\x8B", "gzip-compressed data", UNPACK),
        (b"\x28\xB5\x2F\xFD", "zstd-compressed data", UNPACK),
        (b"\xFD7zXZ\x00", "xz-compressed data", UNPACK),
        (b"BZh", "bzip2-compressed data", UNPACK),
        (b"7z\xBC\xAF\x27\x1C", "a 7z archive", UNPACK),
        (b"\x7FELF", "a program (ELF)", "check the path"),
        (
            b"version https://git-lfs.github.com/spec/",
            "a Git LFS pointer, not the file itself",
            "fetch the file with `git lfs pull`",
        ),
    ];
    SIGNATURES
        .iter()
        .find(|(signature, ..)| bytes.starts_with(signature))
        .map(|(_, what, advice)| (*what, *advice))
}

/// Text of some kind, or a file that was never filled.
fn text(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let start = &bytes[..bytes.len().min(256)];
    if start.iter().all(|byte| *byte == 0) {
        return Some(("a file of zeros, such as an unfinished download", AGAIN));
    }
    let is_text = |byte: &u8| !matches!(byte, 0..=8 | 14..=26 | 28..=31 | 127);
    // The 256 bytes may end inside a character; anything else that is not UTF-8 is not text.
    let is_utf8 = std::str::from_utf8(start).map_or_else(|e| e.error_len().is_none(), |_| true);
    if !is_utf8 || !start.iter().all(is_text) {
        return None;
    }
    let words = start.trim_ascii_start();
    let starts_with = |tag: &[u8]| {
        words
            .get(..tag.len())
            .is_some_and(|w| w.eq_ignore_ascii_case(tag))
    };
    if starts_with(b"<!doctype") || starts_with(b"<html") {
        let advice = "a download probably saved an error or login page: download the file again";
        return Some(("a web page (HTML)", advice));
    }
    if words.starts_with(b"{") || words.starts_with(b"[") {
        return Some(("JSON text", EXPORT));
    }
    Some(("a text file", EXPORT))
}
