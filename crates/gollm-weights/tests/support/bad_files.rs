//! Files that no reader may accept, each with the message it must give.

use super::raw_file::{RawFile, RawTensor};
use super::{tiny_config, tiny_file};

/// What is wrong, the file, and the whole message.
pub(crate) struct BadFile {
    pub(crate) wrong: &'static str,
    pub(crate) bytes: Vec<u8>,
    pub(crate) message: String,
}

/// The table: files of another kind, broken headers, descriptors, metadata, and misfits.
pub(crate) fn bad_files() -> Vec<BadFile> {
    let mut table = Vec::new();
    other_kinds(&mut table);
    headers(&mut table);
    lengths(&mut table);
    descriptors(&mut table);
    places(&mut table);
    metadata(&mut table);
    misfits(&mut table);
    damage(&mut table);
    table
}

fn add(table: &mut Vec<BadFile>, wrong: &'static str, bytes: Vec<u8>, message: impl Into<String>) {
    table.push(BadFile {
        wrong,
        bytes,
        message: message.into(),
    });
}

/// Adds the tiny file after `edit`.
fn edited(
    table: &mut Vec<BadFile>,
    wrong: &'static str,
    edit: impl FnOnce(&mut RawFile),
    message: impl Into<String>,
) {
    let mut file = tiny_file();
    edit(&mut file);
    add(table, wrong, file.build(), message);
}

/// Adds the tiny file after `edit` of its second tensor, `blocks.0.attn_norm.weight`, or its third,
/// `blocks.0.attn.q_proj.weight`.
fn tensor(
    table: &mut Vec<BadFile>,
    wrong: &'static str,
    index: usize,
    edit: impl FnOnce(&mut RawTensor),
    message: &str,
) {
    let name = ["tok_emb", "blocks.0.attn_norm", "blocks.0.attn.q_proj"][index];
    let message = format!("tensor {} of 11 (`{name}.weight`): {message}", index + 1);
    edited(table, wrong, |file| edit(&mut file.tensors[index]), message);
}

fn other_kinds(table: &mut Vec<BadFile>) {
    const EXPORT: &str = "write a .gollm file with `python export.py --checkpoint DIR --out FILE`";
    const CONVERT: &str = "it holds another project's model: convert it to .gollm first";
    const UNPACK: &str = "unpack it and give the .gollm file inside";
    const AGAIN: &str = "copy or download the file again, as binary";
    let kinds: [(&'static str, &[u8], &str, &str); 16] = [
        ("text", b"Once upon a time\n", "a text file", EXPORT),
        ("JSON", b"  {\"vocab_size\": 4}", "JSON text", EXPORT),
        (
            "HTML",
            b"\n<!DOCTYPE html><html>Not found</html>",
            "a web page (HTML)",
            "a download probably saved an error or login page: download the file again",
        ),
        ("GGUF", b"GGUF\x03\0\0\0\0\0\0\0", "a GGUF file", CONVERT),
        (
            "safetensors",
            b"\x10\0\0\0\0\0\0\0{\"a\":{}}",
            "a safetensors file",
            CONVERT,
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
            "a llama2.c checkpoint",
            CONVERT,
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

fn headers(table: &mut Vec<BadFile>) {
    let newer = "the file has format version 2.3, this build reads version 1.x; update gollm";
    edited(
        table,
        "newer major version",
        |f| (f.major, f.minor) = (2, 3),
        newer,
    );
    let zero = "the file has format version 0.0, this build reads version 1.x; the file is damaged";
    edited(table, "version zero", |f| f.major = 0, zero);
    for n_bytes in [(64 << 20) + 1, 1 << 62, (1 << 63) - 1, u64::MAX] {
        let message =
            format!("the header claims {n_bytes} bytes of metadata, at most 67108864 are read");
        edited(
            table,
            "absurd metadata length",
            |f| f.metadata_bytes = Some(n_bytes),
            message,
        );
    }
    let descriptors_bytes = tiny_file().head_bytes() - 64 - tiny_file().metadata.len();
    for n_tensors in [0, 2, 10_000, 1 << 42, (1 << 63) - 1, u64::MAX] {
        let message = format!(
            "the header claims {n_tensors} tensors described in {descriptors_bytes} bytes; a \
             descriptor takes 61 bytes or more, and there must be at least one"
        );
        edited(
            table,
            "impossible tensor count",
            |f| f.n_tensors = Some(n_tensors),
            message,
        );
    }
    edited(
        table,
        "descriptors longer than the file",
        |f| (f.descriptors_bytes, f.n_tensors) = (Some(1 << 40), Some(1 << 33)),
        contradiction(1 << 40, None),
    );
    edited(
        table,
        "a sum of lengths that overflows",
        |f| (f.descriptors_bytes, f.n_tensors) = (Some(u64::MAX - 9), Some(1 << 57)),
        contradiction(u64::MAX - 9, None),
    );
    edited(
        table,
        "a file shorter than its own head",
        |f| f.file_bytes = Some(63),
        contradiction(descriptors_bytes as u64, Some(63)),
    );
    let damaged = tiny_file().build();
    edited(
        table,
        "a wrong head checksum",
        |f| f.checksum = Some([0xAB; 16]),
        format!(
            "the header, metadata or descriptors are damaged: their checksum is {}, expected \
             {}; copy or download the file again",
            hex(&damaged[48..64]),
            "ab".repeat(16)
        ),
    );
}

fn contradiction(descriptors_bytes: u64, file_bytes: Option<u64>) -> String {
    let file = tiny_file();
    format!(
        "the header contradicts itself: 64 bytes of header, {} of metadata and \
         {descriptors_bytes} of descriptors in a file of {}",
        file.metadata.len(),
        file_bytes.unwrap_or(file.build().len() as u64)
    )
}

fn lengths(table: &mut Vec<BadFile>) {
    let whole = tiny_file().build();
    let (offsets, needed) = tiny_file().offsets();
    let metadata_bytes = tiny_file().metadata.len();
    let last = offsets[10];
    let cuts: [(&'static str, usize, usize, String); 6] = [
        ("cut in the magic", 5, 8, "the magic bytes".to_owned()),
        ("cut in the header", 63, 64, "the header".to_owned()),
        (
            "cut in the metadata",
            64 + 10,
            needed,
            "the metadata".to_owned(),
        ),
        (
            "cut in the descriptors",
            64 + metadata_bytes,
            needed,
            "the descriptors".to_owned(),
        ),
        (
            "cut before the data",
            offsets[0],
            needed,
            format!(
                "tensor `tok_emb.weight`, which starts at byte {}",
                offsets[0]
            ),
        ),
        (
            "cut in the last byte",
            needed - 1,
            needed,
            format!("tensor `final_norm.weight`, which starts at byte {last}"),
        ),
    ];
    for (wrong, found, needed, cut) in cuts {
        let message = format!(
            "the file is cut short: it needs {needed} bytes and has {found}; the cut is in {cut}; \
             copy or download it again"
        );
        add(table, wrong, whole[..found].to_vec(), message);
    }
    let mut longer = whole.clone();
    longer.extend(b"PK\x03\x04");
    let message = format!(
        "the file has {} bytes, 4 more than its header says",
        needed + 4
    );
    add(table, "bytes after the end", longer, message);
    edited(
        table,
        "bytes that belong to no tensor",
        |f| f.after_data = vec![0; 64],
        format!(
            "the last tensor ends at byte {needed}, but the header says that the file has {}",
            needed + 64
        ),
    );
    edited(
        table,
        "bytes after the descriptors",
        |f| f.after_descriptors = vec![0; 3],
        "3 bytes follow the last of the 11 descriptors, expected none",
    );
}

fn descriptors(table: &mut Vec<BadFile>) {
    let first = "tensor 1 of 11: ";
    edited(
        table,
        "an empty name",
        |f| f.tensors[0].name_bytes = Some(0),
        format!("{first}its name has 0 bytes, expected 1 to 255"),
    );
    edited(
        table,
        "a long name",
        |f| f.tensors[0].name = vec![b'x'; 256],
        format!("{first}its name has 256 bytes, expected 1 to 255"),
    );
    edited(
        table,
        "a name that is not UTF-8",
        |f| f.tensors[0].name = b"tok\xFF".to_vec(),
        format!("{first}its name is not UTF-8"),
    );
    edited(
        table,
        "a name that writes to the terminal",
        |f| f.tensors[0].name = b"\x1B[2Jx".to_vec(),
        "tensor 1 of 11 (`\\u{1b}[2Jx`): its name contains a control character",
    );
    edited(
        table,
        "descriptors that end too early",
        |f| f.tensors[10].name_bytes = Some(80),
        "tensor 11 of 11: the descriptors end in the middle of it",
    );
    let unknown = "storage type code 77 is unknown; known are 0 (f32), 1 (f16), 2 (q4_0), \
                   8 (q8_0), 30 (bf16): the file may need a newer gollm";
    tensor(
        table,
        "an unknown storage type",
        0,
        |t| t.code = 77,
        unknown,
    );
    let message = "it has 0 dimensions, expected 1 to 4";
    tensor(table, "no dimensions", 0, |t| t.rank = Some(0), message);
    let message = "it has 255 dimensions, expected 1 to 4";
    tensor(
        table,
        "too many dimensions",
        0,
        |t| t.rank = Some(255),
        message,
    );
    tensor(
        table,
        "a zero dimension",
        0,
        |t| t.shape = vec![4, 0],
        "dimension 1 is zero",
    );
    for dim in [1 << 62, (1 << 63) - 1, u64::MAX / 4] {
        let message =
            format!("a tensor of shape [{dim}, 8] has more elements than this machine can address");
        tensor(
            table,
            "a product that overflows",
            0,
            |t| t.shape = vec![dim, 8],
            &message,
        );
    }
    let message = "shape [4398046511105, 2] in f16 takes 17592186044420 bytes, but its data has 16";
    tensor(
        table,
        "a huge shape",
        0,
        |t| t.shape = vec![(1 << 42) + 1, 2],
        message,
    );
    let message = "shape [4, 2] in f16 takes 16 bytes, but its data has 15";
    tensor(table, "too few bytes", 0, |t| t.n_bytes = Some(15), message);
    let message = "a row of 2 values cannot be stored as q8_0: it is not a multiple of 32";
    tensor(table, "half a block", 0, |t| t.code = 8, message);
    let message = "it is a vector stored as f16; vectors (the norms' scales) are stored as f32";
    tensor(table, "a norm in f16", 1, |t| t.code = 1, message);
    edited(
        table,
        "a name given twice",
        |f| f.tensors[3].name = f.tensors[4].name.clone(),
        "tensor 5 of 11 (`blocks.0.attn.v_proj.weight`): an earlier tensor has the same name",
    );
}

fn places(table: &mut Vec<BadFile>) {
    let (offsets, end) = tiny_file().offsets();
    let (start, head) = (offsets[0] as u64, tiny_file().head_bytes());
    let message = format!(
        "its data starts at byte {}, which is not a multiple of 64",
        start + 4
    );
    tensor(
        table,
        "a misaligned tensor",
        0,
        |t| t.offset = Some(start + 4),
        &message,
    );
    let overlap = |offset: u64, previous_end: usize| {
        format!(
            "its data starts at byte {offset}, but what comes before it ends at {previous_end}: \
             tensors overlap or are out of order"
        )
    };
    let message = overlap(0, head);
    tensor(
        table,
        "a tensor over the header",
        0,
        |t| t.offset = Some(0),
        &message,
    );
    let message = overlap(start, offsets[0] + 16);
    tensor(
        table,
        "two tensors in one place",
        1,
        |t| t.offset = Some(start),
        &message,
    );
    let message = format!(
        "its data starts at byte {}, expected {}: bytes between tensors belong to nothing",
        offsets[2], offsets[1]
    );
    let third = offsets[2] as u64;
    tensor(
        table,
        "room between tensors",
        1,
        |t| t.offset = Some(third),
        &message,
    );
    for offset in [end as u64 + 64, 1 << 62, u64::MAX - 63] {
        let message = format!(
            "its data (16 bytes from byte {offset}) reaches past the end of the file at {end}"
        );
        tensor(
            table,
            "a tensor past the end",
            0,
            |t| t.offset = Some(offset),
            &message,
        );
    }
}

fn metadata(table: &mut Vec<BadFile>) {
    let cases: [(&'static str, Vec<u8>, &str); 11] = [
        (
            "metadata that is not UTF-8",
            b"{\"a\":\"\xFF\"}".to_vec(),
            "it is not UTF-8 from byte 6 on",
        ),
        (
            "no metadata",
            Vec::new(),
            "its JSON cannot be read: EOF while parsing a value at line 1 column 0",
        ),
        (
            "half an object",
            b"{\"config\":".to_vec(),
            "its JSON cannot be read: EOF while parsing a value at line 1 column 10",
        ),
        (
            "two objects",
            b"{}{}".to_vec(),
            "its JSON cannot be read: trailing characters at line 1 column 3",
        ),
        (
            "an array",
            b"[]".to_vec(),
            "the whole is an array, expected an object",
        ),
        ("no config", b"{}".to_vec(), "key `config` is missing"),
        (
            "a key given twice",
            b"{\"a\":1,\"a\":2}".to_vec(),
            "its JSON cannot be read: key `a` is given twice at line 1 column 10",
        ),
        (
            "deep nesting",
            b"[".repeat(5000),
            "its JSON cannot be read: nested deeper than 16 levels at line 1 column 17",
        ),
        (
            "a list of a million zeros",
            [b"[".to_vec(), b"0,".repeat(1_000_000), b"0]".to_vec()].concat(),
            "its JSON cannot be read: too many small values for the length of the text; store \
             them as one string at line 1 column 672127",
        ),
        (
            "a tokenizer that is text",
            with_key("tokenizer", "\"bpe\""),
            "key `tokenizer` is a string, expected an object",
        ),
        (
            "a template that is a number",
            with_key("chat_template", "7"),
            "key `chat_template` is a number, expected a string",
        ),
    ];
    for (wrong, metadata, message) in cases {
        let message = format!("metadata: {message}");
        edited(table, wrong, |f| f.metadata = metadata, message);
    }
}

/// The tiny file's metadata with one more key.
fn with_key(key: &str, value: &str) -> Vec<u8> {
    let config = tiny_config().to_json().unwrap();
    format!(r#"{{"config":{config},"{key}":{value}}}"#).into_bytes()
}

/// The tiny file's metadata with one value of its config replaced.
fn with_config(from: &str, to: &str) -> Vec<u8> {
    let config = tiny_config().to_json().unwrap();
    assert!(config.contains(from), "{config}");
    format!(r#"{{"config":{}}}"#, config.replace(from, to)).into_bytes()
}

fn misfits(table: &mut Vec<BadFile>) {
    let cases = [
        (
            "a config of zero heads",
            "\"n_heads\":1",
            "\"n_heads\":0",
            "metadata: config: `n_heads` is 0, expected a whole number from 1 to 1048576; a model \
             needs at least one",
        ),
        (
            "a config key of the future",
            "\"n_layers\":1",
            "\"n_layers\":1,\"n_experts\":8",
            "metadata: config: unknown key `n_experts`; remove it (docs of `gollm_model::Config` \
             list every key)",
        ),
        (
            "more layers than tensors",
            "\"n_layers\":1",
            "\"n_layers\":1000",
            "the tensors do not fit the config: the config has 1000 layers, but there are only 11 \
             tensors",
        ),
        (
            "one layer too many",
            "\"n_layers\":1",
            "\"n_layers\":2",
            "the tensors do not fit the config: `blocks.1.attn.k_proj.weight` is missing (9 of 20 \
             are)",
        ),
        (
            "another vocabulary",
            "\"vocab_size\":4",
            "\"vocab_size\":5",
            "the tensors do not fit the config: `tok_emb.weight` has shape [4, 2], expected [5, 2]",
        ),
        (
            "an untied head that is not there",
            "\"tie_embeddings\":true",
            "\"tie_embeddings\":false",
            "the tensors do not fit the config: `out_head.weight` is missing (1 of 12 are)",
        ),
    ];
    for (wrong, from, to, message) in cases {
        edited(
            table,
            wrong,
            |f| f.metadata = with_config(from, to),
            message,
        );
    }
    edited(
        table,
        "a tensor of another model",
        |f| f.tensors[0].name = b"transformer.wte.weight".to_vec(),
        "the tensors do not fit the config: `transformer.wte.weight` does not belong to a model of \
         this config",
    );
    edited(
        table,
        "a transposed matrix",
        |f| f.tensors[7].shape.reverse(),
        "the tensors do not fit the config: `blocks.0.ffn.gate_proj.weight` has shape [2, 3], \
         expected [3, 2]",
    );
}

/// Files that open, and that only `verify` (or opening with `verify: true`) refuses.
fn damage(table: &mut Vec<BadFile>) {
    let (offsets, _) = tiny_file().offsets();
    let mut padding = tiny_file().build();
    padding[offsets[1] - 1] = 7;
    let message = format!(
        "byte {} is padding and should be 0, found 7: the file is damaged",
        offsets[1] - 1
    );
    add(table, "padding that is not zero", padding, message);

    let mut data = tiny_file().build();
    let intact = blake3::hash(&data[offsets[0]..offsets[0] + 16]).to_hex();
    data[offsets[0] + 3] ^= 1;
    let damaged = blake3::hash(&data[offsets[0]..offsets[0] + 16]).to_hex();
    let message = format!(
        "tensor `tok_emb.weight` is damaged (16 bytes from byte {}): its checksum is {damaged}, \
         expected {intact}; copy or download the file again",
        offsets[0]
    );
    add(table, "one changed bit in a tensor", data, message);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
