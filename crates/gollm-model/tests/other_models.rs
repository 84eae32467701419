//! What Qwen's models add to the decoder: biases, norms of queries and keys, experts.
#![allow(
    clippy::expect_used,
    reason = "a test whose setting cannot be made should panic"
)]

use std::sync::{Arc, Mutex};

mod common;

use common::{append, config, decoder, random, values, weights};
use gollm_model::{
    AllReduce, Config, Decoder, ExpertTokens, FeedForward, Moe, ParameterCounts, RmsNorm, Shard,
    bytes_read_per_token, expected_tensors, n_expected_tensors, route_top_k,
};
use gollm_tensor::{DType, Device, Tensor};

const BIAS: &str = "qkv_bias: true";
const NORM: &str = "qk_norm: true, tie_embeddings: false";
const EXPERTS: &str =
    "qk_norm: true, n_experts: 6, n_experts_per_token: 2, norm_topk_prob: true, n_kv_heads: 2";
const OTHERS: [&str; 4] = [
    BIAS,
    NORM,
    EXPERTS,
    "qkv_bias: true, n_experts: 3, n_experts_per_token: 3",
];

const PROMPT: [u32; 9] = [3, 60, 0, 17, 17, 42, 5, 9, 31];

/// The largest difference relative to the largest magnitude.
fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let largest = b.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f32::max) / largest
}

fn all_logits(decoder: &Decoder, tokens: &[u32]) -> Vec<f32> {
    let mut cache = decoder.new_cache(1).expect("small");
    let logits = decoder.forward_all(append(0, tokens), &mut cache);
    values(&logits.expect("runs"))
}

#[test]
fn cached_decode_equals_a_full_prefill() {
    for change in OTHERS {
        let config = config(change);
        let decoder = decoder(&config);
        let all = all_logits(&decoder, &PROMPT);
        let mut cache = decoder.new_cache(1).expect("small");
        for (id, want) in PROMPT.iter().zip(all.chunks_exact(config.vocab_size)) {
            let one = decoder.forward(&[append(0, &[*id])], &mut cache);
            // The same sums, some in another order.
            assert!(
                difference(&values(&one.expect("runs")), want) < 1e-5,
                "{change}"
            );
        }
    }
}

#[test]
fn every_new_weight_changes_the_logits() {
    for change in OTHERS {
        let config = config(change);
        let plain = all_logits(&decoder(&config), &PROMPT);
        let specs = expected_tensors(&config).expect("a valid config");
        assert_eq!(specs.len(), n_expected_tensors(&config));
        let is_new = |name: &str| {
            ["bias", "q_norm", "k_norm", "router", "experts"]
                .iter()
                .any(|part| name.contains(part))
        };
        let mut unchanged = Vec::new();
        for spec in specs.iter().filter(|spec| is_new(&spec.name)) {
            let mut source = weights(&config, DType::F32);
            let other = random(77, spec.shape.iter().product());
            let weight = source.get_mut(&spec.name).expect("there");
            weight.bytes = gollm_tensor::quantize(&other, DType::F32)
                .expect("f32")
                .into();
            let changed = Decoder::load(&config, &source, &Device::reference()).expect("loads");
            if difference(&all_logits(&changed, &PROMPT), &plain) < 1e-4 {
                unchanged.push(spec.name.clone());
            }
        }
        // An expert that none of nine tokens is routed to changes nothing, and there are at most a few.
        assert!(
            unchanged.iter().all(|name| name.contains("experts")),
            "{unchanged:?}"
        );
        assert!(unchanged.len() < specs.len() / 4, "{change}: {unchanged:?}");
    }
}

/// A bias is added to each row, and each head of the queries and keys has a mean square of one before
/// its weights: here against plain loops.
#[test]
fn queries_are_normalized_head_by_head_and_biased_row_by_row() {
    let device = Device::reference();
    let (x, bias) = (random(1, 3 * 8), random(2, 8));
    let tensor = device.tensor(&[3, 8], &x).expect("fits");
    let biased = tensor
        .add(&device.tensor(&[8], &bias).expect("fits"))
        .expect("adds");
    for (i, value) in values(&biased).iter().enumerate() {
        assert_eq!(*value, x[i] + bias[i % 8]);
    }
    let weight = random(3, 4);
    let norm = RmsNorm {
        weight: device.tensor(&[4], &weight).expect("fits"),
        eps: 0.01,
    };
    let normed = values(&norm.forward(&tensor).expect("two heads of four"));
    for (head, normed) in x.chunks(4).zip(normed.chunks(4)) {
        let square: f32 = head.iter().map(|v| v * v).sum::<f32>() / 4.0 + 0.01;
        for i in 0..4 {
            let want = head[i] / square.sqrt() * weight[i];
            assert!((normed[i] - want).abs() < 1e-6);
        }
    }
    let three = device.tensor(&[3], &[1.0; 3]).expect("fits");
    let message = tensor
        .rms_norm(&three, 0.01)
        .expect_err("8 is not 3s")
        .to_string();
    assert!(message.contains("whole multiple of 3"), "{message}");
    let message = tensor.add(&three).expect_err("8 is not 3").to_string();
    assert_eq!(message, "add: `bias` has shape [3], expected [width] = [8]");
}

/// The definition, token by token: run all experts, weigh the best two.
#[test]
fn a_mixture_of_experts_is_the_weighted_outputs_of_the_active_ones() {
    for normalize in [false, true] {
        let config = config(&EXPERTS.replace("prob: true", &format!("prob: {normalize}")));
        let (source, device) = (weights(&config, DType::F32), Device::reference());
        let whole = Shard::whole(&config);
        let moe = Moe::load(&config, &whole, 1, &source, &device).expect("loads");
        let norm = RmsNorm::load(&source, "blocks.1.ffn_norm.weight", 32, 1e-5, &device);
        let norm = norm.expect("loads");
        let x = device.tensor(&[7, 32], &random(5, 7 * 32)).expect("fits");
        let found = values(&moe.forward(&norm, &x).expect("runs"));

        let [logits] = x
            .norm_matmul(&norm.weight, 1e-5, [&moe.router])
            .expect("fits");
        let output = |expert: &FeedForward| values(&expert.forward(&norm, &x).expect("runs"));
        let outputs: Vec<Vec<f32>> = moe.experts.iter().map(output).collect();
        for (token, row) in values(&logits.softmax().expect("a matrix"))
            .chunks(6)
            .enumerate()
        {
            let mut order: Vec<usize> = (0..6).collect();
            order.sort_by(|a, b| row[*b].total_cmp(&row[*a]));
            let sum = if normalize {
                row[order[0]] + row[order[1]]
            } else {
                1.0
            };
            let want: Vec<f32> = (0..32)
                .map(|i| {
                    let part = |e: usize| row[e] / sum * outputs[e][token * 32 + i];
                    part(order[0]) + part(order[1])
                })
                .collect();
            // The sum of two numbers in another order.
            assert!(
                difference(&found[token * 32..][..32], &want) < 1e-5,
                "{token}"
            );
        }
    }
}

#[test]
fn of_equal_experts_the_first_are_active() {
    let routed = |tokens: &[usize], weights: &[f32]| ExpertTokens {
        tokens: tokens.to_vec(),
        weights: weights.to_vec(),
    };
    let equal = [0.25; 4];
    let found = route_top_k(&equal, 4, 2, true);
    let none = ExpertTokens::default();
    assert_eq!(
        found,
        [
            routed(&[0], &[0.5]),
            routed(&[0], &[0.5]),
            none.clone(),
            none.clone()
        ]
    );
    let rows = [0.125, 0.5, 0.125, 0.25, 0.5, 0.125, 0.25, 0.125];
    let found = route_top_k(&rows, 4, 2, false);
    let expected = [
        routed(&[1], &[0.5]),
        routed(&[0], &[0.5]),
        routed(&[1], &[0.25]),
        routed(&[0], &[0.25]),
    ];
    assert_eq!(found, expected);
    // Numbers that are none go somewhere, and nothing panics.
    let routes = route_top_k(&[f32::NAN; 3], 3, 1, true);
    assert_eq!(
        routes
            .iter()
            .map(|routed| routed.tokens.len())
            .sum::<usize>(),
        1
    );
    assert!(
        route_top_k(&[], 4, 2, true)
            .iter()
            .all(|routed| *routed == none)
    );
}

/// Keeps what the other shard will need, and adds it up: two shards in turn instead of two machines.
struct Together(Mutex<Vec<Vec<f32>>>);

impl AllReduce for Together {
    fn sum(&self, partial: Tensor) -> gollm_model::Result<Tensor> {
        self.0.lock().expect("alone").push(values(&partial));
        Ok(partial)
    }
}

#[test]
fn the_shards_of_a_layer_add_up_to_the_whole() {
    for change in OTHERS {
        let config = Config {
            n_layers: 1,
            ..config(change)
        };
        let (source, device) = (weights(&config, DType::F32), Device::reference());
        let attention_of = |shard: Shard| {
            let seen = Arc::new(Together(Mutex::default()));
            let decoder = Decoder::load_shard(&config, shard, &source, &device).expect("loads");
            let decoder = decoder.with_all_reduce(Arc::clone(&seen) as Arc<dyn AllReduce>);
            all_logits(&decoder, &PROMPT);
            seen.0.lock().expect("alone").swap_remove(0)
        };
        let whole = Shard::whole(&config);
        let shard = |kv_heads, hidden| Shard {
            kv_heads,
            hidden,
            ..whole.clone()
        };
        // Before the first sum is made all shards see the same x, so their attentions can be compared.
        let shards = [shard(0..1, 0..24), shard(1..2, 24..64)].map(attention_of);
        let want = attention_of(whole.clone());
        let sum: Vec<f32> = shards[0]
            .iter()
            .zip(&shards[1])
            .map(|(a, b)| a + b)
            .collect();
        assert!(difference(&sum, &want) < 1e-5, "{change}");

        if config.has_experts() {
            let x = device.tensor(&[4, 32], &random(9, 128)).expect("fits");
            let norm = RmsNorm::load(&source, "blocks.0.ffn_norm.weight", 32, 1e-5, &device);
            let norm = norm.expect("loads");
            let output = |shard: &Shard| {
                let moe = Moe::load(&config, shard, 0, &source, &device).expect("loads");
                values(&moe.forward(&norm, &x).expect("runs"))
            };
            let [a, b] = [shard(0..2, 0..24), shard(0..2, 24..64)].map(|shard| output(&shard));
            let sum: Vec<f32> = a.iter().zip(&b).map(|(a, b)| a + b).collect();
            assert!(difference(&sum, &output(&whole)) < 1e-5, "{change}");
        }
    }
}

#[test]
fn counts_know_experts_biases_and_norms_of_heads() {
    // No two sizes equal. A mixture of 6 experts of which 2 are active.
    let config = Config {
        hidden_dim: 100,
        emb_dim: 48,
        qkv_bias: true,
        ..config(EXPERTS)
    };
    let counts = ParameterCounts::new(&config).expect("valid");
    assert_eq!(counts.attention_per_layer, 2 * 48 * (64 + 32) + 64 + 2 * 32);
    assert_eq!(counts.feed_forward_per_layer, 6 * 3 * 48 * 100 + 6 * 48);
    assert_eq!(counts.inactive_per_layer, 4 * 3 * 48 * 100);
    assert_eq!(counts.norms_per_layer, 2 * 48 + 2 * 16);
    assert_eq!(counts.active(), counts.total() - 3 * 4 * 3 * 48 * 100);
    let specs = expected_tensors(&config).expect("valid");
    let elements: usize = specs
        .iter()
        .map(|spec| spec.shape.iter().product::<usize>())
        .sum();
    assert_eq!(counts.total(), elements as u64);
    // What a token reads: the weights it uses, a row of the tied table besides, no cache yet.
    let read = bytes_read_per_token(&config, DType::F32, DType::F32, 0).expect("valid");
    assert_eq!(read, 4 * (counts.active() + 48));
}
