//! What holds for all logits and all valid options.

use gollm_sampler::{
    Candidates, Error, Sampler, SamplerOptions, keep_min_p, keep_top_k, keep_top_p,
};
use proptest::prelude::*;

/// Few distinct values, so that ties are common, and some extreme ones.
fn logits() -> impl Strategy<Value = Vec<f32>> {
    let logit = prop_oneof![
        8 => (-20i8..20).prop_map(|v| f32::from(v) / 4.0),
        4 => -30.0f32..30.0,
        1 => Just(f32::MAX),
        1 => Just(f32::MIN),
    ];
    prop::collection::vec(logit, 1..80)
}

prop_compose! {
    fn options()(
        temperature in prop_oneof![Just(0.0f32), Just(1e-40), 0.01f32..5.0, Just(f32::MAX)],
        top_k in 0usize..100,
        top_p in 0.001f32..=1.0,
        min_p in 0.0f32..=1.0,
        repetition_penalty in 0.1f32..3.0,
        repeat_last_n in prop_oneof![0usize..10, Just(usize::MAX)],
        presence_penalty in -2.0f32..2.0,
        frequency_penalty in -2.0f32..2.0,
        seed in any::<u64>(),
    ) -> SamplerOptions {
        SamplerOptions {
            temperature, top_k, top_p, min_p, repetition_penalty, repeat_last_n,
            presence_penalty, frequency_penalty, seed,
        }
    }
}

/// Earlier ids that exist in a vocabulary of `n_logits`.
fn wrapped(previous: &[u32], n_logits: usize) -> Vec<u32> {
    previous.iter().map(|id| id % n_logits as u32).collect()
}

proptest! {
    #[test]
    fn the_table_is_a_sorted_distribution_and_every_draw_is_in_it(
        logits in logits(), options in options(), previous in prop::collection::vec(0u32..80, 0..20)
    ) {
        let previous = wrapped(&previous, logits.len());
        let mut sampler = Sampler::new(options).unwrap();
        let table = sampler.distribution(&logits, &previous).unwrap();
        prop_assert!(!table.is_empty());
        let sum: f64 = table.iter().map(|(_, p)| f64::from(*p)).sum();
        // Each of up to 80 probabilities is rounded to f32 once: 80 · 2⁻²⁵ at most.
        prop_assert!((sum - 1.0).abs() < 3e-6, "sum {}", sum);
        prop_assert!(table.windows(2).all(|pair| pair[0].1 >= pair[1].1));
        for _ in 0..5 {
            let id = sampler.sample(&logits, &previous).unwrap();
            prop_assert!(table.iter().any(|(other, p)| *other == id && *p > 0.0), "drew {id} of {table:?}");
        }
    }

    #[test]
    fn greedy_equals_the_whole_chain_at_temperature_zero(
        logits in logits(), options in options(), previous in prop::collection::vec(0u32..80, 0..20)
    ) {
        let previous = wrapped(&previous, logits.len());
        let mut sampler = Sampler::new(SamplerOptions { temperature: 0.0, ..options }).unwrap();
        let table = sampler.distribution(&logits, &previous).unwrap();
        prop_assert_eq!(table, vec![(sampler.sample(&logits, &previous).unwrap(), 1.0)]);
    }

    #[test]
    fn top_k_is_the_head_of_the_full_sort(logits in logits(), k in 1usize..100) {
        let mut cut = Candidates::new(&logits).unwrap();
        keep_top_k(&mut cut, k);
        let mut sorted: Vec<(u32, f32)> = (0u32..).zip(logits.iter().copied()).collect();
        // A stable sort: equal logits stay in id order.
        sorted.sort_by(|a, b| b.1.partial_cmp(&a.1).unwrap());
        sorted.truncate(k);
        let found: Vec<(u32, f32)> = cut.entries().iter().map(|c| (c.id, c.logit)).collect();
        prop_assert_eq!(found, sorted);
    }

    #[test]
    fn top_p_holds_p_and_would_not_without_its_last(logits in logits(), p in 0.001f32..1.0) {
        let full = Candidates::new(&logits).unwrap().probabilities();
        let mut cut = Candidates::new(&logits).unwrap();
        keep_top_p(&mut cut, p);
        let n_kept = cut.entries().len();
        let held = |n: usize| full[..n].iter().map(|(_, p)| f64::from(*p)).sum::<f64>();
        // The table is rounded to f32, the cut is made in f64.
        prop_assert!(held(n_kept) >= f64::from(p) - 3e-6);
        prop_assert!(held(n_kept - 1) < f64::from(p) + 3e-6);
    }

    #[test]
    fn min_p_keeps_the_best_and_nothing_below_the_line(logits in logits(), min_p in 0.001f32..=1.0) {
        let full = Candidates::new(&logits).unwrap().probabilities();
        let mut cut = Candidates::new(&logits).unwrap();
        let best = cut.best().unwrap();
        keep_min_p(&mut cut, min_p);
        prop_assert!(cut.entries().contains(&best));
        let line = min_p * full[0].1;
        for &(id, p) in &full {
            let kept = cut.entries().iter().any(|c| c.id == id);
            // 1e-5 relative: both sides are rounded to f32.
            if p > line * 1.00001 { prop_assert!(kept, "{} has {} of {}", id, p, line); }
            if p < line * 0.99999 { prop_assert!(!kept, "{} has {} of {}", id, p, line); }
        }
    }

    #[test]
    fn adding_a_constant_to_all_logits_changes_no_draw(seed in any::<u64>(), shift in -8i8..8) {
        // Eighths and small integers: the sums are exact in f32.
        let logits: Vec<f32> = (0..20u8).map(|v| f32::from(v) / 8.0).collect();
        let shifted: Vec<f32> = logits.iter().map(|v| v + f32::from(shift)).collect();
        let options = SamplerOptions { seed, ..Default::default() };
        let (mut a, mut b) = (Sampler::new(options).unwrap(), Sampler::new(options).unwrap());
        for _ in 0..10 {
            prop_assert_eq!(a.sample(&logits, &[]).unwrap(), b.sample(&shifted, &[]).unwrap());
        }
    }

    #[test]
    fn one_broken_logit_anywhere_is_found_and_no_draw_is_spent(
        logits in logits(), at in any::<prop::sample::Index>(), kind in 0usize..3
    ) {
        let index = at.index(logits.len());
        let mut broken = logits.clone();
        broken[index] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY][kind];
        let options = SamplerOptions { temperature: 1.0, ..Default::default() };
        let (mut a, mut b) = (Sampler::new(options).unwrap(), Sampler::new(options).unwrap());
        let error = a.sample(&broken, &[]).unwrap_err();
        let found = match error {
            Error::NonFiniteLogit { index, .. } => Some(index),
            _ => None,
        };
        prop_assert_eq!(found, Some(index));
        prop_assert_eq!(a.sample(&logits, &[]).unwrap(), b.sample(&logits, &[]).unwrap());
    }
}
