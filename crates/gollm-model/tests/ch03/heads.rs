//! Sections 3.6 and after: several heads, and heads that share keys and values.

use gollm_model::ladder::{
    AttentionWeights, HeadWeights, causal, grouped_query, grouped_query_attention, multi_head,
    multi_head_stacked,
};
use gollm_tensor::{CachedAttention, Device, Place, RopeTable};
use ndarray::{Array2, Axis, array, concatenate, s};
use proptest::prelude::*;

use crate::support::{ROUNDING, assert_close, head, journey, numbers};

/// A layer's projections; divided by √columns so that all results keep about unit size.
fn layer(seed: u64, q_dim: usize, kv_dim: usize, emb_dim: usize) -> AttentionWeights {
    let projection =
        |i, rows, columns: usize| numbers(seed * 10 + i, rows, columns) / (columns as f32).sqrt();
    AttentionWeights {
        q_proj: projection(1, q_dim, emb_dim),
        k_proj: projection(2, kv_dim, emb_dim),
        v_proj: projection(3, kv_dim, emb_dim),
        o_proj: projection(4, emb_dim, q_dim),
    }
}

// Section 3.6: several heads.

#[test]
fn s6_one_split_projection_is_many_stacked_heads() {
    let x = numbers(3, 6, 12);
    let heads: Vec<HeadWeights> = (1..=3).map(|seed| head(seed, 4, 12)).collect();
    let stacked = multi_head_stacked(&x, &heads).unwrap();
    // An output projection that changes nothing, so that what is compared are the heads.
    let layer = AttentionWeights::stack(&heads, Array2::eye(12)).unwrap();
    assert_close(&multi_head(&x, &layer, 3).unwrap(), &stacked, ROUNDING);
}

#[test]
fn s6_one_head_is_causal_attention() {
    let (x, head) = (journey(), head(1, 3, 3));
    let layer = AttentionWeights::stack(std::slice::from_ref(&head), Array2::eye(3)).unwrap();
    assert_close(
        &multi_head(&x, &layer, 1).unwrap(),
        &causal(&x, &head).unwrap().context,
        1e-6,
    );
}

#[test]
fn s6_two_heads_of_one_number_give_vectors_of_two() {
    // The book's exercise 3.2: two heads, two numbers in all.
    let heads = [head(1, 1, 3), head(2, 1, 3)];
    assert_eq!(
        multi_head_stacked(&journey(), &heads).unwrap().dim(),
        (6, 2)
    );
}

#[test]
fn s6_different_heads_attend_to_different_tokens() {
    let x = journey();
    let [a, b] = [1, 2].map(|seed| causal(&x, &head(seed, 2, 3)).unwrap().weights);
    assert!((&a - &b).iter().any(|difference| difference.abs() > 0.01));
}

#[test]
fn s6_the_order_of_heads_is_a_convention_that_the_output_projection_knows() {
    let x = numbers(3, 5, 8);
    let heads = [head(1, 4, 8), head(2, 4, 8)];
    let o_proj = numbers(9, 8, 8);
    let swapped_columns = concatenate![
        Axis(1),
        o_proj.slice(s![.., 4..]),
        o_proj.slice(s![.., ..4])
    ];
    let swapped_heads = [heads[1].clone(), heads[0].clone()];
    let layer = AttentionWeights::stack(&heads, o_proj).unwrap();
    let swapped = AttentionWeights::stack(&swapped_heads, swapped_columns).unwrap();
    let (a, b) = (
        multi_head(&x, &layer, 2).unwrap(),
        multi_head(&x, &swapped, 2).unwrap(),
    );
    assert_close(&a, &b, ROUNDING);
}

#[test]
fn s6_attention_of_gpt2_small_has_two_million_parameters_a_layer() {
    // The book's exercise 3.3: 12 heads of 64 numbers in a stream of 768.
    let layer = layer(1, 768, 768, 768);
    let AttentionWeights {
        q_proj,
        k_proj,
        v_proj,
        o_proj,
    } = &layer;
    let n_parameters: usize = [q_proj, k_proj, v_proj, o_proj]
        .iter()
        .map(|m| m.len())
        .sum();
    assert_eq!(n_parameters, 2_359_296);
    assert_eq!(
        multi_head(&numbers(1, 2, 768), &layer, 12).unwrap().dim(),
        (2, 768)
    );
}

#[test]
fn s6_heads_that_do_not_divide_are_an_error() {
    let x = numbers(3, 5, 8);
    for n_heads in [0, 3, 16] {
        let message = multi_head(&x, &layer(1, 8, 8, 8), n_heads)
            .unwrap_err()
            .to_string();
        assert!(
            message.contains(&format!("n_heads = {n_heads}")),
            "{message}"
        );
    }
    assert!(multi_head_stacked(&x, &[]).is_err());
    assert!(AttentionWeights::stack(&[], Array2::eye(8)).is_err());
    assert!(AttentionWeights::stack(&[head(1, 4, 8), head(1, 4, 6)], Array2::eye(8)).is_err());
}

// Beyond the book's chapter: grouped queries, as LLaMA has them.

#[test]
fn s7_as_many_key_value_heads_as_query_heads_is_multi_head_attention() {
    let (x, layer) = (numbers(3, 6, 12), layer(1, 12, 12, 12));
    let grouped = grouped_query(&x, &layer, 3, 3).unwrap();
    assert_close(&grouped, &multi_head(&x, &layer, 3).unwrap(), 1e-6);
}

#[test]
fn s7_sharing_a_head_is_having_it_twice() {
    // Two query heads sharing one key/value head are two key/value heads that hold the same numbers.
    let q = array![[1.0, 0.0, 0.0, 1.0], [0.5, 0.5, 1.0, -1.0]];
    let kv = array![[1.0, 2.0], [3.0, -1.0]];
    let twice = array![[1.0, 2.0, 1.0, 2.0], [3.0, -1.0, 3.0, -1.0]];
    let shared = grouped_query_attention(&q, &kv, &kv, 2, 1).unwrap();
    assert_eq!(
        shared,
        grouped_query_attention(&q, &twice, &twice, 2, 2).unwrap()
    );
}

#[test]
fn s7_query_head_h_reads_key_value_head_h_over_group_size() {
    // Four query heads of two numbers, two key/value heads. All scores are equal, so each head gives
    // the average of its values: 0 and 0 from the first key/value head, 10 and 20 from the second.
    let q = Array2::zeros((2, 8));
    let v = array![[0.0, 0.0, 10.0, 20.0], [0.0, 0.0, 10.0, 20.0]];
    let context = grouped_query_attention(&q, &v, &v, 4, 2).unwrap();
    assert_eq!(
        context.row(1),
        array![0.0, 0.0, 0.0, 0.0, 10.0, 20.0, 10.0, 20.0]
    );
}

#[test]
fn s7_one_key_value_head_is_multi_query_attention() {
    let (x, layer) = (numbers(3, 6, 12), layer(1, 12, 4, 12));
    let grouped = grouped_query(&x, &layer, 3, 1).unwrap();
    // Multi-query attention by the rung of single heads: every head has the same keys and values.
    let heads: Vec<HeadWeights> = (0..3)
        .map(|h| HeadWeights {
            q_proj: layer.q_proj.slice(s![h * 4..(h + 1) * 4, ..]).to_owned(),
            k_proj: layer.k_proj.clone(),
            v_proj: layer.v_proj.clone(),
        })
        .collect();
    let stacked = multi_head_stacked(&x, &heads)
        .unwrap()
        .dot(&layer.o_proj.t());
    assert_close(&grouped, &stacked, ROUNDING);
}

#[test]
fn s7_groups_that_do_not_divide_are_an_error() {
    let x = numbers(3, 5, 12);
    for (n_heads, n_kv_heads) in [(3, 2), (2, 3), (0, 1), (3, 0), (0, 0)] {
        let message = grouped_query(&x, &layer(1, 12, 8, 12), n_heads, n_kv_heads);
        let message = message.unwrap_err().to_string();
        assert!(
            message.contains(&format!("[{n_heads}, {n_kv_heads}]")),
            "{message}"
        );
    }
    assert!(grouped_query_attention(&x, &x, &x, usize::MAX, 1).is_err());
}

#[test]
fn s7_the_models_own_attention_is_the_last_rung() {
    let (n_tokens, n_heads, n_kv_heads, head_dim) = (7, 4, 2, 6);
    let (q_dim, kv_dim) = (n_heads * head_dim, n_kv_heads * head_dim);
    let q = numbers(1, n_tokens, q_dim);
    let (k, v) = (numbers(2, n_tokens, kv_dim), numbers(3, n_tokens, kv_dim));
    let expected = grouped_query_attention(&q, &k, &v, n_heads, n_kv_heads).unwrap();

    let device = Device::reference();
    let tensor = |m: &Array2<f32>| {
        device
            .tensor(m.shape(), &m.iter().copied().collect::<Vec<_>>())
            .unwrap()
    };
    // Pairs that do not turn: positions are chapter 4's subject.
    let rope = RopeTable::new(&device, &vec![0.0; head_dim / 2], n_tokens).unwrap();
    let mut keys = device.zeros(&[1, n_tokens, kv_dim]).unwrap();
    let mut values = device.zeros(&[1, n_tokens, kv_dim]).unwrap();
    let places = Place::run(0, 0, n_tokens);
    let cache = CachedAttention {
        keys: &mut keys,
        values: &mut values,
        rope: &rope,
        places: &places,
        head_dim,
    };
    let context = tensor(&q)
        .cached_attention(&tensor(&k), &tensor(&v), cache)
        .unwrap();
    let context = Array2::from_shape_vec((n_tokens, q_dim), context.to_vec().unwrap()).unwrap();
    assert_close(&context, &expected, ROUNDING);
}

proptest! {
    #[test]
    fn s7_grouped_queries_are_multi_head_attention_with_repeated_heads(
        seed in 0u64..1 << 32, n_tokens in 1usize..8, n_kv_heads in 1usize..4, group in 1usize..4,
        head_dim in 1usize..6, emb_dim in 1usize..9,
    ) {
        let n_heads = n_kv_heads * group;
        let x = numbers(seed, n_tokens, emb_dim);
        let shared = layer(seed, n_heads * head_dim, n_kv_heads * head_dim, emb_dim);
        let repeat = |m: &Array2<f32>| {
            let rows: Vec<usize> = (0..n_heads * head_dim)
                .map(|row| row / head_dim / group * head_dim + row % head_dim)
                .collect();
            m.select(Axis(0), &rows)
        };
        let repeated = AttentionWeights {
            k_proj: repeat(&shared.k_proj),
            v_proj: repeat(&shared.v_proj),
            ..shared.clone()
        };
        let grouped = grouped_query(&x, &shared, n_heads, n_kv_heads).unwrap();
        assert_close(&grouped, &multi_head(&x, &repeated, n_heads).unwrap(), ROUNDING);
    }
}
