//! Small files that ask for much: a message and an exit code within 512 MiB of address space, no abort.

use std::process::{Command, Stdio};

use gollm_model::Config;
use gollm_tensor::DType;
use gollm_weights::{Metadata, Writer};

use crate::support::{Files, gollm, tokenizer};

#[path = "../../../gollm-weights/tests/support/raw_gguf.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod raw_gguf;

use raw_gguf::{Raw, RawGguf, RawTensor};

/// In KiB, as the shell takes it.
const LIMIT: u32 = 512 << 10;

/// Runs the binary under the limit; the code is `None` where a signal ended it, as an abort does.
fn limited(limit: u32, args: &[&str]) -> (Option<i32>, String) {
    let binary = gollm();
    let output = Command::new("sh")
        .arg("-c")
        .arg(format!("ulimit -v {limit} && exec \"$0\" \"$@\""))
        .arg(binary.get_program())
        .args(args)
        .env_clear()
        // Each thread takes megabytes of address space for its stack, used or not.
        .env("GOLLM_THREADS", "2")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[track_caller]
fn refused(what: &str, args: &[&str], expected: i32) {
    let (code, stderr) = limited(LIMIT, args);
    assert_eq!(code, Some(expected), "{what}, {args:?}: {stderr}");
    let is_said = stderr.lines().any(|line| line.starts_with("error: "));
    assert!(is_said, "{what}, {args:?}: {stderr}");
    assert!(!stderr.contains("panicked"), "{what}, {args:?}: {stderr}");
}

/// A GGUF file that claims a model and holds one number.
fn gguf() -> RawGguf {
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
        ("llama.context_length", 8),
        ("llama.embedding_length", 1),
        ("llama.feed_forward_length", 1),
        ("llama.block_count", 1),
        ("llama.attention.head_count", 1 << 19),
        ("llama.attention.key_length", 2),
    ] {
        file.set(key, Raw::U32(value));
    }
    file.set("llama.attention.layer_norm_rms_epsilon", Raw::F32(1e-5));
    push(&mut file, "token_embd.weight", &[1]);
    file
}

fn push(file: &mut RawGguf, name: &str, dims: &[u64]) {
    file.tensors.push(RawTensor {
        name: name.to_owned(),
        dims: dims.to_vec(),
        code: 0,
        offset: None,
        data: vec![0; 4],
    });
}

/// Lying GGUF files: counts, lengths and products near the ends of the number line.
fn lying_gguf() -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut add = |what: String, change: &dyn Fn(&mut RawGguf)| {
        let mut file = gguf();
        change(&mut file);
        files.push((what, file.bytes()));
    };
    for n in [
        (1 << 42) + 1,
        1 << 62,
        (1 << 63) - 1,
        u64::MAX / 4,
        u64::MAX,
    ] {
        add(format!("{n} tensors"), &|f| f.n_tensors = Some(n));
        add(format!("{n} values"), &|f| f.n_values = Some(n));
        add(format!("a dimension of {n}"), &|f| push(f, "x", &[n]));
        add(format!("two dimensions of {n}"), &|f| push(f, "x", &[n, n]));
        let length = n.to_le_bytes().to_vec();
        add(format!("a string of {n} bytes"), &|f| {
            f.set("zz", Raw::Bytes(8, length.clone()));
        });
        for element in [0u32, 8, 9, 12] {
            let array = [&element.to_le_bytes()[..], &length].concat();
            add(format!("an array of {n} of kind {element}"), &|f| {
                f.set("zz", Raw::Bytes(9, array.clone()));
            });
        }
    }
    add("a thousand tensors of a million rows".to_owned(), &|f| {
        for _ in 0..1000 {
            push(f, "blk.0.attn_q.weight", &[1]);
        }
    });
    add("arrays 5,000 deep".to_owned(), &|f| {
        let level = [&9u32.to_le_bytes()[..], &1u64.to_le_bytes()].concat();
        f.set("zz", Raw::Bytes(9, level.repeat(5000)));
    });
    files
}

/// A `.gollm` header of true form whose numbers, at these places, are lies.
fn lying_gollm() -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for n in [
        64 << 20,
        1 << 42,
        1 << 62,
        (1 << 63) - 1,
        u64::MAX / 4,
        u64::MAX,
    ] {
        for at in [16, 24, 32, 40] {
            let mut bytes = b"\x89GOLLM\r\n\x01\0\0\0\0\0\0\0".to_vec();
            bytes.resize(64, 0);
            bytes[at..at + 8].copy_from_slice(&n.to_le_bytes());
            files.push((format!("{n} at byte {at}"), bytes));
        }
    }
    files
}

#[test]
fn a_small_file_that_asks_for_much_is_refused_by_every_command_that_opens_it() {
    let files = Files::new();
    let out = files.path("out.gguf");
    for (what, bytes) in lying_gguf().into_iter().chain(lying_gollm()) {
        let model = files.write("model", bytes);
        refused(&what, &["inspect", &model], 3);
        // The other commands open files with the same code; a few show that it is so.
        if what.ends_with("rows") || what.contains(&u64::MAX.to_string()) {
            refused(&what, &["verify", &model], 3);
            refused(&what, &["convert", &model, &out], 3);
            refused(&what, &["quantize", &model, &out, "--type", "q8_0"], 3);
            refused(&what, &["generate", "-m", &model, "Once"], 3);
            refused(&what, &["generate", "--no-mmap", "-m", &model, "Once"], 3);
            refused(&what, &["tokenize", "-m", &model, "Once"], 3);
        }
    }
}

#[test]
fn a_true_file_of_a_model_that_does_not_fit_is_a_message_about_memory() {
    let files = Files::new();
    // A table of cosines of 128 MiB, which does not fit beside the program; a cache of 2 GiB.
    let table = "n_heads: 1, n_kv_heads: 1, head_dim: 4, context_length: 16777216";
    let cache = "n_heads: 256, n_kv_heads: 256, head_dim: 2, context_length: 1048576";
    for (what, limit) in [(table, 160 << 10), (cache, LIMIT)] {
        let config = format!("{{vocab_size: 300, emb_dim: 4, hidden_dim: 4, n_layers: 1, {what}}}");
        let model = files.model_of(&config, Some(&tokenizer(300)));
        for device in ["cpu", "reference"] {
            let args = [
                "generate", "-c", "0", "--device", device, "-m", &model, "Once",
            ];
            let (code, stderr) = limited(limit, &args);
            assert_eq!(code, Some(4), "{config}: {stderr}");
            assert!(stderr.contains("no memory for "), "{config}: {stderr}");
        }
    }
}

#[test]
fn hostile_configs_and_tokenizers_are_refused() {
    let files = Files::new();
    let bomb: String = (0..64)
        .map(|i| {
            format!(
                "k{}: &k{} [{}]\n",
                i + 1,
                i + 1,
                format!("*k{i},").repeat(9)
            )
        })
        .collect();
    let texts = [
        ("aliases of aliases", format!("k0: &k0 [x]\n{bomb}")),
        ("lists 100,000 deep", "[".repeat(100_000)),
        ("objects 100,000 deep", "{\"a\":".repeat(100_000)),
        ("a long line", "a".repeat(1 << 20)),
        ("a hundred thousand line ends", "\n".repeat(100_000)),
    ];
    let metadata = r#"{"version": 1, "pattern": "gpt2", "special_tokens": {}}"#;
    files.write("text.json", metadata);
    for (what, text) in &texts {
        let path = files.write("text", text);
        refused(what, &["params", &path], 3);
        refused(what, &["tokenize", "--tokenizer", &path, "x"], 3);
    }
    for ranks in [
        "AA== 18446744073709551615",
        "AA== 99999999999999999999",
        "AA== 4294967296",
    ] {
        let path = files.write("ranks", ranks);
        files.write(
            "ranks.json",
            r#"{"version": 1, "pattern": "gpt2", "special_tokens": {}}"#,
        );
        refused(ranks, &["tokenize", "--tokenizer", &path, "x"], 3);
    }
}

#[test]
fn the_limit_is_enough_for_a_model_that_fits() {
    let files = Files::new();
    let path = files.path("small.gollm");
    let config = "{vocab_size: 300, context_length: 8, emb_dim: 2, n_heads: 1, n_kv_heads: 1,
        hidden_dim: 3, n_layers: 1}";
    let config = Config::from_yaml(config).unwrap();
    let mut writer = Writer::create(&path, &Metadata::new(config.clone())).unwrap();
    for tensor in gollm_model::expected_tensors(&config).unwrap() {
        let values = vec![0.5; tensor.shape.iter().product()];
        writer
            .tensor_f32(&tensor.name, &tensor.shape, DType::F32, &values)
            .unwrap();
    }
    writer.finish().unwrap();
    let (code, stderr) = limited(LIMIT, &["verify", &path]);
    assert_eq!(code, Some(0), "{stderr}");
}
