//! Writes the files that fuzzing starts from: `cargo run -p gollm-fuzz --example seeds`.
//!
//! Small models in every storage type, with and without a tokenizer, and texts that each reader accepts. Files
//! that fuzzing has found are added to `corpus/` beside them by hand (`make fuzz-corpus`).

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use gollm_chat::{BUILT_IN, ChatTemplate};
use gollm_model::{Config, expected_tensors};
use gollm_tensor::DType;
use gollm_tokenizer::{Pattern, Roles, TextForm, Tokenizer};
use gollm_weights::{
    FolderOptions, GgufMerging, GgufToken, GgufVocabulary, Metadata, ModelFile, OpenOptions,
    Writer, export_folder, export_gguf, quantized_dtype, stored_dtype,
};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

const TINY: &str = "{vocab_size: 4, context_length: 8, emb_dim: 2, n_heads: 1, n_kv_heads: 1,
    hidden_dim: 3, n_layers: 1}";
/// Two heads on one, no tied table, Llama 3's stretching.
const SCALED: &str =
    "{vocab_size: 3, context_length: 8, emb_dim: 2, n_heads: 2, n_kv_heads: 1, head_dim: 16,
    hidden_dim: 2, n_layers: 1, tie_embeddings: false, rope_theta: 500000, rope_scaling: {factor: 8,
    low_freq_factor: 1, high_freq_factor: 4, original_context_length: 8192}}";
/// Rows of 32 for the blocked types, and some that are not.
const BLOCKED: &str =
    "{vocab_size: 2, context_length: 8, emb_dim: 32, n_heads: 2, n_kv_heads: 1, head_dim: 2,
    hidden_dim: 2, n_layers: 1}";
/// One row of 256 in each down projection, for the types with blocks of that length.
const WIDE: &str =
    "{vocab_size: 2, context_length: 4, emb_dim: 1, n_heads: 1, n_kv_heads: 1, head_dim: 2,
    hidden_dim: 256, n_layers: 1}";
/// ggml's codes of the types that become q8_0 here.
const CONVERTED: [u32; 6] = [3, 6, 7, 12, 13, 14];

fn main() -> Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    configs(&folder(&corpus, "config")?)?;
    tokenizers(
        &folder(&corpus, "tokenizer")?,
        &folder(&corpus, "tokenizer_json")?,
    )?;
    fs::write(
        folder(&corpus, "tokenizer_bin")?.join("small"),
        tokenizer_bin()?,
    )?;
    dot_t(&folder(&corpus, "tokenizer_t")?)?;
    models(&folder(&corpus, "gollm_file")?, &folder(&corpus, "gguf")?)?;
    packed(&folder(&corpus, "packed")?)?;
    templates(&folder(&corpus, "template")?)?;
    folders(&folder(&corpus, "folder")?)
}

fn folder(corpus: &Path, target: &str) -> Result<PathBuf> {
    let path = corpus.join(target);
    fs::create_dir_all(&path)?;
    Ok(path)
}

fn configs(folder: &Path) -> Result<()> {
    let json = Config::from_yaml(SCALED)?.to_json()?;
    let texts = [("flow", TINY), ("scaled", SCALED), ("json", &json)];
    for (name, text) in texts {
        fs::write(folder.join(name), text)?;
    }
    let block = Config::from_yaml(TINY)?.to_yaml()?;
    fs::write(
        folder.join("block"),
        format!("---\n{block}training: &a [*a, {{lr: 1e-3}}]\n# end\n"),
    )?;
    Ok(())
}

/// The single bytes, one merge, two marks: as ranks, and with a list of merges.
fn tokenizers(folder: &Path, hugging_face: &Path) -> Result<()> {
    let mut ranks: Vec<Vec<u8>> = (0..=255u8).map(|byte| vec![byte]).collect();
    ranks.extend([b"he".to_vec(), b"the".to_vec()]);
    let special = vec![("<|eot_id|>".to_owned(), 258), ("<s>".to_owned(), 300)];
    for (name, pattern) in [("gpt2", Pattern::Gpt2), ("cl100k", Pattern::Cl100k)] {
        let tokenizer = Tokenizer::new(ranks.clone(), pattern, special.clone())?;
        fs::write(folder.join(name), tokenizer.to_json().to_string())?;
        fs::write(
            folder.join(format!("{name}-merges")),
            merges_json(&tokenizer)?,
        )?;
        write_hugging_face(&tokenizer, &hugging_face.join(name))?;
    }
    let pieces = pieces();
    fs::write(folder.join("pieces"), pieces.to_string())?;
    write_hugging_face(
        &Tokenizer::from_json(&pieces)?,
        &hugging_face.join("pieces"),
    )?;
    remove_large(hugging_face)
}

fn write_hugging_face(tokenizer: &Tokenizer, path: &Path) -> Result<()> {
    let files = tokenizer.to_hf_json(&Roles::default(), None)?;
    let mut value = files.tokenizer;
    value["config"] = files.config;
    Ok(fs::write(path, value.to_string())?)
}

/// A vocabulary of SentencePiece's kind, too small for most texts.
fn pieces() -> serde_json::Value {
    serde_json::json!({
        "kind": "sentencepiece", "version": 1, "special": {"<unk>": 0, "<s>": 1, "</s>": 2},
        "tokens": ["", "", "", "\u{2581}", "a", "b", "ab", "\u{2581}ab"], "unknown": 0,
        "scores": [0.0, 0.0, 0.0, -3.0, -2.0, -2.0, -1.0, -0.5], "first_space": "each_part",
        "strips_first_space": true, "begin": 1, "end": [2],
    })
}

/// A `tokenizer.bin`: three marks, the bytes, and a token that two others make.
fn tokenizer_bin() -> Result<Vec<u8>> {
    let marks = ["<unk>", "\n<s>\n", "\n</s>\n"].map(str::to_owned);
    let bytes = (0..=255u8).map(|byte| format!("<0x{byte:02X}>"));
    let texts = ["a", "b", "ab", " "].map(str::to_owned);
    let mut file = 7u32.to_le_bytes().to_vec();
    for (id, token) in marks.into_iter().chain(bytes).chain(texts).enumerate() {
        file.extend((-(id as f32)).to_le_bytes());
        file.extend((token.len() as u32).to_le_bytes());
        file.extend(token.into_bytes());
    }
    Tokenizer::from_llama2c(&file)?;
    Ok(file)
}

/// distributed-llama's files: a SentencePiece vocabulary, and one of bytes under the marks of each model.
fn dot_t(folder: &Path) -> Result<()> {
    let list = &tokenizer_bin()?[4..];
    write_t(&folder.join("pieces"), &[(1, 263), (3, 1), (4, 2)], list)?;
    for (name, marks) in [
        ("llama3", ["<|begin_of_text|>", "<|eot_id|>", "<think>"]),
        ("qwen2", ["<|endoftext|>", "<|im_start|>", "<tool_call>"]),
        ("deepseek", ["<｜begin▁of▁sentence｜>", "<｜User｜>", "x"]),
    ] {
        let bytes = (0..=255u8).map(|byte| vec![byte]);
        let texts = ["he", "the", "é"].into_iter().chain(marks);
        let tokens = bytes.chain(texts.map(|text| text.as_bytes().to_vec()));
        let mut list = Vec::new();
        for (id, token) in tokens.enumerate() {
            list.extend((-(id as f32)).to_le_bytes());
            list.extend((token.len() as u32).to_le_bytes());
            list.extend(token);
        }
        let pairs = [(1, 262), (3, 259), (4, 260), (10, 0)];
        write_t(&folder.join(name), &pairs, &list)?;
    }
    Ok(())
}

fn write_t(path: &Path, pairs: &[(i32, i32)], list: &[u8]) -> Result<()> {
    let template = b"{{ bos_token }}";
    let all = [(0, 1), (2, 32), (7, template.len() as i32)];
    let all = all.iter().chain(pairs);
    let head = [0x56_7124, 8 + 8 * all.clone().count() as i32];
    let numbers = head
        .into_iter()
        .chain(all.flat_map(|(key, value)| [*key, *value]));
    let mut file: Vec<u8> = numbers.flat_map(i32::to_le_bytes).collect();
    file.extend(template);
    file.extend(list);
    Tokenizer::from_distributed_llama(&file)?;
    Ok(fs::write(path, file)?)
}

/// The same vocabulary in the form that comes out of files of other projects.
fn merges_json(tokenizer: &Tokenizer) -> Result<String> {
    let TextForm { tokens, merges } = tokenizer.text_form().unwrap_or_default();
    let special: std::collections::BTreeMap<_, _> = tokenizer.special_tokens().collect();
    let json = serde_json::json!({
        "kind": "bpe", "version": 2, "pattern": "qwen2", "special": special,
        "tokens": tokens.iter().map(|token| format!("{token}\n")).collect::<String>(),
        "merges": merges.iter().map(|merge| format!("{merge}\n")).collect::<String>(),
        "whole_pieces": true, "begin": 300, "end": [258],
    });
    Tokenizer::from_json(&json)?;
    Ok(json.to_string())
}

fn models(gollm: &Path, gguf: &Path) -> Result<()> {
    for (config, name) in [(TINY, "tiny"), (SCALED, "scaled"), (BLOCKED, "blocked")] {
        // Blocks of 32 fit only one of them; in the others they would become q8_0.
        let is_blocked = |dtype: &DType| dtype.block_len() > 1;
        for dtype in DType::ALL
            .into_iter()
            .filter(|d| name == "blocked" || !is_blocked(d))
        {
            let file = format!("{name}-{}", dtype.name());
            let path = gollm.join(&file);
            write_model(&path, config, dtype)?;
            let model = ModelFile::open(&path, &OpenOptions::default())?;
            let vocabulary = (dtype == DType::F16).then(|| vocabulary(model.config().vocab_size));
            export_gguf(&model, vocabulary.as_ref(), gguf.join(&file))?;
        }
    }
    blocks(gguf)?;
    for folder in [gollm, gguf] {
        remove_large(folder)?;
    }
    Ok(())
}

/// Files whose down projection has each type in turn: fewer bytes are needed than were there.
fn blocks(folder: &Path) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let (source, exported) = (directory.path().join("wide"), directory.path().join("gguf"));
    write_model(&source, WIDE, DType::F16)?;
    export_gguf(
        &ModelFile::open(&source, &OpenOptions::default())?,
        None,
        &exported,
    )?;
    let name = b"blk.0.ffn_down.weight";
    let mut bytes = fs::read(&exported)?;
    let found = bytes.windows(name.len()).position(|window| window == name);
    // Behind the name: the number of dimensions, two of them, the type.
    let at = found.ok_or("no down projection")? + name.len() + 4 + 2 * 8;
    for code in CONVERTED {
        bytes[at..at + 4].copy_from_slice(&code.to_le_bytes());
        ModelFile::from_bytes(bytes.clone().into())?.verify()?;
        fs::write(folder.join(format!("wide-type-{code}")), &bytes)?;
    }
    Ok(())
}

fn write_model(path: &Path, config: &str, dtype: DType) -> Result<()> {
    let config = Config::from_yaml(config)?;
    let mut metadata = Metadata::new(config.clone());
    metadata.chat_template = Some("{{ messages[0].content }}".to_owned());
    metadata.provenance.insert("seed".to_owned(), 1.into());
    let mut writer = Writer::create(path, &metadata)?;
    for tensor in expected_tensors(&config)? {
        let n_elements: usize = tensor.shape.iter().product();
        let values: Vec<f32> = (0..n_elements).map(|i| (i % 7) as f32 - 3.0).collect();
        let dtype = match dtype {
            DType::Q8_0 | DType::Q4_0 => quantized_dtype(&tensor.shape, dtype),
            _ => stored_dtype(&tensor.shape, dtype),
        };
        writer.tensor_f32(&tensor.name, &tensor.shape, dtype, &values)?;
    }
    Ok(writer.finish()?)
}

/// Too few tokens to encode with, and all that the reader of the file looks at.
fn vocabulary(n_ids: usize) -> GgufVocabulary {
    GgufVocabulary {
        tokens: (0..n_ids).map(|id| format!("t{id}")).collect(),
        kinds: (0..n_ids)
            .map(|id| [GgufToken::Control, GgufToken::Normal][id.min(1)])
            .collect(),
        merging: GgufMerging::Merges {
            merges: vec!["t 1".to_owned()],
            pre: "llama-bpe".to_owned(),
        },
        begin: Some(0),
        end: vec![0],
    }
}

/// A fuzzer changes short files most effectively, and the repository stays small.
fn remove_large(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.metadata()?.len() >= 4096 {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// The templates that many models share.
fn templates(folder: &Path) -> Result<()> {
    for name in BUILT_IN {
        let template = ChatTemplate::built_in(name).ok_or("no such template")?;
        fs::write(folder.join(name), template.source())?;
    }
    remove_large(folder)
}

/// The heads of two formats whose tensors have neither names nor places, and data of the length that fits.
fn packed(folder: &Path) -> Result<()> {
    for (name, n_ids) in [("llama2c", 5), ("llama2c-untied", -5)] {
        // Widths, layers, heads, heads of keys, ids, positions.
        let numbers: [i32; 7] = [4, 3, 1, 2, 1, n_ids, 8];
        let head: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
        fs::write(folder.join(name), with_data(head)?)?;
    }
    for (name, kind) in [("m-f32", 0), ("m-f16", 1)] {
        let numbers: [(u32, u32); 11] = [
            (1, 0x00AB_CD00),
            (2, 4),
            (3, 3),
            (4, 1),
            (5, 1),
            (6, 1),
            (9, 2),
            (10, 8),
            (13, kind),
            (19, 2),
            (20, 5),
        ];
        let mut head = 0x0A00_ABCD_u32.to_le_bytes().to_vec();
        head.extend((8 + 8 * numbers.len() as u32).to_le_bytes());
        for (key, value) in numbers {
            head.extend([key, value].iter().flat_map(|n| n.to_le_bytes()));
        }
        fs::write(folder.join(name), with_data(head)?)?;
    }
    remove_large(folder)
}

/// As many zeros behind a head as make it a file.
fn with_data(head: Vec<u8>) -> Result<Vec<u8>> {
    let made = (0..16_384).map(|n| [&head[..], &vec![0; n]].concat());
    let fits = |bytes: &Vec<u8>| ModelFile::from_bytes(bytes.clone().into()).is_ok();
    Ok(made.into_iter().find(fits).ok_or("no length fits")?)
}

/// Folders as one JSON object each: see `src/targets/folder.rs`.
fn folders(folder: &Path) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let scaled = SCALED.replace("tie_embeddings: false, ", "");
    let biased = TINY.replace("n_layers: 1", "n_layers: 1, qkv_bias: true");
    for (name, config) in [("tiny", TINY), ("scaled", &scaled), ("biased", &biased)] {
        let (source, out) = (directory.path().join("source"), directory.path().join(name));
        write_model(&source, config, DType::F16)?;
        let model = ModelFile::open(&source, &OpenOptions::default())?;
        let max_shard_bytes = if name == "tiny" { 16 } else { 1 << 20 };
        let options = FolderOptions {
            max_shard_bytes,
            ..FolderOptions::default()
        };
        export_folder(&model, &out, &options)?;
        fs::write(folder.join(name), packed_folder(&out)?.to_string())?;
    }
    remove_large(folder)
}

fn packed_folder(path: &Path) -> Result<serde_json::Value> {
    let mut files = serde_json::Map::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let bytes = fs::read(entry.path())?;
        let content = if name.ends_with(".safetensors") {
            let length = u64::from_le_bytes(*bytes.first_chunk().ok_or("no length")?) as usize;
            let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length])?;
            serde_json::json!({"header": header, "data": bytes.len() - 8 - length})
        } else {
            serde_json::from_slice(&bytes)
                .unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into())
        };
        files.insert(name, content);
    }
    Ok(files.into())
}
