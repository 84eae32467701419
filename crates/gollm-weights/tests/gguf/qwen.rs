//! Architectures `qwen2`, `qwen3` and `qwen3moe`: there and back, and what is refused.

use super::*;

const BIAS: &str = "qkv_bias: true";
const NORM: &str = "qk_norm: true";
const EXPERTS: &str = "qk_norm: true, n_experts: 3, n_experts_per_token: 2, norm_topk_prob: true";

fn config_with(options: &str) -> Config {
    Config::from_yaml(&format!(
        "{{vocab_size: 8, context_length: 16, emb_dim: 32, n_heads: 2, n_kv_heads: 1, head_dim: 32,
           hidden_dim: 64, n_layers: 2, norm_eps: 1.0e-6, {options}}}"
    ))
    .unwrap()
}

#[test]
fn each_comes_back_the_same_in_every_type() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("there.gguf");
    for (options, architecture) in [(BIAS, "qwen2"), (NORM, "qwen3"), (EXPERTS, "qwen3moe")] {
        for dtype in DType::ALL {
            let config = Config {
                dtype,
                ..config_with(options)
            };
            let own = own_file(directory.path(), &config);
            export_gguf(&own, None, &path).unwrap();
            let back = ModelFile::open(&path, &OpenOptions::default()).unwrap();
            assert_eq!(*back.config(), config);
            let from = &back.provenance()["imported_from"];
            assert_eq!(from["architecture"], architecture);
            assert_eq!(back.descriptors().len(), own.descriptors().len());
            for tensor in own.descriptors() {
                let there = back.tensor(&tensor.name).unwrap();
                let here = own.tensor(&tensor.name).unwrap();
                assert_eq!((there.dtype, &there.shape), (here.dtype, &here.shape));
                let same = there.bytes.as_slice() == here.bytes.as_slice();
                assert!(same, "{} {dtype}", tensor.name);
            }
        }
    }
}

#[test]
fn a_model_that_no_architecture_computes_is_not_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("there.gguf");
    for (options, named) in [
        (
            "qkv_bias: true, qk_norm: true",
            "qkv_bias: true, qk_norm: true, no experts",
        ),
        (
            "n_experts: 2, n_experts_per_token: 1, norm_topk_prob: true",
            "qk_norm: false, experts",
        ),
        (
            "qk_norm: true, n_experts: 2, n_experts_per_token: 1",
            "norm_topk_prob: false",
        ),
    ] {
        let own = own_file(directory.path(), &config_with(options));
        let message = export_gguf(&own, None, &path).unwrap_err().to_string();
        assert!(
            message.contains("no architecture of GGUF files"),
            "{message}"
        );
        assert!(message.contains(named), "{message}");
        assert!(!path.exists());
    }
}

/// The valid file of the config with experts, made without this crate's writer.
fn experts_file() -> RawGguf {
    let mut file = f32_file();
    let llama: Vec<(String, Raw)> = std::mem::take(&mut file.values);
    file.values = llama
        .into_iter()
        .map(|(key, value)| (key.replace("llama.", "qwen3moe."), value))
        .collect();
    file.set("general.architecture", Raw::Text("qwen3moe".to_owned()));
    file.set("qwen3moe.expert_count", Raw::U32(3));
    file.set("qwen3moe.expert_used_count", Raw::U32(2));
    file.set("qwen3moe.expert_feed_forward_length", Raw::U32(64));
    file.tensors.retain(|tensor| !tensor.name.contains("ffn_"));
    for (seed, (name, shape)) in [
        ("attn_q_norm", vec![4]),
        ("attn_k_norm", vec![4]),
        ("ffn_norm", vec![32]),
        ("ffn_gate_inp", vec![3, 32]),
        ("ffn_gate_exps", vec![3, 64, 32]),
        ("ffn_up_exps", vec![3, 64, 32]),
        ("ffn_down_exps", vec![3, 32, 64]),
    ]
    .into_iter()
    .enumerate()
    {
        file.tensors.push(RawTensor {
            name: format!("blk.0.{name}.weight"),
            dims: shape.iter().rev().map(|dim| *dim as u64).collect(),
            code: 0,
            offset: None,
            data: quantize(&values(shape.iter().product(), 100 + seed), DType::F32).unwrap(),
        });
    }
    file
}

#[test]
fn experts_are_parts_of_one_tensor_and_lie_where_they_lay() {
    let model = open(&experts_file()).unwrap();
    let config = model.config();
    assert_eq!((config.n_experts, config.n_experts_per_token), (3, 2));
    assert!(config.norm_topk_prob && config.qk_norm && !config.qkv_bias);
    let all = values(3 * 32 * 64, 106);
    for expert in 0..3 {
        let name = format!("blocks.0.ffn.experts.{expert}.down_proj.weight");
        assert_eq!(f32s(&model, &name), all[expert * 32 * 64..][..32 * 64]);
    }
    // Rows of queries are not reordered: these files have split halves, as we do.
    assert_eq!(
        f32s(&model, "blocks.0.attn.q_proj.weight"),
        values(8 * 32, 2)
    );
    assert!(model.verify().is_ok());
    let mut unequal = experts_file();
    unequal.set("qwen3moe.expert_weights_norm", Raw::Bool(0));
    assert!(!open(&unequal).unwrap().config().norm_topk_prob);
}

#[test]
fn each_mistake_is_named_at_once() {
    type Change = fn(&mut RawGguf);
    fn gate(file: &mut RawGguf) -> &mut RawTensor {
        file.tensor("blk.0.ffn_gate_exps.weight")
    }
    let cases: [(&str, Change); 15] = [
        ("n_experts` is 4294967295", |f| {
            f.set("qwen3moe.expert_count", Raw::U32(u32::MAX))
        }),
        ("n_experts` is 18446744073709551615", |f| {
            f.set("qwen3moe.expert_count", Raw::Bytes(10, vec![0xFF; 8]));
        }),
        ("`n_experts` is 1000, expected n_layers", |f| {
            f.set("qwen3moe.expert_count", Raw::U32(1000));
            f.set("qwen3moe.block_count", Raw::U32(1000));
        }),
        ("it holds 3 experts, the config says 1000", |f| {
            f.set("qwen3moe.expert_count", Raw::U32(1000));
        }),
        ("`qwen3moe.expert_count`: it is 0", |f| {
            f.set("qwen3moe.expert_count", Raw::U32(0))
        }),
        ("`qwen3moe.expert_count` is missing", |f| {
            f.remove("qwen3moe.expert_count")
        }),
        ("`n_experts_per_token` is 4", |f| {
            f.set("qwen3moe.expert_used_count", Raw::U32(4))
        }),
        ("`n_experts_per_token` is 0", |f| {
            f.set("qwen3moe.expert_used_count", Raw::U32(0))
        }),
        ("`qwen3moe.expert_feed_forward_length` is missing", |f| {
            f.remove("qwen3moe.expert_feed_forward_length");
        }),
        ("it holds 2 experts, the config says 3", |f| {
            gate(f).dims[2] = 2;
            gate(f).data.truncate(2 * 64 * 32 * 4);
        }),
        ("expected [n_experts, rows, columns]", |f| {
            gate(f).dims = vec![32, 192];
        }),
        (
            "experts.0.gate_proj.weight` has shape [32, 64], expected [64, 32]",
            |f| {
                gate(f).dims = vec![64, 32, 3];
            },
        ),
        (
            "`blocks.0.ffn.experts.0.up_proj.weight` is missing (3 of",
            |f| {
                f.tensors.retain(|tensor| !tensor.name.contains("up_exps"));
            },
        ),
        ("`blocks.0.attn.q_norm.weight` is missing", |f| {
            f.tensors.retain(|tensor| !tensor.name.contains("q_norm"));
        }),
        ("more experts than a model of this config has", |f| {
            let again = gate(f).clone();
            f.tensors.extend(vec![again; 12]);
        }),
    ];
    for (expected, change) in cases {
        let mut file = experts_file();
        change(&mut file);
        let started = Instant::now();
        let message = open(&file).unwrap_err().to_string();
        // The file is 90 kB; seconds allow for a busy machine, and not for work that the file only claims.
        assert!(started.elapsed() < Duration::from_secs(5), "{message}");
        assert!(message.contains(expected), "{expected}: {message}");
    }
}

#[test]
fn a_file_of_qwen2_without_its_biases_is_refused() {
    let mut file = f32_file();
    for (key, _) in &mut file.values {
        *key = key.replace("llama.", "qwen2.");
    }
    file.set("general.architecture", Raw::Text("qwen2".to_owned()));
    let message = open(&file).unwrap_err().to_string();
    assert!(
        message.contains("`blocks.0.attn.k_proj.bias` is missing (3 of"),
        "{message}"
    );
}
