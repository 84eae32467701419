//! The book's GPT parts, chapter 4's starting point: published values and properties.

use gollm_model::gpt::{
    Embeddings, GptBlock, GptFeedForward, GptModel, LayerNorm, Linear, gelu, gelu_exact,
};
use gollm_model::ladder::AttentionWeights;
use ndarray::{Array1, Array2, array, s};
use proptest::prelude::*;

/// Numbers between −0.5 and 0.5 that no pattern of the parts can cancel.
fn numbers(seed: usize, rows: usize, columns: usize) -> Array2<f32> {
    Array2::from_shape_fn((rows, columns), |(i, j)| {
        let n = (seed * 7919 + i * 104_729 + j * 1_299_709) % 1_000_003;
        (n * n % 1_000_003) as f32 / 1_000_003.0 - 0.5
    })
}

fn linear(seed: usize, n_out: usize, n_in: usize) -> Linear {
    Linear {
        weight: numbers(seed, n_out, n_in),
        bias: numbers(seed + 1, 1, n_out).row(0).to_owned(),
    }
}

fn block(seed: usize, emb_dim: usize, n_heads: usize) -> GptBlock {
    let square = |i| numbers(seed + i, emb_dim, emb_dim);
    GptBlock {
        attention_norm: LayerNorm::new(emb_dim),
        attention: AttentionWeights {
            q_proj: square(1),
            k_proj: square(2),
            v_proj: square(3),
            o_proj: square(4),
        },
        attention_bias: numbers(seed + 5, 1, emb_dim).row(0).to_owned(),
        feed_forward_norm: LayerNorm::new(emb_dim),
        feed_forward: GptFeedForward {
            up: linear(seed + 6, 4 * emb_dim, emb_dim),
            down: linear(seed + 8, emb_dim, 4 * emb_dim),
        },
        n_heads,
    }
}

fn model(vocab_size: usize, context_length: usize, emb_dim: usize) -> GptModel {
    GptModel {
        embeddings: Embeddings {
            tokens: numbers(1, vocab_size, emb_dim),
            positions: numbers(2, context_length, emb_dim),
        },
        blocks: vec![block(10, emb_dim, 2), block(30, emb_dim, 2)],
        final_norm: LayerNorm::new(emb_dim),
        out_head: None,
    }
}

#[test]
fn layer_norm_divides_by_the_biased_standard_deviation() {
    // Mean 2, squared distances 1, 1, 1, 1 (biased variance 1; the unbiased one would be 4/3).
    let y = LayerNorm {
        eps: 0.0,
        ..LayerNorm::new(4)
    }
    .forward(&array![[1.0, 1.0, 3.0, 3.0]]);
    assert_eq!(y.unwrap(), array![[-1.0, -1.0, 1.0, 1.0]]);
}

#[test]
fn layer_norm_scales_and_shifts_after_it_normalizes() {
    let norm = LayerNorm {
        scale: array![1.0, 2.0],
        shift: array![10.0, 20.0],
        eps: 0.0,
    };
    assert_eq!(
        norm.forward(&array![[5.0, 7.0]]).unwrap(),
        array![[9.0, 22.0]]
    );
}

#[test]
fn layer_norm_of_a_constant_vector_is_its_shift() {
    let y = LayerNorm::new(3).forward(&array![[4.0, 4.0, 4.0]]).unwrap();
    assert_eq!(y, array![[0.0, 0.0, 0.0]]);
}

#[test]
fn layer_norm_of_the_wrong_width_is_an_error() {
    let message = LayerNorm::new(3)
        .forward(&numbers(1, 2, 4))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("layer_norm: `x` has shape [2, 4]"),
        "{message}"
    );
    let torn = LayerNorm {
        shift: Array1::zeros(2),
        ..LayerNorm::new(3)
    };
    assert!(torn.forward(&numbers(1, 2, 3)).is_err());
}

#[test]
fn gelu_has_its_published_values() {
    // x · Φ(x) with Φ from tables of the normal distribution (Abramowitz & Stegun, table 26.1).
    let exact = [
        (0.0, 0.0),
        (0.5, 0.5 * 0.691_462_46),
        (1.0, 0.841_344_8),
        (2.0, 2.0 * 0.977_249_87),
        (3.0, 3.0 * 0.998_650_1),
        (-1.0, -0.158_655_25),
        (-3.0, -3.0 * 0.001_349_898),
    ];
    for (x, expected) in exact {
        let found = gelu_exact(x);
        assert!(
            (found - expected).abs() < 1e-6,
            "gelu({x}) = {found}, expected {expected}"
        );
    }
    // The tanh form by its formula, to eight digits.
    for (x, expected) in [
        (0.0, 0.0),
        (1.0, 0.841_192),
        (-1.0, -0.158_808_01),
        (2.0, 1.954_597_7),
    ] {
        let found = gelu(x);
        assert!(
            (found - expected).abs() < 1e-6,
            "gelu({x}) = {found}, expected {expected}"
        );
    }
}

#[test]
fn the_two_forms_of_gelu_differ_by_less_than_half_a_thousandth() {
    let worst = (-8000..=8000)
        .map(|i| i as f32 / 1000.0)
        .map(|x| (gelu(x) - gelu_exact(x)).abs())
        .fold(0.0, f32::max);
    assert!(worst < 5e-4, "{worst}");
    assert!(worst > 4e-4, "the bound is a measured one: {worst}");
}

#[test]
fn gelu_goes_to_zero_on_the_left_and_to_x_on_the_right() {
    for f in [gelu, gelu_exact] {
        assert_eq!((f(-20.0), f(20.0)), (0.0, 20.0));
        assert!(f(f32::NAN).is_nan());
    }
}

#[test]
fn gelu_unlike_relu_lets_small_negative_numbers_through() {
    let lowest = (-3000..0)
        .map(|i| gelu_exact(i as f32 / 1000.0))
        .fold(0.0, f32::min);
    assert!(
        (lowest + 0.169_97).abs() < 1e-4,
        "the minimum lies near x = −0.7518: {lowest}"
    );
}

#[test]
fn embeddings_add_the_token_and_its_place() {
    let embeddings = Embeddings {
        tokens: array![[1.0, 2.0], [3.0, 4.0]],
        positions: array![[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]],
    };
    let x = embeddings.forward(&[1, 0, 1]).unwrap();
    assert_eq!(x, array![[3.1, 4.2], [1.3, 2.4], [3.5, 4.6]]);
    let messages = [vec![2], vec![0; 4], vec![]].map(|ids| embeddings.forward(&ids).unwrap_err());
    assert!(
        messages[0].to_string().contains("token id 2"),
        "{}",
        messages[0]
    );
    assert!(
        messages[1].to_string().contains("position 3"),
        "{}",
        messages[1]
    );
    assert!(
        messages[2].to_string().contains("at least one token"),
        "{}",
        messages[2]
    );
}

#[test]
fn the_feed_forward_part_works_on_each_token_for_itself() {
    let part = block(3, 8, 2).feed_forward;
    let x = numbers(5, 4, 8);
    let together = part.forward(&x).unwrap();
    for t in 0..4 {
        let alone = part.forward(&x.slice(s![t..=t, ..]).to_owned()).unwrap();
        let worst = (&alone - &together.slice(s![t..=t, ..]))
            .mapv(f32::abs)
            .iter()
            .copied()
            .fold(0.0, f32::max);
        // Sums of 32 numbers of unit size in another order.
        assert!(worst < 1e-5, "token {t}: {worst}");
    }
}

#[test]
fn a_block_whose_parts_say_nothing_passes_its_input_on() {
    let mut silent = block(3, 8, 2);
    silent.attention.o_proj.fill(0.0);
    silent.attention_bias.fill(0.0);
    silent.feed_forward.down.weight.fill(0.0);
    silent.feed_forward.down.bias.fill(0.0);
    let x = numbers(5, 4, 8);
    assert_eq!(silent.forward(&x).unwrap(), x);
    assert_ne!(block(3, 8, 2).forward(&x).unwrap(), x);
}

#[test]
fn logits_of_a_token_do_not_change_when_text_follows() {
    let model = model(20, 6, 8);
    let (short, long) = (
        model.forward(&[3, 1, 4]).unwrap(),
        model.forward(&[3, 1, 4, 1, 5]).unwrap(),
    );
    assert_eq!(long.dim(), (5, 20));
    let worst = (&short - &long.slice(s![..3, ..]))
        .mapv(f32::abs)
        .iter()
        .copied()
        .fold(0.0, f32::max);
    assert!(
        worst < 1e-5,
        "sums of unit numbers in another order: {worst}"
    );
}

#[test]
fn learned_positions_tell_equal_tokens_apart() {
    let logits = model(20, 6, 8).forward(&[7, 7]).unwrap();
    assert_ne!(logits.row(0), logits.row(1));
    let mut placeless = model(20, 6, 8);
    placeless.embeddings.positions.fill(0.0);
    let logits = placeless.forward(&[7, 7]).unwrap();
    let worst = (&logits.row(0) - &logits.row(1))
        .mapv(f32::abs)
        .iter()
        .copied()
        .fold(0.0, f32::max);
    assert!(
        worst < 1e-6,
        "attention over equal tokens is the token itself: {worst}"
    );
}

#[test]
fn a_tied_head_is_the_token_table() {
    let tied = model(20, 6, 8);
    let untied = GptModel {
        out_head: Some(tied.embeddings.tokens.clone()),
        ..tied.clone()
    };
    assert_eq!(
        tied.forward(&[1, 2]).unwrap(),
        untied.forward(&[1, 2]).unwrap()
    );
    assert_eq!(untied.n_parameters() - tied.n_parameters(), 20 * 8);
    let narrow = GptModel {
        out_head: Some(numbers(1, 20, 7)),
        ..tied
    };
    assert!(narrow.forward(&[1]).is_err());
}

#[test]
fn a_gpt2_small_block_has_seven_million_parameters() {
    // 12 of them, the tables (50,257 + 1,024) · 768, a final norm of 1,536 and an untied head of
    // 50,257 · 768 are the 163,009,536 that the book counts in section 4.6; 124,412,160 when tied.
    let one = block(1, 768, 12).n_parameters();
    assert_eq!(one, 7_085_568);
    assert_eq!(12 * one + (50_257 + 1024) * 768 + 1536, 124_412_160);
    assert_eq!(12 * one + (2 * 50_257 + 1024) * 768 + 1536, 163_009_536);
}

#[test]
fn a_block_that_does_not_fit_is_an_error() {
    let x = numbers(5, 4, 8);
    assert!(
        GptBlock {
            n_heads: 3,
            ..block(3, 8, 2)
        }
        .forward(&x)
        .is_err()
    );
    assert!(
        GptBlock {
            attention_bias: Array1::zeros(7),
            ..block(3, 8, 2)
        }
        .forward(&x)
        .is_err()
    );
    let mut torn = block(3, 8, 2);
    torn.feed_forward.up.bias = Array1::zeros(5);
    let message = torn.forward(&x).unwrap_err().to_string();
    assert!(
        message.contains("linear: `bias` has shape [5], expected [n_out] = [32]"),
        "{message}"
    );
}

proptest! {
    #[test]
    fn layer_norm_leaves_mean_zero_and_variance_one(
        rows in prop::collection::vec(prop::collection::vec(-100f32..100.0, 8), 1..5),
    ) {
        let x = Array2::from_shape_fn((rows.len(), 8), |(t, i)| rows[t][i] + i as f32);
        let y = LayerNorm::new(8).forward(&x).unwrap();
        for (row, input) in y.rows().into_iter().zip(x.rows()) {
            // The mean of eight numbers near 100 is off by some 1e-5, which a small deviation enlarges.
            prop_assume!(input.var(0.0) > 1.0);
            prop_assert!(row.sum().abs() / 8.0 < 1e-4, "mean {}", row.sum() / 8.0);
            prop_assert!((row.var(0.0) - 1.0).abs() < 1e-3, "variance {}", row.var(0.0));
        }
    }

    #[test]
    fn layer_norm_ignores_the_size_and_the_offset_of_its_input(
        row in prop::collection::vec(-10f32..10.0, 6), size in 1f32..20.0, offset in -10f32..10.0,
    ) {
        let x = Array2::from_shape_fn((1, 6), |(_, i)| row[i]);
        prop_assume!(x.var(0.0) > 1.0);
        let norm = LayerNorm::new(6);
        let difference = norm.forward(&x).unwrap() - norm.forward(&(&x * size + offset)).unwrap();
        prop_assert!(difference.iter().all(|d| d.abs() < 1e-3), "{}", difference);
    }
}
