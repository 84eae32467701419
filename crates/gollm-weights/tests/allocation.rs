//! How much memory a file can make the reader ask for. In a binary of its own, because it counts
//! every allocation of the process; one test, so that nothing else runs meanwhile.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are not marked as tests"
)]

#[path = "../../gollm-fuzz/src/memory.rs"]
#[allow(dead_code, unreachable_pub, reason = "the fuzzer uses more of it")]
mod memory;
#[path = "support/raw_gguf.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod raw_gguf;
mod support;

use gollm_tensor::HostBytes;
use gollm_weights::ModelFile;
use memory::{Counting, Spent, spent_by};
use raw_gguf::{Raw, RawGguf, RawTensor};
use support::bad_files::bad_files;
use support::raw_file::RawFile;
use support::tiny_file;

/// The bound: for each byte of the file …
const FACTOR: usize = 24;
/// … and for any file.
const BASE: usize = 1 << 20;
/// All that may ever be asked for, for each byte of the file: nothing is copied again and again.
const TOTAL_FACTOR: usize = 64;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What it takes to open `bytes` and verify them.
fn spent_by_opening(bytes: HostBytes) -> Spent {
    spent_by(|| ModelFile::from_bytes(bytes).and_then(|file| file.verify())).1
}

/// Files made to cost the most memory for their length.
fn greedy_files() -> Vec<(&'static str, Vec<u8>)> {
    let with_metadata = |metadata: String| {
        let mut file = tiny_file();
        file.metadata = metadata.into_bytes();
        file.build()
    };
    let list = |item: &str| with_metadata(format!("[{}0]", format!("{item},").repeat(400_000)));
    vec![
        ("numbers", list("0")),
        ("empty arrays", list("[]")),
        ("arrays", list("[0]")),
        ("empty objects", list("{}")),
        ("objects", list(r#"{"":0}"#)),
        ("short strings", list(r#""a""#)),
        ("escaped strings", list(r#""\n\n\n\n\n\n""#)),
        (
            "one long string",
            with_metadata(format!(r#"["{}"]"#, "x".repeat(4 << 20))),
        ),
        (
            "one long escaped string",
            with_metadata(format!(r#"["{}"]"#, r"\n".repeat(2 << 20))),
        ),
        ("keys", with_metadata(keys(100_000))),
        ("small file, many layers", many_layers(1000, 11)),
        ("a tensor for each layer", many_layers(1000, 1000)),
        ("the shortest descriptors", many_layers(1, 100_000)),
    ]
}

fn keys(n_keys: usize) -> String {
    let keys: String = (0..n_keys).map(|i| format!(r#""{i:x}":0,"#)).collect();
    format!(r#"{{{keys}"config":0}}"#)
}

/// A config of `n_layers` beside `n_tensors` tensors with short names.
fn many_layers(n_layers: usize, n_tensors: usize) -> Vec<u8> {
    let config = support::tiny_config().to_json().unwrap();
    let config = config.replace("\"n_layers\":1", &format!("\"n_layers\":{n_layers}"));
    let mut file = RawFile::new(&format!(r#"{{"config":{config}}}"#));
    for i in 0..n_tensors {
        file.push(
            &format!("{i:x}"),
            &[1],
            gollm_tensor::DType::F32,
            vec![0; 4],
        );
    }
    file.build()
}

/// A GGUF file with the keys of a model that has `n_heads` heads of two numbers.
fn gguf(n_heads: u32) -> RawGguf {
    let mut file = RawGguf {
        magic: *b"GGUF",
        version: 3,
        n_tensors: None,
        n_values: None,
        values: Vec::new(),
        tensors: Vec::new(),
    };
    file.set("general.architecture", Raw::Text("llama".to_owned()));
    for (key, value) in [
        ("general.alignment", 1),
        ("llama.context_length", 8),
        ("llama.embedding_length", 1),
        ("llama.feed_forward_length", 1),
        ("llama.block_count", 1),
        ("llama.attention.head_count", n_heads),
        ("llama.attention.key_length", 2),
    ] {
        file.set(key, Raw::U32(value));
    }
    file.set("llama.attention.layer_norm_rms_epsilon", Raw::F32(1e-5));
    push(&mut file, "token_embd.weight");
    file
}

/// A tensor of one number.
fn push(file: &mut RawGguf, name: &str) {
    file.tensors.push(RawTensor {
        name: name.to_owned(),
        dims: vec![1],
        code: 0,
        offset: None,
        data: vec![0; 4],
    });
}

/// As [`greedy_files`], in the other format.
fn greedy_gguf_files() -> Vec<(&'static str, Vec<u8>)> {
    let mut projections = gguf(1 << 19);
    for _ in 0..1000 {
        push(&mut projections, "blk.0.attn_q.weight");
    }
    let mut tensors = gguf(1);
    for i in 0..20_000 {
        push(&mut tensors, &format!("{i:x}"));
    }
    let with = |key: &str, value: Raw| {
        let mut file = gguf(1);
        file.set(key, value);
        file.bytes()
    };
    let long_key = "k".repeat(1 << 16);
    let strings = || Raw::Texts(vec![String::new(); 100_000]);
    let bytes = |kind: u32, content: &[u8]| Raw::Bytes(kind, content.to_vec());
    let arrays = |n: u64| {
        let array = [&4u32.to_le_bytes()[..], &0u64.to_le_bytes()].concat();
        let head = [&9u32.to_le_bytes()[..], &n.to_le_bytes()].concat();
        [head, array.repeat(n as usize)].concat()
    };
    let mut keys = gguf(1);
    for i in 0..100_000u32 {
        keys.values.push((format!("{i:x}"), bytes(0, &[0])));
    }
    let mut merges = gguf(1);
    merges.set("tokenizer.ggml.model", Raw::Text("gpt2".to_owned()));
    merges.set("tokenizer.ggml.tokens", Raw::Texts(vec!["a".to_owned()]));
    merges.set(
        "tokenizer.ggml.merges",
        Raw::Texts(vec!["a a".to_owned(); 100_000]),
    );
    vec![
        ("a thousand tensors of a million rows", projections.bytes()),
        ("many tensors", tensors.bytes()),
        ("many strings under a long key", with(&long_key, strings())),
        (
            "arrays in arrays under a long key",
            with(&long_key, bytes(9, &arrays(100_000))),
        ),
        ("many small values", keys.bytes()),
        ("many merges", merges.bytes()),
    ]
}

/// A distributed-llama file whose table fits and whose heads do not.
fn many_heads_without_rows() -> Vec<u8> {
    let numbers: [(u32, u32); 11] = [
        (1, 0x00AB_CD00), // the architecture
        (2, 1),           // the width
        (3, 1),           // the width within
        (4, 1),           // layers
        (5, 1 << 19),     // heads
        (6, 1 << 19),     // heads of keys
        (9, 1),           // ids
        (10, 8),          // positions
        (13, 0),          // f32
        (19, 2),          // numbers of a head
        (20, 5),          // 1e-5
    ];
    let mut bytes = 0x0A00_ABCD_u32.to_le_bytes().to_vec();
    bytes.extend((8 + 8 * numbers.len() as u32).to_le_bytes());
    for (key, value) in numbers {
        bytes.extend(key.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend([0; 4]);
    bytes
}

#[test]
fn no_file_makes_the_reader_ask_for_much_more_than_its_own_size() {
    let bad = bad_files().into_iter().map(|bad| (bad.wrong, bad.bytes));
    let heads = ("heads without rows", many_heads_without_rows());
    let greedy = greedy_files().into_iter().chain(greedy_gguf_files());
    let greedy = greedy.chain([heads]);
    let mut worst = 0.0f64;
    for (name, bytes) in greedy.chain(bad) {
        let n_bytes = bytes.len();
        let Spent { peak, total } = spent_by_opening(HostBytes::from(bytes));
        println!("{name}: {n_bytes} bytes, {peak} at the peak, {total} in all");
        assert!(
            peak <= FACTOR * n_bytes + BASE,
            "{name}: {n_bytes} bytes took {peak}"
        );
        assert!(
            total <= TOTAL_FACTOR * n_bytes + 4 * BASE,
            "{name}: {n_bytes} bytes took {total} in all"
        );
        worst = worst.max(peak.saturating_sub(BASE) as f64 / n_bytes.max(1) as f64);
    }
    println!("at most {worst:.1} bytes for each byte of the file, beyond the first {BASE}");
}
