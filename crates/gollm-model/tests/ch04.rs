//! Chapter 4, the model. Run with `cargo test --test ch04`; read with `notes/ch04-model.md`.
//!
//! First the book's GPT in the order of its sections (`s1` to `s7`), then what LLaMA put in the place
//! of each part (`llama_`).
#![allow(
    clippy::expect_used,
    reason = "a test whose setting cannot be made should panic"
)]

mod common;

use approx::assert_relative_eq;
use common::{append, config, decoder, random, values};
use gollm_model::gpt::{
    Embeddings, GptBlock, GptFeedForward, GptModel, LayerNorm, Linear, gelu, gelu_exact,
};
use gollm_model::ladder::AttentionWeights;
use gollm_model::{Config, ParameterCounts, RopeScaling, kv_bytes_per_token, rope, weight_bytes};
use gollm_tensor::{DType, Device};
use ndarray::{Array1, Array2};
use proptest::prelude::*;

fn matrix(rows: usize, columns: usize, seed: u64) -> Array2<f32> {
    Array2::from_shape_vec((rows, columns), random(seed, rows * columns)).expect("rows · columns")
}

fn gpt_block(emb_dim: usize, n_heads: usize, seed: u64) -> GptBlock {
    let linear = |n_out, n_in, seed| Linear {
        weight: matrix(n_out, n_in, seed),
        bias: Array1::from(random(seed + 1, n_out)),
    };
    let square = |i| matrix(emb_dim, emb_dim, seed + i);
    GptBlock {
        attention_norm: LayerNorm::new(emb_dim),
        attention: AttentionWeights {
            q_proj: square(1),
            k_proj: square(2),
            v_proj: square(3),
            o_proj: square(4),
        },
        attention_bias: Array1::from(random(seed + 5, emb_dim)),
        feed_forward_norm: LayerNorm::new(emb_dim),
        feed_forward: GptFeedForward {
            up: linear(4 * emb_dim, emb_dim, seed + 6),
            down: linear(emb_dim, 4 * emb_dim, seed + 8),
        },
        n_heads,
    }
}

fn gpt(vocab_size: usize, context_length: usize) -> GptModel {
    GptModel {
        embeddings: Embeddings {
            tokens: matrix(vocab_size, 8, 1),
            positions: matrix(context_length, 8, 2),
        },
        blocks: vec![gpt_block(8, 2, 10), gpt_block(8, 2, 20)],
        final_norm: LayerNorm::new(8),
        out_head: Some(matrix(vocab_size, 8, 3)),
    }
}

#[test]
fn s1_gpt2_small_has_163_million_parameters_and_124_with_a_tied_head() {
    // The book counts both in section 4.6 with an output head of its own and without query, key and
    // value biases. Here from the parts, without allocating them.
    let (vocab, context, emb, layers) = (50_257u64, 1_024u64, 768u64, 12u64);
    let attention = 4 * emb * emb + emb;
    let feed_forward = 2 * 4 * emb * emb + 4 * emb + emb;
    let norms = 2 * 2 * emb;
    let body = layers * (attention + feed_forward + norms) + 2 * emb;
    assert_eq!(body + vocab * emb + context * emb, 124_412_160);
    assert_eq!(body + 2 * vocab * emb + context * emb, 163_009_536);
    // The same formula on a model small enough to build.
    let (emb, layers) = (8, 2);
    let block = 4 * emb * emb + emb + 2 * 4 * emb * emb + 4 * emb + emb + 2 * 2 * emb;
    let model = gpt(11, 6);
    assert_eq!(
        model.n_parameters(),
        layers * block + 2 * emb + 2 * 11 * emb + 6 * emb
    );
}

#[test]
fn s2_layer_norm_gives_every_row_mean_0_and_variance_1() {
    let x = matrix(5, 16, 3) * 7.0 + 2.0;
    let y = LayerNorm::new(16).forward(&x).expect("16 = 16");
    for row in y.rows() {
        let mean = row.sum() / 16.0;
        let variance = row.dot(&row) / 16.0 - mean * mean;
        assert!(mean.abs() < 1e-6, "{mean}"); // 16 roundings of numbers near 1
        assert!((variance - 1.0).abs() < 1e-5, "{variance}"); // eps 1e-5 beside a variance of 16
    }
}

#[test]
fn s2_scale_and_shift_are_applied_after_normalizing() {
    let x = matrix(3, 4, 5);
    let plain = LayerNorm::new(4).forward(&x).expect("4 = 4");
    let mut norm = LayerNorm::new(4);
    norm.scale.fill(2.0);
    norm.shift.fill(-1.0);
    let moved = norm.forward(&x).expect("4 = 4");
    for (a, b) in plain.iter().zip(&moved) {
        assert_relative_eq!(2.0 * a - 1.0, *b, epsilon = 1e-6);
    }
}

#[test]
fn s3_gelu_is_smooth_where_relu_has_a_corner() {
    assert_eq!(gelu(0.0), 0.0);
    // Published values of x · Φ(x): Φ(1) = 0.841345, Φ(-1) = 0.158655.
    assert_relative_eq!(gelu_exact(1.0), 0.841_345, epsilon = 1e-6);
    assert_relative_eq!(gelu_exact(-1.0), -0.158_655, epsilon = 1e-6);
    // The tanh form is an approximation; it stays within 5e-4 of the definition.
    for i in -600..=600 {
        let x = i as f32 / 100.0;
        assert!((gelu(x) - gelu_exact(x)).abs() < 5e-4, "{x}");
    }
    // Unlike ReLU, a little of what is negative passes.
    assert!(gelu(-0.5) < -0.1 && gelu(-0.5) > -0.2);
}

#[test]
fn s4_a_shortcut_lets_x_pass_a_block_that_does_nothing() {
    let mut block = gpt_block(8, 2, 1);
    block.attention.o_proj.fill(0.0);
    block.attention_bias.fill(0.0);
    block.feed_forward.down.weight.fill(0.0);
    block.feed_forward.down.bias.fill(0.0);
    let x = matrix(4, 8, 9);
    assert_eq!(block.forward(&x).expect("8 = 8"), x);
}

#[test]
fn s5_a_block_keeps_the_shape_of_its_input() {
    let x = matrix(4, 8, 9);
    let y = gpt_block(8, 2, 1).forward(&x).expect("8 = 8");
    assert_eq!(y.dim(), x.dim());
    assert_ne!(y, x);
}

#[test]
fn s6_a_gpt_gives_a_score_for_every_token_at_every_position() {
    let model = gpt(11, 6);
    let logits = model.forward(&[1, 2, 3, 4]).expect("inside the context");
    assert_eq!(logits.dim(), (4, 11));
    // A later token changes nothing before it.
    let other = model.forward(&[1, 2, 3, 9]).expect("inside the context");
    for t in 0..3 {
        assert_eq!(logits.row(t), other.row(t));
    }
    assert_ne!(logits.row(3), other.row(3));
    // Learned positions end where the table ends.
    let message = model.forward(&[0; 7]).expect_err("6 positions").to_string();
    assert_eq!(
        message,
        "embeddings: position 6 is out of range, there are 6"
    );
}

#[test]
fn s6_positions_make_the_order_of_tokens_matter() {
    let mut model = gpt(11, 6);
    let last = |model: &GptModel, ids: &[u32]| model.forward(ids).expect("runs").row(2).to_owned();
    assert_ne!(last(&model, &[1, 2, 3]), last(&model, &[2, 1, 3]));
    // Without them the last token of one block sees a set: attention weighs what it sees, wherever
    // it stands. (In a second block the order leaks in, because of the causal mask: what the first
    // block made of token 2 depends on whether token 1 stood before it.)
    model.embeddings.positions.fill(0.0);
    model.blocks.truncate(1);
    let (a, b) = (last(&model, &[1, 2, 3]), last(&model, &[2, 1, 3]));
    for (a, b) in a.iter().zip(&b) {
        assert_relative_eq!(a, b, epsilon = 1e-4, max_relative = 1e-4); // summed in another order
    }
}

#[test]
fn s7_greedy_generation_appends_the_most_likely_token_again_and_again() {
    let decoder = decoder(&config("tie_embeddings: true"));
    let mut cache = decoder.new_cache(1).expect("small");
    let mut ids = vec![3, 1, 4];
    let mut new = ids.clone();
    for _ in 0..10 {
        let logits = decoder
            .forward(&[append(0, &new)], &mut cache)
            .expect("room for 13");
        new = logits.argmax().expect("one row");
        ids.extend(&new);
    }
    // Without a cache: every token computed again at every step.
    let mut again = vec![3, 1, 4];
    for _ in 0..10 {
        let mut fresh = decoder.new_cache(1).expect("small");
        let logits = decoder
            .forward(&[append(0, &again)], &mut fresh)
            .expect("room for 13");
        again.extend(logits.argmax().expect("one row"));
    }
    assert_eq!(ids, again);
}

#[test]
fn llama_85m_has_the_parameters_the_book_of_its_config_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs/gollm-85m.yaml");
    let config = Config::from_yaml_file(path).expect("in the repository");
    let counts = ParameterCounts::new(&config).expect("valid");
    assert_eq!(counts.without_embeddings(), 75_516_672);
    assert_eq!(counts.total(), 100_682_496);
    let untied = Config {
        tie_embeddings: false,
        ..config.clone()
    };
    assert_eq!(
        ParameterCounts::new(&untied).expect("valid").total(),
        125_848_320
    );
    // The name's 85 million is the same body with as many key/value heads as query heads.
    let multi_head = Config {
        n_kv_heads: 12,
        ..config.clone()
    };
    let body = ParameterCounts::new(&multi_head)
        .expect("valid")
        .without_embeddings();
    assert_eq!(body, 84_953_856);
    // f16 matrices, f32 norms: 2 bytes each and 2 more for 25 · 768 norm weights.
    let bytes = weight_bytes(&config, DType::F16).expect("valid");
    assert_eq!(bytes, 2 * 100_682_496 + 2 * 25 * 768);
}

#[test]
fn llama_rms_norm_keeps_the_direction_and_sets_the_length() {
    let device = Device::reference();
    let ones = device.tensor(&[8], &[1.0; 8]).expect("8");
    let x = random(4, 8);
    let norm = |x: &[f32]| {
        values(
            &device
                .tensor(&[1, 8], x)
                .expect("8")
                .rms_norm(&ones, 1e-6)
                .expect("8 = 8"),
        )
    };
    let y = norm(&x);
    let length = y.iter().map(|v| v * v).sum::<f32>();
    assert_relative_eq!(length, 8.0, max_relative = 1e-4); // eps beside a mean square of 1/3
    for (x, y) in x.iter().zip(&y) {
        assert_relative_eq!(y / x, y.abs() / x.abs(), max_relative = 1e-6);
    }
    // Ten times the input is the same output: only the direction counts.
    let tenfold: Vec<f32> = x.iter().map(|v| v * 10.0).collect();
    for (a, b) in y.iter().zip(norm(&tenfold)) {
        assert_relative_eq!(*a, b, max_relative = 1e-4);
    }
    // And unlike LayerNorm it does not move the mean.
    let shifted: Vec<f32> = x.iter().map(|v| v + 5.0).collect();
    assert!(norm(&shifted).iter().all(|v| *v > 0.0));
}

#[test]
fn llama_swiglu_closes_a_hidden_number_whose_gate_is_far_below_zero() {
    let device = Device::reference();
    let gate = device.tensor(&[1, 3], &[-50.0, 0.0, 50.0]).expect("3");
    let up = device.tensor(&[1, 3], &[2.0, 2.0, 2.0]).expect("3");
    let y = values(&gate.swiglu(&up).expect("3 = 3"));
    // silu(-50) ≈ -50 e^-50, silu(0) = 0, silu(50) ≈ 50.
    assert_relative_eq!(
        y[..],
        [0.0, 0.0, 100.0],
        epsilon = 1e-18,
        max_relative = 1e-6
    );
}

#[test]
fn llama_both_rope_layouts_give_the_same_scores_once_rows_are_permuted() {
    let head_dim = 6;
    let config = Config {
        head_dim,
        ..config("tie_embeddings: true")
    };
    let frequencies = rope::frequencies(&config);
    let order = rope::adjacent_to_halves(1, head_dim);
    let adjacent = random(11, head_dim);
    let mut halves: Vec<f32> = order.iter().map(|&i| adjacent[i]).collect();
    let mut adjacent = adjacent;
    rope::rotate_adjacent(&mut adjacent, &frequencies, 5);
    rope::rotate_halves(&mut halves, &frequencies, 5);
    let permuted: Vec<f32> = order.iter().map(|&i| adjacent[i]).collect();
    assert_eq!(halves, permuted);
    // The wrong pairing is another rotation altogether.
    let mut wrong = random(11, head_dim);
    rope::rotate_halves(&mut wrong, &frequencies, 5);
    assert_ne!(wrong, adjacent);
}

#[test]
fn llama_the_two_permutations_undo_each_other() {
    for (n_heads, head_dim) in [(1, 2), (3, 6), (4, 64)] {
        let there = rope::adjacent_to_halves(n_heads, head_dim);
        let back = rope::halves_to_adjacent(n_heads, head_dim);
        let round: Vec<usize> = back.iter().map(|&i| there[i]).collect();
        assert_eq!(round, (0..n_heads * head_dim).collect::<Vec<_>>());
    }
}

#[test]
fn llama_3_scaling_slows_only_the_slow_pairs() {
    let scaling = RopeScaling {
        factor: 8.0,
        low_freq_factor: 1.0,
        high_freq_factor: 4.0,
        original_context_length: 8192,
    };
    // A pair that turns more than four times within the first context keeps its frequency …
    let fast = 5.0 * std::f64::consts::TAU / 8192.0;
    assert_eq!(rope::scale_frequency(fast, &scaling), fast);
    // … one that turns less than once becomes eight times slower …
    let slow = 0.9 * std::f64::consts::TAU / 8192.0;
    assert_eq!(rope::scale_frequency(slow, &scaling), slow / 8.0);
    // … and the borders join without a step.
    for turns in [1.0, 4.0] {
        let border = turns * std::f64::consts::TAU / 8192.0;
        let (below, above) = (border * (1.0 - 1e-9), border * (1.0 + 1e-9));
        let jump = rope::scale_frequency(above, &scaling) - rope::scale_frequency(below, &scaling);
        assert!(jump.abs() < border * 1e-6, "{turns} turns: {jump}");
    }
}

#[test]
fn llama_fewer_key_value_heads_make_a_smaller_cache() {
    let config = config("n_kv_heads: 4");
    let bytes = |n_kv_heads| {
        let fewer = Config {
            n_kv_heads,
            ..config.clone()
        };
        kv_bytes_per_token(&fewer, DType::F32).expect("valid")
    };
    // Keys and values · 3 layers · 4 heads · 16 numbers · 4 bytes.
    assert_eq!(bytes(4), 2 * 3 * 4 * 16 * 4);
    assert_eq!([bytes(2), bytes(1)], [bytes(4) / 2, bytes(4) / 4]);
}

#[test]
fn llama_positions_do_not_end_at_a_table_of_learned_vectors() {
    // The same weights under a longer context: RoPE has no weights, so nothing is missing.
    let short = config("tie_embeddings: true");
    let long = Config {
        context_length: 100,
        ..short.clone()
    };
    let logits = |config: &Config| {
        let decoder = decoder(config);
        let mut cache = decoder.new_cache(1).expect("small");
        values(
            &decoder
                .forward(&[append(0, &[5, 6, 7])], &mut cache)
                .expect("runs"),
        )
    };
    assert_eq!(logits(&short), logits(&long));
}

proptest! {
    #[test]
    fn llama_rope_keeps_lengths_and_scores_depend_on_distance_only(
        seed in 0u64..1000, near in 0usize..200, distance in 0usize..200, shift in 0usize..200,
    ) {
        let frequencies = rope::frequencies(&config("rope_theta: 500.0"));
        let turned = |seed: u64, position: usize| {
            let mut head = random(seed, 16);
            rope::rotate_halves(&mut head, &frequencies, position);
            head
        };
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let (q, k) = (turned(seed, near + distance), turned(seed + 1, near));
        // 16 products of numbers up to 1, each rotated with errors of 2^-24.
        let bound = 1e-5;
        let length = dot(&random(seed, 16), &random(seed, 16));
        prop_assert!((dot(&q, &q) - length).abs() < bound);
        let further = dot(&turned(seed, near + distance + shift), &turned(seed + 1, near + shift));
        prop_assert!((dot(&q, &k) - further).abs() < bound, "{} and {}", dot(&q, &k), further);
    }
}
