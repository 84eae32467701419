//! Writes the files that fuzzing starts from: `cargo run -p gollm-fuzz --example seeds`.
//!
//! Small models in every storage type, with and without a tokenizer, and texts that each reader accepts. Files
//! that fuzzing has found are added to `corpus/` beside them by hand (`make fuzz-corpus`).

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use gollm_model::{Config, expected_tensors};
use gollm_tensor::DType;
use gollm_tokenizer::{Pattern, TextForm, Tokenizer};
use gollm_weights::{
    GgufMerging, GgufToken, GgufVocabulary, Metadata, ModelFile, OpenOptions, Writer, export_gguf,
    quantized_dtype, stored_dtype,
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
/// ggml's codes of the types that become f16 here.
const CONVERTED: [u32; 6] = [3, 6, 7, 12, 13, 14];

fn main() -> Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    configs(&folder(&corpus, "config")?)?;
    tokenizers(&folder(&corpus, "tokenizer")?)?;
    models(&folder(&corpus, "gollm_file")?, &folder(&corpus, "gguf")?)
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
fn tokenizers(folder: &Path) -> Result<()> {
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
    }
    Ok(())
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
        // Blocks of 32 fit only one of them; in the others they would become f16.
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
