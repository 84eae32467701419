//! Files that are something else.

use super::{BadFile, add};

pub(super) fn other_kinds(table: &mut Vec<BadFile>) {
    const EXPORT: &str = "write a .gollm file with `python export.py --checkpoint DIR --out FILE`";
    const UNPACK: &str = "unpack it and give the .gollm file inside";
    const AGAIN: &str = "copy or download the file again, as binary";
    let kinds: [(&'static str, &[u8], &str, &str); 15] = [
        ("text", b"Once upon a time\n", "a text file", EXPORT),
        ("JSON", b"  {\"vocab_size\": 4}", "JSON text", EXPORT),
        (
            "HTML",
            b"\n<!DOCTYPE html><html>Not found</html>",
            "a web page (HTML)",
            "a download probably saved an error or login page: download the file again",
        ),
        (
            "safetensors",
            b"\x10\0\0\0\0\0\0\0{\"a\":{}}",
            "a safetensors file",
            "its config.json must lie beside it: give the path of the file or the folder",
        ),
        (
            "zip",
            b"PK\x03\x04\0\0",
            "a zip archive, such as a PyTorch checkpoint",
            EXPORT,
        ),
        (
            "pickle",
            b"\x80\x02}q\0",
            "a Python pickle, such as an old PyTorch checkpoint",
            EXPORT,
        ),
        (
            "gzip",
            b"\x1F\x8B\x08\0\0\0",
            "gzip-compressed data",
            UNPACK,
        ),
        (
            "zstd",
            b"\x28\xB5\x2F\xFD\0",
            "zstd-compressed data",
            UNPACK,
        ),
        (
            "Git LFS pointer",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
            "a Git LFS pointer, not the file itself",
            "fetch the file with `git lfs pull`",
        ),
        (
            "zeros",
            &[0; 100],
            "a file of zeros, such as an unfinished download",
            AGAIN,
        ),
        (
            "line ends rewritten",
            b"\x89GOLLM\n\x01\0\0\0",
            "a .gollm file whose line ends were rewritten as if it were text",
            AGAIN,
        ),
        (
            "seven bits",
            b"\x09GOLLM\r\n\x01\0\0\0",
            "a .gollm file that lost the eighth bit of each byte",
            AGAIN,
        ),
        (
            "re-encoded",
            b"\xEF\xBF\xBDGOLLM\r\n\x01\0",
            "a .gollm file that was re-encoded as UTF-8 text",
            AGAIN,
        ),
        (
            "llama2.c",
            b"24ka\x01\0\0\0",
            "a llama2.c checkpoint of version 1 or 2",
            "only version 0 is read: export the model again with `--version 0`",
        ),
        (
            "noise",
            b"\xDE\xAD\xBE\xEF",
            "binary data of no kind that gollm knows",
            "check the path",
        ),
    ];
    for (wrong, bytes, what, advice) in kinds {
        let message = format!("not a .gollm model file: it looks like {what}; {advice}");
        add(table, wrong, bytes.to_vec(), message);
    }
    add(
        table,
        "empty",
        Vec::new(),
        "the file is empty; expected a .gollm model file",
    );
}
