//! Folders from strangers: each mistake has its message, and none leads out of the folder.

use std::time::{Duration, Instant};

use super::*;

/// The message that a changed folder is refused with, which must come at once.
fn refused(change: impl FnOnce(&mut RawFolder)) -> String {
    let mut folder = f32_folder();
    change(&mut folder);
    let directory = tempfile::tempdir().unwrap();
    folder.write(directory.path());
    refused_path(directory.path())
}

fn refused_path(path: &Path) -> String {
    let started = Instant::now();
    let error = open_path(path).unwrap_err();
    // A few kilobytes are read in well under a millisecond; five seconds allow for a busy machine.
    assert!(started.elapsed() < Duration::from_secs(5), "{error}");
    error.to_string()
}

/// The message for another `config.json`.
fn config_refused(key: &str, value: Value) -> String {
    refused(|folder| folder.config[key] = value)
}

fn assert_holds(message: &str, part: &str) {
    assert!(message.contains(part), "{message}\n  should say: {part}");
}

#[test]
fn arithmetic_that_is_not_ours_is_refused_by_its_key() {
    let rope = |kind: &str| json!({"rope_type": kind, "factor": 2.0});
    let cases = [
        (
            "architectures",
            json!(["GemmaForCausalLM"]),
            "`GemmaForCausalLM`, which is not",
        ),
        (
            "architectures",
            json!(["LlamaForCausalLM", "X"]),
            "lists several",
        ),
        ("architectures", json!([7]), "`architectures`: it lists 7"),
        (
            "architectures",
            json!("LlamaForCausalLM"),
            "expected a list",
        ),
        (
            "model_type",
            json!("mistral"),
            "`model_type`: it is `mistral`, but",
        ),
        ("hidden_act", json!("gelu"), "`hidden_act`: `gelu`"),
        ("attention_bias", json!(true), "`attention_bias`"),
        ("mlp_bias", json!(true), "`mlp_bias`"),
        (
            "mlp_bias",
            json!("no"),
            "`mlp_bias`: it is `no`, expected true or false",
        ),
        (
            "partial_rotary_factor",
            json!(0.5),
            "`partial_rotary_factor`: it is 0.5",
        ),
        (
            "rope_scaling",
            rope("yarn"),
            "`rope_scaling.rope_type`: `yarn`",
        ),
        (
            "rope_scaling",
            json!({"type": "dynamic"}),
            "`rope_scaling.type`: `dynamic`",
        ),
        (
            "rope_scaling",
            rope("linear"),
            "`rope_scaling.rope_type`: `linear`",
        ),
        (
            "rope_scaling",
            rope("llama3"),
            "`rope_scaling.low_freq_factor` is missing",
        ),
        (
            "rope_parameters",
            json!({"rope_theta": 1e4}),
            "elsewhere in the config 500000",
        ),
        (
            "rope_parameters",
            json!({"partial_rotary_factor": 0.25}),
            "it is 0.25",
        ),
        ("sliding_window", json!(0), "it is 0, expected at least 1"),
        (
            "layer_types",
            json!(["sliding_attention"]),
            "`sliding_window` does not say how long",
        ),
        (
            "layer_types",
            json!(["full_attention", "linear_attention"]),
            "`linear_attention` is not computed",
        ),
        (
            "quantization_config",
            json!({"quant_method": "gptq"}),
            "quantized as `gptq`",
        ),
    ];
    for (key, value, expected) in cases {
        let message = config_refused(key, value);
        assert_holds(&message, expected);
        let is_named = message.contains("config.json: ");
        assert!(is_named, "{message}");
    }
}

/// The context that is used, and the one that the folder claims if that is another.
fn contexts(folder: &RawFolder) -> (usize, Option<usize>) {
    let model = open(folder).unwrap();
    (model.config().context_length, model.context_beyond_window())
}

#[test]
fn where_attention_sees_a_window_the_context_is_cut_to_it() {
    let mut folder = f32_folder();
    folder.config["sliding_window"] = 8.into();
    assert_eq!(contexts(&folder), (8, Some(16)));
    folder.config["use_sliding_window"] = false.into();
    assert_eq!(contexts(&folder), (16, None), "a window that is not used");
    folder.config["layer_types"] = json!(["full_attention", "sliding_attention"]);
    assert_eq!(contexts(&folder), (8, Some(16)), "used in one layer");
    folder.config["layer_types"] = json!(["full_attention", "full_attention"]);
    assert_eq!(contexts(&folder), (16, None), "used in no layer");
    folder.config["use_sliding_window"] = true.into();
    for window in [16, 17] {
        folder.config["sliding_window"] = window.into();
        assert_eq!(contexts(&folder), (16, None), "longer than any text");
    }
    // Mistral's config leaves the window out for one of 4096.
    folder.config["model_type"] = "mistral".into();
    folder.config["architectures"] = json!(["MistralForCausalLM"]);
    folder.config["max_position_embeddings"] = 8192.into();
    folder.config["sliding_window"] = Value::Null;
    assert_eq!(contexts(&folder), (8192, None), "told to be none");
    let config = folder.config.as_object_mut().unwrap();
    config.remove("sliding_window");
    assert_eq!(contexts(&folder), (4096, Some(8192)));
}

#[test]
fn sizes_are_sizes() {
    let needed = [
        "hidden_size",
        "intermediate_size",
        "num_hidden_layers",
        "num_attention_heads",
        "vocab_size",
        "max_position_embeddings",
    ];
    for key in needed
        .into_iter()
        .chain(["num_key_value_heads", "head_dim"])
    {
        for bad in [
            json!(-1),
            json!(0),
            json!("6"),
            json!(6.5),
            json!([6]),
            json!({}),
            json!(true),
            json!(1u64 << 62),
            json!(u64::MAX),
            json!((1u64 << 42) + 1),
            json!(1e300),
        ] {
            let message = config_refused(key, bad.clone());
            assert_holds(&message, "config.json");
            assert!(message.len() < 400, "{message}");
        }
    }
    for key in needed {
        assert_holds(
            &config_refused(key, Value::Null),
            &format!("`{key}` is missing"),
        );
    }
    for (key, value) in [("rms_norm_eps", json!(0)), ("rms_norm_eps", json!("1e-5"))] {
        assert_holds(&config_refused(key, value), "config.json");
    }
    // More layers than there are tensors: before anything is made for each of them.
    assert_holds(
        &config_refused("num_hidden_layers", json!(1000)),
        "only 12 tensors",
    );
}

#[test]
fn texts_that_are_no_config_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    f32_folder().write(directory.path());
    let path = directory.path().join("config.json");
    let deep = "[".repeat(100_000);
    let wide = format!("{{\"a\":[{}0]}}", "0,".repeat(400_000));
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(2 << 20));
    let twice = "{\"a\":1,\"a\":1}";
    let cases: [(&[u8], &str); 9] = [
        (b"", "JSON cannot be read: EOF"),
        (b"{}", "`architectures` is missing"),
        (b"[]", "no JSON object"),
        (b"{\"hidden_size\": 1e999}", "JSON cannot be read"),
        (b"{\"a\": \xff}", "not UTF-8 from byte 6"),
        (deep.as_bytes(), "nested deeper"),
        (wide.as_bytes(), "too many small values"),
        (long.as_bytes(), "at most 1048576 are read"),
        (twice.as_bytes(), "given twice"),
    ];
    for (text, expected) in cases {
        fs::write(&path, text).unwrap();
        assert_holds(&refused_path(directory.path()), expected);
    }
    // A hundred megabytes of holes: refused by its length.
    fs::File::create(&path).unwrap().set_len(100 << 20).unwrap();
    assert_holds(&refused_path(directory.path()), "104857600 bytes or more");
    fs::remove_file(&path).unwrap();
    assert_holds(&refused_path(directory.path()), "without a config.json");
}

#[test]
fn a_folder_without_safetensors_files_says_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    f32_folder().write(directory.path());
    fs::remove_file(directory.path().join("model.safetensors")).unwrap();
    assert_holds(
        &refused_path(directory.path()),
        "neither model.safetensors nor",
    );
    for name in ["pytorch_model.bin", "pytorch_model.bin.index.json"] {
        let path = directory.path().join(name);
        fs::write(&path, b"\x80\x02").unwrap();
        let message = refused_path(directory.path());
        assert_holds(&message, "convert the model to safetensors first");
        assert_holds(&message, name);
        fs::remove_file(path).unwrap();
    }
}

/// The message for another index of a folder of two files.
fn index_refused(change: impl FnOnce(&mut Value, &Path)) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model");
    fs::create_dir(&path).unwrap();
    let mut index = f32_folder().write_sharded(&path);
    change(&mut index, &path);
    write_index(&path, &index);
    refused_path(&path)
}

#[test]
fn names_of_an_index_stay_in_the_folder() {
    const FIRST: &str = "model.embed_tokens.weight";
    let outside = [
        "../x",
        "/etc/passwd",
        "..",
        ".",
        "",
        "a/b",
        "a\\b",
        "C:\\x",
        ".hidden",
        "a\u{0}",
    ];
    for name in outside {
        let message = index_refused(|index, _| index["weight_map"][FIRST] = name.into());
        assert_holds(&message, "a file is called");
    }
    let message = index_refused(|index, _| index["weight_map"][FIRST] = "\u{1b}[2J".into());
    assert!(!message.contains('\u{1b}'), "{message:?}");
    let message = index_refused(|index, _| index["weight_map"][FIRST] = 7.into());
    assert_holds(&message, "its file is 7, expected a name");
    let message = index_refused(|index, _| index["weight_map"][FIRST] = "gone.safetensors".into());
    assert_holds(&message, "gone.safetensors: the file is missing");
}

#[cfg(unix)]
#[test]
fn links_stay_in_the_folder_or_in_the_cache_that_it_is_a_view_of() {
    use std::os::unix::fs::symlink;
    const SHARD: &str = "model-00001-of-00002.safetensors";
    // Out of the folder.
    let message = index_refused(|_, path| {
        let elsewhere = path.parent().unwrap().join("elsewhere");
        fs::rename(path.join(SHARD), &elsewhere).unwrap();
        symlink(elsewhere, path.join(SHARD)).unwrap();
    });
    assert_holds(&message, "a link that leads out");
    let message = index_refused(|_, path| {
        fs::remove_file(path.join("config.json")).unwrap();
        symlink("/etc/passwd", path.join("config.json")).unwrap();
    });
    assert_holds(&message, "a link that leads out");
    // As Hugging Face's own cache does.
    let directory = tempfile::tempdir().unwrap();
    let snapshot = directory.path().join("models--a--b/snapshots/0123");
    let blobs = directory.path().join("models--a--b/blobs");
    fs::create_dir_all(&snapshot).unwrap();
    fs::create_dir(&blobs).unwrap();
    f32_folder().write(&snapshot);
    for name in ["config.json", "model.safetensors"] {
        fs::rename(snapshot.join(name), blobs.join(name)).unwrap();
        symlink(format!("../../blobs/{name}"), snapshot.join(name)).unwrap();
    }
    assert!(open_path(&snapshot).is_ok());
    // Newer versions have another link there, to what several repositories share.
    let shared = directory.path().join("blobs/ab");
    fs::create_dir_all(&shared).unwrap();
    fs::rename(blobs.join("model.safetensors"), shared.join("abcd")).unwrap();
    symlink("../../blobs/ab/abcd", blobs.join("model.safetensors")).unwrap();
    assert!(open_path(&snapshot).is_ok());
    // But no further.
    fs::rename(
        blobs.join("config.json"),
        directory.path().join("config.json"),
    )
    .unwrap();
    symlink("../../config.json", blobs.join("config.json")).unwrap();
    assert_holds(&refused_path(&snapshot), "a link that leads out");
}

#[test]
fn an_index_that_lies_is_refused() {
    const FIRST: &str = "model.embed_tokens.weight";
    const OTHER: &str = "model-00002-of-00002.safetensors";
    let message = index_refused(|index, _| index["weight_map"][FIRST] = OTHER.into());
    assert_holds(
        &message,
        "it lies here, but model.safetensors.index.json says in model-00002",
    );
    let message = index_refused(|index, _| {
        index["weight_map"].as_object_mut().unwrap().remove(FIRST);
    });
    assert_holds(&message, "it is not in the list");
    let message = index_refused(|index, _| index["weight_map"]["more"] = OTHER.into());
    assert_holds(&message, "`more`: it is not in model-00002");
    let message = index_refused(|index, _| index["metadata"]["total_size"] = (1u64 << 62).into());
    assert_holds(&message, "`metadata.total_size`");
    let message = index_refused(|index, _| index["metadata"]["total_size"] = (-1).into());
    assert_holds(&message, "`metadata.total_size`");
    let message = index_refused(|index, _| *index = json!({}));
    assert_holds(&message, "`weight_map` is missing");
    let message = index_refused(|index, _| index["weight_map"] = json!([]));
    assert_holds(&message, "it is a list, expected an object");
    let message = index_refused(|index, _| *index = json!({"weight_map": {}}));
    assert_holds(&message, "only 0 tensors");
    // A tensor in both files.
    let message = index_refused(|_, path| {
        let tensors: Vec<RawTensor> = f32_folder().tensors.into_iter().step_by(2).collect();
        let mut more = f32_folder().tensors;
        more.retain(|tensor| tensors.iter().all(|other| other.name != tensor.name));
        more.push(tensors[0].clone());
        fs::write(path.join(OTHER), safetensors(&more)).unwrap();
    });
    assert_holds(&message, "it lies here, but");
}

#[test]
fn tensors_are_exactly_those_of_the_config() {
    let message = refused(|folder| folder.tensors[3].name = "model.other.weight".to_owned());
    assert_holds(
        &message,
        "`model.layers.0.self_attn.k_proj.weight`: it is missing",
    );
    let message = refused(|folder| {
        let mut more = folder.tensors[3].clone();
        more.name = "model.layers.0.self_attn.q_proj.bias".to_owned();
        folder.tensors.push(more);
    });
    assert_holds(
        &message,
        "q_proj.bias`: no model of this config has such a tensor",
    );
    let message = refused(|folder| folder.tensor("lm_head.weight").shape = vec![6, 8]);
    assert_holds(&message, "its shape is [6, 8], expected [8, 6]");
    let message = config_refused("vocab_size", json!(9));
    assert_holds(&message, "expected [9, 6] by config.json");
}

#[test]
fn every_truncation_of_the_weights_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    f32_folder().write(directory.path());
    let path = directory.path().join("model.safetensors");
    let bytes = fs::read(&path).unwrap();
    for length in 0..bytes.len() {
        fs::write(&path, &bytes[..length]).unwrap();
        assert!(open_path(directory.path()).is_err(), "{length}");
    }
}

#[test]
fn files_beside_the_weights_are_checked_as_well() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    f32_folder().write(path);
    let generation = path.join("generation_config.json");
    for bad in [
        r#"{"eos_token_id": -1}"#,
        r#"{"eos_token_id": [1, "2"]}"#,
        "[",
        r#"{"bos_token_id": 4294967296}"#,
    ] {
        fs::write(&generation, bad).unwrap();
        assert_holds(&refused_path(path), "generation_config.json: ");
    }
    fs::remove_file(&generation).unwrap();
    fs::write(
        path.join("tokenizer_config.json"),
        "{\"a\": [[[[[[[[[[[[[[[[[[]]",
    )
    .unwrap();
    assert_holds(&refused_path(path), "nested deeper");
    fs::write(path.join("chat_template.jinja"), b"\xff").unwrap();
    assert_holds(&refused_path(path), "chat_template.jinja: it is not UTF-8");
}
