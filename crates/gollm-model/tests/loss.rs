//! Cross-entropy and perplexity: values that can be checked by hand, and what is refused.

use gollm_model::loss::{cross_entropy, mean_cross_entropy, perplexity};
use proptest::prelude::*;

#[test]
fn uniform_logits_lose_the_logarithm_of_the_vocabulary() {
    for vocab_size in [1usize, 2, 256, 32_768] {
        let loss = cross_entropy(&vec![-3.25; vocab_size], 0).unwrap();
        let expected = (vocab_size as f64).ln();
        // The sum of at most 32,768 ones is exact in f64; only the logarithm rounds.
        assert!(
            (loss - expected).abs() < 1e-12,
            "{vocab_size}: {loss} against {expected}"
        );
        assert!((perplexity(loss) / vocab_size as f64 - 1.0).abs() < 1e-12);
    }
}

#[test]
fn the_loss_is_minus_the_logarithm_of_the_targets_probability() {
    // softmax([0, ln 2, ln 5]) = [1/8, 2/8, 5/8]; the logits themselves are rounded to f32.
    let logits = [0.0, 2.0f32.ln(), 5.0f32.ln()];
    for (target, probability) in [(0, 0.125f64), (1, 0.25), (2, 0.625)] {
        let loss = cross_entropy(&logits, target).unwrap();
        assert!((loss + probability.ln()).abs() < 1e-7, "{target}: {loss}");
    }
}

#[test]
fn the_mean_is_over_positions() {
    let logits = [0.0, 0.0, 0.0, 2.0f32.ln(), 5.0f32.ln(), 0.0];
    let mean = mean_cross_entropy(&logits, &[1, 0]).unwrap();
    let expected = (3.0f64.ln() + 4.0f64.ln()) / 2.0;
    assert!((mean - expected).abs() < 1e-7, "{mean} against {expected}");
    assert!((perplexity(mean) - 12.0f64.sqrt()).abs() < 1e-6);
}

#[test]
fn logits_of_any_finite_size_give_a_finite_loss() {
    assert_eq!(cross_entropy(&[1e38, 0.0], 0).unwrap(), 0.0);
    assert!((cross_entropy(&[1e38, 0.0], 1).unwrap() / 1e38 - 1.0).abs() < 1e-6);
    let widest = cross_entropy(&[f32::MAX, f32::MIN], 1).unwrap();
    assert!((widest / (2.0 * f64::from(f32::MAX)) - 1.0).abs() < 1e-12);
}

#[test]
fn a_target_outside_the_vocabulary_is_an_error() {
    let message = cross_entropy(&[0.0, 1.0], 2).unwrap_err().to_string();
    assert!(
        message.contains("target 2") && message.contains("there are 2"),
        "{message}"
    );
    assert!(mean_cross_entropy(&[0.0; 4], &[0, u32::MAX]).is_err());
    assert!(cross_entropy(&[], 0).is_err());
}

#[test]
fn a_logit_that_is_no_number_is_an_error_with_its_place() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let logits = [0.0, 1.0, 2.0, 0.0, bad, 2.0];
        let message = mean_cross_entropy(&logits, &[0, 2])
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("[1, 1]") && message.contains("finite"),
            "{message}"
        );
    }
}

#[test]
fn logits_must_be_one_row_for_each_target() {
    for (n_logits, targets) in [
        (5, &[0, 0][..]),
        (0, &[0]),
        (4, &[]),
        (0, &[]),
        (1, &[0, 0]),
    ] {
        let message = mean_cross_entropy(&vec![0.0; n_logits], targets)
            .unwrap_err()
            .to_string();
        assert!(message.contains("[n_tokens, vocab_size]"), "{message}");
    }
}

proptest! {
    #[test]
    fn probabilities_that_losses_stand_for_sum_to_one(
        logits in prop::collection::vec(-30.0f32..30.0, 1..50),
    ) {
        let sum: f64 = (0..logits.len())
            .map(|target| (-cross_entropy(&logits, target as u32).unwrap()).exp())
            .sum();
        prop_assert!((sum - 1.0).abs() < 1e-12, "{}", sum);
    }

    #[test]
    fn adding_the_same_number_to_every_logit_changes_nothing(
        logits in prop::collection::vec(-64i8..64, 1..50), shift in -1000i32..1000,
    ) {
        // Small whole numbers, so that the shifted logits are exact in f32.
        let plain: Vec<f32> = logits.iter().map(|&l| f32::from(l)).collect();
        let shifted: Vec<f32> = plain.iter().map(|l| l + shift as f32).collect();
        prop_assert_eq!(cross_entropy(&plain, 0).unwrap(), cross_entropy(&shifted, 0).unwrap());
    }

    #[test]
    fn losses_are_never_negative(logits in prop::collection::vec(-1e30f32..1e30, 1..20), at: prop::sample::Index) {
        let target = at.index(logits.len()) as u32;
        prop_assert!(cross_entropy(&logits, target).unwrap() >= 0.0);
    }
}
