//! Folders that are written: what is in them, and what is never replaced.

use gollm_weights::{FolderOptions, Metadata, Writer, export_folder};

use super::*;

/// A file of ours with this config, and the numbers of [`values`].
fn own(config: &Config, path: &Path) -> ModelFile {
    let mut writer = Writer::create(path, &Metadata::new(config.clone())).unwrap();
    for (seed, tensor) in gollm_model::expected_tensors(config)
        .unwrap()
        .iter()
        .enumerate()
    {
        let values = values(tensor.shape.iter().product(), seed);
        let dtype = config.dtype;
        writer
            .tensor_f32(&tensor.name, &tensor.shape, dtype, &values)
            .unwrap();
    }
    writer.finish().unwrap();
    open_path(path).unwrap()
}

fn exported(model: &ModelFile, path: &Path) -> Result<ModelFile, String> {
    let written = export_folder(model, path, &FolderOptions::default());
    written.map_err(|error| error.to_string())?;
    Ok(open_path(path).unwrap())
}

/// The names in a folder.
fn names(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn every_kind_of_model_comes_back_as_it_was() {
    const SHAPE: &str = "vocab_size: 8, context_length: 16, emb_dim: 64, n_heads: 2, n_kv_heads: 1, \
                         hidden_dim: 32, n_layers: 2, rope_theta: 500000, norm_eps: 1e-6";
    let scaled = "rope_scaling: {factor: 8, low_freq_factor: 1, high_freq_factor: 4, \
                  original_context_length: 8}";
    for more in [
        "tie_embeddings: false",
        "head_dim: 4, dtype: bf16",
        scaled,
        "qkv_bias: true, dtype: f16",
        "qk_norm: true, head_dim: 8",
        "qk_norm: true, n_experts: 3, n_experts_per_token: 2, norm_topk_prob: true",
    ] {
        let config = Config::from_yaml(&format!("{{{SHAPE}, {more}}}")).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let model = own(&config, &directory.path().join("own.gollm"));
        let back = exported(&model, &directory.path().join("there")).unwrap();
        assert_eq!(*back.config(), config, "{more}");
        for tensor in model.descriptors() {
            let bytes = |file: &ModelFile| file.bytes(&tensor.name).unwrap().as_slice().to_vec();
            assert_eq!(bytes(&back), bytes(&model), "{}", tensor.name);
        }
    }
}

#[test]
fn blocks_become_f16_and_what_no_class_computes_is_refused() {
    let yaml = "{vocab_size: 8, context_length: 16, emb_dim: 64, n_heads: 2, n_kv_heads: 1, \
                 hidden_dim: 32, n_layers: 1, dtype: q8_0}";
    let directory = tempfile::tempdir().unwrap();
    let config = Config::from_yaml(yaml).unwrap();
    let model = own(&config, &directory.path().join("own.gollm"));
    let back = exported(&model, &directory.path().join("there")).unwrap();
    assert_eq!(back.config().dtype, DType::F16);
    let name = "blocks.0.ffn.up_proj.weight";
    // The largest error of half an ulp of f16 below 1, relative to nothing else.
    for (a, b) in f32s(&back, name).iter().zip(f32s(&model, name)) {
        assert!((a - b).abs() <= 0.5 / 1024.0, "{a} {b}");
    }
    let config = Config {
        qkv_bias: true,
        qk_norm: true,
        ..config
    };
    let model = own(&config, &directory.path().join("odd.gollm"));
    let message = exported(&model, &directory.path().join("odd")).unwrap_err();
    assert!(message.contains("no class of transformers"), "{message}");
    assert!(!directory.path().join("odd").exists());
}

#[test]
fn the_folder_holds_what_it_says_and_numbers_lie_where_they_are_aligned() {
    let directory = tempfile::tempdir().unwrap();
    let model = own(&config("f16"), &directory.path().join("own.gollm"));
    let path = directory.path().join("there");
    let options = FolderOptions {
        roles: TokenRoles {
            begin: Some(1),
            end: vec![2, 7],
        },
        files: vec![("tokenizer.json".to_owned(), "{}".to_owned())],
        ..FolderOptions::default()
    };
    export_folder(&model, &path, &options).unwrap();
    let expected = [
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
    ];
    assert_eq!(names(&path), expected);
    assert_eq!(
        names(directory.path()),
        ["own.gollm", "there"],
        "nothing is left over"
    );
    let back = open_path(&path).unwrap();
    assert_eq!(*back.token_roles(), options.roles);
    for tensor in back.descriptors() {
        assert!(
            tensor.offset.is_multiple_of(tensor.dtype.block_bytes()),
            "{}",
            tensor.name
        );
    }
    let bytes = fs::read(path.join("model.safetensors")).unwrap();
    assert!(::safetensors::SafeTensors::deserialize(&bytes).is_ok());
}

#[test]
fn a_large_model_becomes_several_files() {
    let directory = tempfile::tempdir().unwrap();
    let model = own(&config("f32"), &directory.path().join("own.gollm"));
    let path = directory.path().join("there");
    let options = FolderOptions {
        max_shard_bytes: 500,
        ..FolderOptions::default()
    };
    export_folder(&model, &path, &options).unwrap();
    let files = names(&path);
    let shards: Vec<&String> = files
        .iter()
        .filter(|name| name.starts_with("model-"))
        .collect();
    assert!(shards.len() > 2, "{files:?}");
    assert_eq!(
        shards[0],
        &format!("model-00001-of-{:05}.safetensors", shards.len())
    );
    let back = open_path(&path).unwrap();
    assert_eq!(
        f32s(&back, "out_head.weight"),
        f32s(&model, "out_head.weight")
    );
    for name in shards {
        // Eight numbers of 6 are the largest tensor but two; a file is its tensors and a short head.
        assert!(fs::metadata(path.join(name)).unwrap().len() < 1500);
    }
}

#[test]
fn only_a_model_is_ever_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let model = own(&config("f32"), &directory.path().join("own.gollm"));
    let path = directory.path().join("there");
    let forced = FolderOptions {
        force: true,
        ..FolderOptions::default()
    };
    // An empty folder holds nothing to lose.
    fs::create_dir(&path).unwrap();
    exported(&model, &path).unwrap();
    let message = exported(&model, &path).unwrap_err();
    assert!(
        message.contains("--force replaces the model in it"),
        "{message}"
    );
    export_folder(&model, &path, &forced).unwrap();
    fs::write(path.join("thesis.tex"), "years of work").unwrap();
    let message = export_folder(&model, &path, &forced)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("`thesis.tex`, which is no part of a model"),
        "{message}"
    );
    assert_eq!(
        fs::read_to_string(path.join("thesis.tex")).unwrap(),
        "years of work"
    );
    assert_eq!(
        names(directory.path()),
        ["own.gollm", "there"],
        "nothing is left over"
    );
}
