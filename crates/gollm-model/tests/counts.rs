//! Counts from a config: the published sums, and every count made a second way.

use gollm_model::{
    Config, FlopCounts, ParameterCounts, TensorSpec, bytes_read_per_token, expected_tensors,
    kv_bytes, kv_bytes_per_token, weight_bytes,
};
use gollm_tensor::DType;
use proptest::prelude::*;

fn project(name: &str) -> Config {
    let path = format!("{}/../../configs/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    Config::from_yaml_file(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// No two sizes equal, so that no product can be taken for another.
fn uneven() -> Config {
    Config {
        vocab_size: 320,
        context_length: 128,
        emb_dim: 48,
        n_heads: 6,
        n_kv_heads: 3,
        head_dim: 10,
        hidden_dim: 100,
        n_layers: 4,
        rope_theta: 10_000.0,
        rope_scaling: None,
        norm_eps: 1e-5,
        tie_embeddings: false,
        dtype: DType::F32,
        qkv_bias: false,
        qk_norm: false,
        n_experts: 0,
        n_experts_per_token: 0,
        norm_topk_prob: false,
    }
}

#[test]
fn tensors_come_in_file_order_with_out_in_shapes() {
    let specs = expected_tensors(&Config {
        n_layers: 1,
        ..uneven()
    })
    .unwrap();
    let spec = |name: &str, shape: &[usize]| TensorSpec {
        name: name.into(),
        shape: shape.into(),
    };
    let expected = [
        spec("tok_emb.weight", &[320, 48]),
        spec("blocks.0.attn_norm.weight", &[48]),
        spec("blocks.0.attn.q_proj.weight", &[60, 48]),
        spec("blocks.0.attn.k_proj.weight", &[30, 48]),
        spec("blocks.0.attn.v_proj.weight", &[30, 48]),
        spec("blocks.0.attn.o_proj.weight", &[48, 60]),
        spec("blocks.0.ffn_norm.weight", &[48]),
        spec("blocks.0.ffn.gate_proj.weight", &[100, 48]),
        spec("blocks.0.ffn.up_proj.weight", &[100, 48]),
        spec("blocks.0.ffn.down_proj.weight", &[48, 100]),
        spec("final_norm.weight", &[48]),
        spec("out_head.weight", &[320, 48]),
    ];
    assert_eq!(specs, expected);
}

#[test]
fn a_tied_model_has_no_output_head_of_its_own() {
    let tied = Config {
        tie_embeddings: true,
        ..uneven()
    };
    let names: Vec<String> = expected_tensors(&tied)
        .unwrap()
        .into_iter()
        .map(|s| s.name)
        .collect();
    assert_eq!(names.len(), 2 + 9 * 4);
    assert_eq!(names.last().unwrap(), "final_norm.weight");
    assert!(names.contains(&"blocks.3.ffn.down_proj.weight".to_owned()));
}

#[test]
fn the_85m_model_has_75_million_parameters_and_its_embeddings() {
    let counts = ParameterCounts::new(&project("gollm-85m")).unwrap();
    assert_eq!(counts.attention_per_layer, 1_572_864);
    assert_eq!(counts.feed_forward_per_layer, 4_718_592);
    assert_eq!(counts.norms_per_layer, 1_536);
    assert_eq!(counts.final_norm, 768);
    assert_eq!(counts.without_embeddings(), 75_516_672);
    assert_eq!(counts.total(), 100_682_496);
    let untied = Config {
        tie_embeddings: false,
        ..project("gollm-85m")
    };
    let untied = ParameterCounts::new(&untied).unwrap();
    assert_eq!(untied.total(), 125_848_320);
    assert_eq!(untied.without_embeddings(), 75_516_672);
}

#[test]
fn the_name_85m_counts_a_key_value_head_for_each_query_head() {
    let multi_head = Config {
        n_kv_heads: 12,
        ..project("gollm-85m")
    };
    let counts = ParameterCounts::new(&multi_head).unwrap();
    assert_eq!(counts.without_embeddings(), 84_953_856);
}

#[test]
fn the_embedded_model_has_these_parameters() {
    let counts = ParameterCounts::new(&project("gollm-stories")).unwrap();
    assert_eq!(counts.total(), 2_754_624);
    assert_eq!(counts.embedding, 4096 * 192);
}

#[test]
fn llama_3_8b_has_the_parameters_its_makers_state() {
    // 8.03 billion in Meta's model card.
    let llama = Config {
        vocab_size: 128_256,
        context_length: 8192,
        emb_dim: 4096,
        n_heads: 32,
        n_kv_heads: 8,
        head_dim: 128,
        hidden_dim: 14_336,
        n_layers: 32,
        ..uneven()
    };
    assert_eq!(ParameterCounts::new(&llama).unwrap().total(), 8_030_261_248);
    // 2 · 32 layers · 8 heads · 128 numbers · 4 bytes: a quarter of a mebibyte a token.
    assert_eq!(kv_bytes_per_token(&llama, DType::F32).unwrap(), 262_144);
    assert_eq!(kv_bytes(&llama, DType::F32).unwrap(), 2 << 30);
}

#[test]
fn a_cache_of_half_precision_takes_half_the_bytes() {
    let config = project("gollm-85m");
    let in_f32 = kv_bytes_per_token(&config, DType::F32).unwrap();
    assert_eq!(in_f32, 2 * 12 * 4 * 64 * 4);
    assert_eq!(kv_bytes_per_token(&config, DType::F16).unwrap(), in_f32 / 2);
    assert_eq!(kv_bytes(&config, DType::F16).unwrap(), in_f32 / 2 * 2048);
    let read = |cache| bytes_read_per_token(&config, DType::F16, cache, 100).unwrap();
    assert_eq!(read(DType::F32) - read(DType::F16), 100 * in_f32 / 2);
    // 30 numbers are no whole block of 32.
    assert!(kv_bytes(&uneven(), DType::Q8_0).is_err());
}

#[test]
fn weight_bytes_keep_norms_in_f32() {
    let config = project("gollm-85m");
    let norms = 12 * 1_536 + 768;
    let matrices = 100_682_496 - norms;
    assert_eq!(
        weight_bytes(&config, DType::F32).unwrap(),
        4 * (matrices + norms)
    );
    assert_eq!(
        weight_bytes(&config, DType::F16).unwrap(),
        2 * matrices + 4 * norms
    );
    assert_eq!(
        weight_bytes(&config, DType::BF16).unwrap(),
        2 * matrices + 4 * norms
    );
    assert_eq!(
        weight_bytes(&config, DType::Q8_0).unwrap(),
        matrices / 32 * 34 + 4 * norms
    );
    assert_eq!(
        weight_bytes(&config, DType::Q4_0).unwrap(),
        matrices / 32 * 18 + 4 * norms
    );
}

#[test]
fn a_matrix_whose_rows_are_no_whole_blocks_has_no_size_in_a_blocked_type() {
    let message = weight_bytes(&uneven(), DType::Q8_0)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("48") && message.contains("32"),
        "{message}"
    );
}

#[test]
fn attention_alone_grows_with_the_context() {
    let config = uneven();
    let near = FlopCounts::per_token(&config, 1).unwrap();
    let far = FlopCounts::per_token(&config, 128).unwrap();
    assert_eq!(
        far,
        FlopCounts {
            attention: 128 * near.attention,
            ..near
        }
    );
    assert_eq!(near.attention, 4 * 4 * 60);
    assert_eq!(near.head, 2 * 320 * 48);
    for context in [0, 129] {
        assert!(
            FlopCounts::per_token(&config, context).is_err(),
            "context {context}"
        );
    }
}

#[test]
fn flops_without_attention_are_two_a_weight_that_is_multiplied() {
    for tie_embeddings in [false, true] {
        let config = Config {
            tie_embeddings,
            ..uneven()
        };
        let parameters = ParameterCounts::new(&config).unwrap();
        let norms = 4 * 2 * 48 + 48;
        // An embedding is looked up, not multiplied; the head is multiplied even when it is tied.
        let multiplied = parameters.without_embeddings() - norms + 320 * 48;
        let flops = FlopCounts::per_token(&config, 7).unwrap();
        assert_eq!(flops.total() - flops.attention, 2 * multiplied);
    }
}

#[test]
fn decoding_reads_a_tied_table_whole_and_an_untied_one_by_the_row() {
    let untied = uneven();
    let tied = Config {
        tie_embeddings: true,
        ..uneven()
    };
    let weights = weight_bytes(&tied, DType::F32).unwrap();
    let row = 48 * 4;
    assert_eq!(
        bytes_read_per_token(&tied, DType::F32, DType::F32, 0).unwrap(),
        weights + row
    );
    assert_eq!(
        bytes_read_per_token(&untied, DType::F32, DType::F32, 0).unwrap(),
        weights + row
    );
    let cached = bytes_read_per_token(&tied, DType::F32, DType::F32, 100).unwrap() - weights - row;
    assert_eq!(cached, 100 * 2 * 4 * 30 * 4);
    assert_eq!(cached, 100 * kv_bytes_per_token(&tied, DType::F32).unwrap());
    let message = bytes_read_per_token(&tied, DType::F32, DType::F32, usize::MAX)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("too long") && message.contains("128"),
        "{message}"
    );
}

#[test]
fn a_wrong_config_has_no_counts() {
    let wrong = Config {
        n_layers: 0,
        ..uneven()
    };
    assert!(ParameterCounts::new(&wrong).is_err());
    assert!(FlopCounts::per_token(&wrong, 1).is_err());
    assert!(weight_bytes(&wrong, DType::F32).is_err());
    assert!(bytes_read_per_token(&wrong, DType::F32, DType::F32, 1).is_err());
    assert!(kv_bytes(&wrong, DType::F32).is_err());
    assert!(expected_tensors(&wrong).is_err());
}

proptest! {
    #[test]
    fn counted_parameters_are_the_elements_of_the_expected_tensors(
        vocab_size in 1usize..2000, emb_dim in 1usize..300, kv in 1usize..6, group in 1usize..6,
        pairs in 1usize..40, hidden_dim in 1usize..500, n_layers in 1usize..20, tie_embeddings: bool,
    ) {
        let config = Config {
            vocab_size, emb_dim, hidden_dim, n_layers, tie_embeddings,
            n_heads: kv * group, n_kv_heads: kv, head_dim: 2 * pairs, ..uneven()
        };
        let specs = expected_tensors(&config).unwrap();
        let elements: usize = specs.iter().map(|spec| spec.shape.iter().product::<usize>()).sum();
        prop_assert_eq!(ParameterCounts::new(&config).unwrap().total(), elements as u64);
        prop_assert_eq!(weight_bytes(&config, DType::F32).unwrap(), 4 * elements as u64);
    }
}
