//! Chapter 3, attention. Run with `cargo test --test ch03`; read with `notes/ch03-attention.md`.
//!
//! The claims stand in the order of the book's sections; those about several heads are in
//! `ch03/heads.rs`.

#[path = "../examples/figure_ch03.rs"]
#[expect(dead_code, reason = "the program's `main` is not called here")]
mod figure;
#[path = "ch03/heads.rs"]
mod heads;
#[path = "ch03/support.rs"]
mod support;

use gollm_model::ladder::{
    Attended, HeadWeights, average, causal, dot_product, mask_future, self_attention, softmax_rows,
};
use gollm_tensor::Device;
use ndarray::{Array1, Array2, Axis, array, s};
use proptest::prelude::*;
use support::{PRINTED, ROUNDING, assert_close, head, journey, numbers};

fn assert_rows_sum_to_one(weights: &Array2<f32>) {
    for (t, sum) in weights.sum_axis(Axis(1)).into_iter().enumerate() {
        assert!((sum - 1.0).abs() < 1e-6, "row {t} sums to {sum}");
    }
}

// Section 3.3: attending to different parts of the input.

#[test]
fn s3_equal_scores_make_every_context_vector_the_average() {
    let x = journey();
    let Attended {
        weights, context, ..
    } = average(&x).unwrap();
    assert_close(&weights, &Array2::from_elem((6, 6), 1.0 / 6.0), 1e-7);
    let mean = Array1::from_iter(x.columns().into_iter().map(|column| column.sum() / 6.0));
    assert_close(&context, &mean.broadcast((6, 3)).unwrap().to_owned(), 1e-6);
}

#[test]
fn s3_scores_of_journey_are_dot_products() {
    let scores = dot_product(&journey())
        .unwrap()
        .scores
        .slice(s![1..2, ..])
        .to_owned();
    assert_close(
        &scores,
        &array![[0.9544, 1.4950, 1.4754, 0.8434, 0.7070, 1.0865]],
        PRINTED,
    );
}

#[test]
fn s3_weights_of_journey_are_shares_of_one() {
    let weights = dot_product(&journey())
        .unwrap()
        .weights
        .slice(s![1..2, ..])
        .to_owned();
    assert_close(
        &weights,
        &array![[0.1385, 0.2379, 0.2333, 0.1240, 0.1082, 0.1581]],
        PRINTED,
    );
}

#[test]
fn s3_the_context_vector_of_journey_is_a_weighted_average() {
    let context = dot_product(&journey())
        .unwrap()
        .context
        .slice(s![1..2, ..])
        .to_owned();
    assert_close(&context, &array![[0.4419, 0.6515, 0.5683]], PRINTED);
}

#[test]
fn s3_every_row_of_weights_sums_to_one() {
    assert_rows_sum_to_one(&dot_product(&journey()).unwrap().weights);
}

#[test]
fn s3_softmax_is_not_changed_by_adding_the_same_number_to_a_row() {
    let scores = array![[0.0, 1.0, 3.0], [-2.0, 0.5, 0.0]];
    assert_close(
        &softmax_rows(&scores),
        &softmax_rows(&(&scores + 100.0)),
        ROUNDING,
    );
}

#[test]
fn s3_softmax_of_large_scores_is_finite() {
    // exp(1000) is infinite in f32; without subtracting the largest score this row would be NaN.
    assert_eq!(
        softmax_rows(&array![[1000.0, 1000.0], [-1e30, 1e30]]),
        array![[0.5, 0.5], [0.0, 1.0]]
    );
}

#[test]
fn s3_softmax_here_is_softmax_on_a_tensor() {
    let scores = numbers(7, 5, 9) * 4.0;
    let flat: Vec<f32> = scores.iter().copied().collect();
    let on_device = Device::reference()
        .tensor(&[5, 9], &flat)
        .unwrap()
        .softmax()
        .unwrap();
    let on_device = Array2::from_shape_vec((5, 9), on_device.to_vec().unwrap()).unwrap();
    assert_close(&softmax_rows(&scores), &on_device, 1e-6);
}

#[test]
fn s3_attention_does_not_know_the_order_of_the_words() {
    // Why positions must come from elsewhere: learned vectors in GPT-2, rotation in LLaMA.
    let x = journey();
    let order = [3, 0, 5, 1, 4, 2];
    let shuffled = dot_product(&x.select(Axis(0), &order)).unwrap().context;
    assert_close(
        &shuffled,
        &dot_product(&x).unwrap().context.select(Axis(0), &order),
        ROUNDING,
    );
}

#[test]
fn s3_nothing_to_attend_to_is_an_error() {
    for empty in [Array2::zeros((0, 3)), Array2::zeros((3, 0))] {
        assert!(average(&empty).is_err());
        let message = dot_product(&empty).unwrap_err().to_string();
        assert!(message.contains("dot_product: `x` has shape"), "{message}");
    }
}

// Section 3.4: trainable weights.

#[test]
fn s4_projections_that_undo_the_scale_give_back_the_rung_below() {
    let x = journey();
    let same = Array2::eye(3);
    let head = HeadWeights {
        q_proj: &same * 3.0f32.sqrt(),
        k_proj: same.clone(),
        v_proj: same,
    };
    let with = self_attention(&x, &head).unwrap();
    let without = dot_product(&x).unwrap();
    assert_close(&with.weights, &without.weights, 1e-6);
    assert_close(&with.context, &without.context, 1e-6);
}

#[test]
fn s4_without_queries_attention_is_the_average_of_the_values() {
    let x = journey();
    let blind = HeadWeights {
        q_proj: Array2::zeros((2, 3)),
        ..head(1, 2, 3)
    };
    let values = x.dot(&blind.v_proj.t());
    assert_close(
        &self_attention(&x, &blind).unwrap().context,
        &average(&values).unwrap().context,
        1e-6,
    );
}

#[test]
fn s4_keys_decide_who_is_attended_to_and_values_what_is_passed_on() {
    let x = journey();
    let first = head(1, 2, 3);
    let other_values = HeadWeights {
        v_proj: head(2, 2, 3).v_proj,
        ..first.clone()
    };
    let other_keys = HeadWeights {
        k_proj: head(2, 2, 3).k_proj,
        ..first.clone()
    };
    let [first, values, keys] =
        [first, other_values, other_keys].map(|head| self_attention(&x, &head).unwrap());
    assert_eq!(first.weights, values.weights);
    assert_ne!(first.context, values.context);
    assert_ne!(first.weights, keys.weights);
}

#[test]
fn s4_a_head_can_be_narrower_than_the_stream() {
    let attended = self_attention(&journey(), &head(1, 2, 3)).unwrap();
    assert_eq!(attended.context.dim(), (6, 2));
    assert_eq!(attended.weights.dim(), (6, 6));
}

#[test]
fn s4_dividing_by_the_root_of_head_dim_keeps_scores_at_unit_size() {
    // Queries and keys whose numbers have variance 1, in heads of three widths.
    for head_dim in [16, 64, 256] {
        let (q, k) = (numbers(1, 100, head_dim), numbers(2, 100, head_dim));
        let raw = q.dot(&k.t()).var(0.0);
        let scaled = (q.dot(&k.t()) / (head_dim as f32).sqrt()).var(0.0);
        // 10,000 scores: their variance is within a few per cent of what is expected.
        assert!(
            (raw / head_dim as f32 - 1.0).abs() < 0.1,
            "{head_dim}: {raw}"
        );
        assert!((scaled - 1.0).abs() < 0.1, "{head_dim}: {scaled}");
    }
}

#[test]
fn s4_without_the_scale_a_wide_head_looks_at_one_token_only() {
    let head_dim = 256;
    let scores = numbers(1, 50, head_dim).dot(&numbers(2, 50, head_dim).t());
    let mean_largest = |scores: &Array2<f32>| {
        let weights = softmax_rows(scores);
        weights
            .rows()
            .into_iter()
            .map(|row| row.fold(0.0, |a: f32, &b| a.max(b)))
            .sum::<f32>()
            / 50.0
    };
    let unscaled = mean_largest(&scores);
    let scaled = mean_largest(&(scores / (head_dim as f32).sqrt()));
    assert!(
        unscaled > 0.8,
        "nearly all weight on one of 50 tokens: {unscaled}"
    );
    assert!(scaled < 0.25, "spread over many tokens: {scaled}");
}

#[test]
fn s4_a_projection_of_the_wrong_shape_is_named() {
    let wrong = HeadWeights {
        k_proj: Array2::zeros((2, 4)),
        ..head(1, 2, 3)
    };
    let message = self_attention(&journey(), &wrong).unwrap_err().to_string();
    let expected =
        "self_attention: `k_proj` has shape [2, 4], expected [head_dim, emb_dim] = [2, 3]";
    assert_eq!(message, expected);
}

// Section 3.5: hiding future words.

#[test]
fn s5_no_weight_lies_above_the_diagonal_and_rows_still_sum_to_one() {
    let weights = causal(&journey(), &head(1, 2, 3)).unwrap().weights;
    for ((t, s), &weight) in weights.indexed_iter() {
        assert_eq!(
            weight == 0.0,
            s > t,
            "weight {weight} of token {s} in token {t}"
        );
    }
    assert_rows_sum_to_one(&weights);
}

#[test]
fn s5_the_first_token_attends_to_itself_and_the_last_to_all() {
    let (x, head) = (journey(), head(1, 2, 3));
    let attended = causal(&x, &head).unwrap();
    let values = x.dot(&head.v_proj.t());
    assert_eq!(attended.weights[[0, 0]], 1.0);
    assert_eq!(attended.context.row(0), values.row(0));
    let last = |context: Array2<f32>| context.slice(s![5.., ..]).to_owned();
    assert_close(
        &last(attended.context),
        &last(self_attention(&x, &head).unwrap().context),
        1e-6,
    );
}

#[test]
fn s5_a_later_token_cannot_change_an_earlier_one() {
    let head = head(1, 2, 3);
    let before = causal(&journey(), &head).unwrap().context;
    let mut edited = journey();
    edited.row_mut(5).fill(9.0);
    let after = causal(&edited, &head).unwrap().context;
    for t in 0..5 {
        // Equal to the last bit: a weight of zero times any number is zero.
        assert_eq!(before.row(t), after.row(t), "token {t} saw the future");
    }
    assert_ne!(before.row(5), after.row(5));
}

#[test]
fn s5_without_the_mask_it_can() {
    let head = head(1, 2, 3);
    let mut edited = journey();
    edited.row_mut(5).fill(9.0);
    let before = self_attention(&journey(), &head).unwrap().context;
    assert_ne!(
        before.row(0),
        self_attention(&edited, &head).unwrap().context.row(0)
    );
}

#[test]
fn s5_masking_before_softmax_is_masking_after_it_and_dividing_again() {
    // The book's first way: zeros into the weights of the rung below, then each row back to sum 1.
    let (x, head) = (journey(), head(1, 2, 3));
    let mut weights = self_attention(&x, &head).unwrap().weights;
    weights
        .indexed_iter_mut()
        .for_each(|((t, s), weight)| *weight *= f32::from(u8::from(s <= t)));
    let sums = weights.sum_axis(Axis(1)).insert_axis(Axis(1));
    assert!(
        sums[[0, 0]] < 0.5,
        "zeros alone leave rows that do not sum to 1"
    );
    assert_close(&causal(&x, &head).unwrap().weights, &(weights / sums), 1e-6);
}

#[test]
fn s5_the_mask_leaves_every_score_of_the_past_alone() {
    let (x, head) = (journey(), head(1, 2, 3));
    let mut scores = self_attention(&x, &head).unwrap().scores;
    mask_future(&mut scores);
    assert_eq!(scores, causal(&x, &head).unwrap().scores);
    assert_eq!(
        scores.iter().filter(|score| score.is_infinite()).count(),
        5 + 4 + 3 + 2 + 1
    );
}

#[test]
fn the_figure_shows_what_the_code_computes() {
    let committed = include_str!("../../../notes/figures/ch03-attention.svg");
    let hint = "remake it with `cargo run -p gollm-model --example figure_ch03`";
    assert!(
        figure::svg().unwrap() == committed,
        "notes/figures/ch03-attention.svg is out of date; {hint}"
    );
}

proptest! {
    #[test]
    fn s3_context_vectors_stay_between_the_smallest_and_the_largest_token(
        seed: u64, n_tokens in 1usize..12, emb_dim in 1usize..9,
    ) {
        let x = numbers(seed, n_tokens, emb_dim);
        let context = dot_product(&x).unwrap().context;
        for (column, mixed) in x.columns().into_iter().zip(context.columns()) {
            let low = column.fold(f32::INFINITY, |a, &b| a.min(b));
            let high = column.fold(f32::NEG_INFINITY, |a, &b| a.max(b));
            for &value in mixed {
                prop_assert!(value >= low - ROUNDING && value <= high + ROUNDING);
            }
        }
    }

    #[test]
    fn s5_the_beginning_of_a_text_gives_the_same_rows_alone(
        seed in 0u64..1 << 32, n_tokens in 2usize..12, emb_dim in 1usize..9, head_dim in 1usize..9,
    ) {
        // Why a decoder may cache: what is computed for a token never has to be computed again.
        let (x, head) = (numbers(seed, n_tokens, emb_dim), head(seed, head_dim, emb_dim));
        let whole = causal(&x, &head).unwrap().context;
        for n in 1..n_tokens {
            let start = causal(&x.slice(s![..n, ..]).to_owned(), &head).unwrap().context;
            assert_close(&start, &whole.slice(s![..n, ..]).to_owned(), ROUNDING);
        }
    }
}
