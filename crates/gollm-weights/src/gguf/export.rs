//! A model of ours as a GGUF file that llama.cpp and what is built on it read.

use std::io::Write;
use std::path::Path;

use gollm_model::{Config, RopeScaling};
use gollm_tensor::{DType, quantize};

use super::architecture::Architecture;
use super::layout::Layout;
use super::layout::write_padding;
use super::scaling;
use super::vocabulary::GgufVocabulary;
use super::write::{Values, head};
use crate::encoder::write_failed;
use crate::error::{Error, Result};
use crate::model_file::ModelFile;
use crate::replacement::Replacement;

/// Writes the model in `source` to a GGUF file (version 3) at `path`, with `vocabulary` if it has one.
///
/// The config decides the architecture: `llama`, or `qwen2`, `qwen3`, `qwen3moe` for models with biases,
/// norms of queries and keys, experts. For `llama`, rows of query and key projections get the order of
/// adjacent pairs, in which llama.cpp turns them there. Every storage type stays what it is, but for the
/// matrix that chooses among experts, which is f32. The file appears whole or not at all.
///
/// # Errors
///
/// If no architecture computes such a model, a tensor cannot be read or the file cannot be written. What was at `path` before is then still
/// there.
pub fn export_gguf(
    source: &ModelFile,
    vocabulary: Option<&GgufVocabulary>,
    path: impl AsRef<Path>,
) -> Result<()> {
    let path = path.as_ref();
    export(source, vocabulary, path).map_err(|error| error.in_file(path))
}

fn export(source: &ModelFile, vocabulary: Option<&GgufVocabulary>, path: &Path) -> Result<()> {
    let mut values = Values::default();
    let name = path.file_stem().and_then(|name| name.to_str());
    let config = source.config();
    let kind = Architecture::of_config(config).map_err(Error::Gguf)?;
    write_config(&mut values, kind, config, name.unwrap_or("model"));
    if let Some(vocabulary) = vocabulary {
        vocabulary.write(&mut values);
    }
    if let Some(template) = source.chat_template() {
        values.string("tokenizer.chat_template", template);
    }
    let layout = Layout::new(source, kind, rope_factors(config)?)?;
    let head = head(&values, &layout.entries());
    let mut file = Replacement::create(path)?;
    let mut sink = file.sink();
    sink.write_all(&head).map_err(write_failed)?;
    write_padding(&mut sink, head.len())?;
    layout.write(&mut sink)?;
    file.finish()
}

/// What each frequency is divided by, as f32, if the config stretches any.
fn rope_factors(config: &Config) -> Result<Option<Vec<u8>>> {
    let factors = |scaling: &RopeScaling| -> Vec<f32> {
        let factors = scaling::expected_factors(scaling, config).into_iter();
        factors.map(|factor| factor as f32).collect()
    };
    let bytes = |factors: Vec<f32>| quantize(&factors, DType::F32);
    let encoded = config.rope_scaling.as_ref().map(factors).map(bytes);
    encoded
        .transpose()
        .map_err(|error| Error::Model(error.into()))
}

/// Sizes fit in 32 bits: a config that passes `validate` has none above 2^24.
fn write_config(values: &mut Values, kind: Architecture, config: &Config, name: &str) {
    values.string("general.architecture", kind.name());
    values.string("general.name", name);
    values.u32("general.file_type", file_type(config.dtype));
    values.u32("general.quantization_version", 2);
    for (key, size) in [
        ("vocab_size", config.vocab_size),
        ("context_length", config.context_length),
        ("embedding_length", config.emb_dim),
        ("block_count", config.n_layers),
        ("feed_forward_length", config.hidden_dim),
        ("attention.head_count", config.n_heads),
        ("attention.head_count_kv", config.n_kv_heads),
        ("attention.key_length", config.head_dim),
        ("attention.value_length", config.head_dim),
        ("rope.dimension_count", config.head_dim),
    ] {
        values.u32(&kind.key(key), size as u32);
    }
    if kind.has_experts() {
        for (key, size) in [
            ("expert_count", config.n_experts),
            ("expert_used_count", config.n_experts_per_token),
            ("expert_feed_forward_length", config.hidden_dim),
        ] {
            values.u32(&kind.key(key), size as u32);
        }
    }
    values.f32(&kind.key("rope.freq_base"), config.rope_theta as f32);
    let key = kind.key("attention.layer_norm_rms_epsilon");
    values.f32(&key, config.norm_eps);
    if let Some(scaling) = &config.rope_scaling {
        let key = kind.key("rope.scaling.original_context_length");
        values.u32(&key, scaling.original_context_length as u32);
    }
}

/// Source: `enum llama_ftype` of llama.cpp's `include/llama.h`.
fn file_type(dtype: DType) -> u32 {
    match dtype {
        DType::F32 => 0,
        DType::F16 => 1,
        DType::Q4_0 => 2,
        DType::Q8_0 => 7,
        DType::BF16 => 32,
    }
}
