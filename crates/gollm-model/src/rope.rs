//! Rotary position embedding: the frequencies, Llama 3's scaling of them, and the two layouts.
//!
//! RoPE turns each pair of numbers in a head by an angle of `position · ω_i`. Which two numbers make
//! a pair is a convention: *split halves* pairs `i` with `i + head_dim / 2` (Hugging Face, this
//! project), *adjacent* pairs `2i` with `2i + 1` (the paper, Meta, llama2.c). The result is the same
//! up to the order of the numbers, so a weight made for one layout serves the other once the rows of
//! its query and key projections are reordered. A file loaded without that reordering gives a model
//! that writes well for a few tokens and then falls apart.
//!
//! Notes: `notes/ch04-model.md`. Source: Su et al. 2021, RoFormer,
//! <https://arxiv.org/abs/2104.09864>, section 3.2. Python: `rope_frequencies` in `python/model.py`.

use std::f64::consts::TAU;

use crate::config::{Config, RopeScaling};

/// The angular frequencies `ω_i = rope_theta^(−2i / head_dim)`, in radians a token, with Llama 3's
/// scaling applied if the config has one.
///
/// # Shapes
///
/// - returns `head_dim / 2` frequencies, the fastest first
#[must_use]
pub fn frequencies(config: &Config) -> Vec<f64> {
    (0..config.head_dim / 2)
        .map(|i| {
            config
                .rope_theta
                .powf(-2.0 * i as f64 / config.head_dim as f64)
        })
        .map(|frequency| match &config.rope_scaling {
            Some(scaling) => scale_frequency(frequency, scaling),
            None => frequency,
        })
        .collect()
}

/// Llama 3's scaling of one frequency: fast pairs stay, slow pairs become `factor` times slower, and
/// between the two a straight line joins them.
///
/// With the wavelength `λ = 2π / ω` and the context `C` of the first training, a pair is fast when
/// `λ < C / high_freq_factor` and slow when `λ > C / low_freq_factor`.
///
/// Source: the formula in Meta's published model code (`apply_scaling`).
#[must_use]
pub fn scale_frequency(frequency: f64, scaling: &RopeScaling) -> f64 {
    let turns_in_context = scaling.original_context_length as f64 * frequency / TAU;
    if turns_in_context > scaling.high_freq_factor {
        return frequency;
    }
    if turns_in_context < scaling.low_freq_factor {
        return frequency / scaling.factor;
    }
    let kept = (turns_in_context - scaling.low_freq_factor)
        / (scaling.high_freq_factor - scaling.low_freq_factor);
    kept * frequency + (1.0 - kept) * frequency / scaling.factor
}

/// Turns one head's numbers by their angles, pairing `i` with `i + head_dim / 2`.
pub fn rotate_halves(head: &mut [f32], frequencies: &[f64], position: usize) {
    let (first, second) = head.split_at_mut(head.len() / 2);
    for ((a, b), frequency) in first.iter_mut().zip(second).zip(frequencies) {
        rotate(a, b, position as f64 * frequency);
    }
}

/// Turns one head's numbers by their angles, pairing `2i` with `2i + 1`.
pub fn rotate_adjacent(head: &mut [f32], frequencies: &[f64], position: usize) {
    for (pair, frequency) in head.chunks_exact_mut(2).zip(frequencies) {
        let [a, b] = pair else { continue };
        rotate(a, b, position as f64 * frequency);
    }
}

/// Turns the point `(a, b)` by `angle`, in radians.
fn rotate(a: &mut f32, b: &mut f32, angle: f64) {
    let (sin, cos) = (angle.sin() as f32, angle.cos() as f32);
    (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
}

/// The row order that turns projections made for adjacent pairs into ones for split halves: row `r`
/// of the new matrix is row `order[r]` of the old one.
///
/// ```
/// // One head of six rows: the even rows first, then the odd ones.
/// assert_eq!(gollm_model::rope::adjacent_to_halves(1, 6), [0, 2, 4, 1, 3, 5]);
/// ```
#[must_use]
pub fn adjacent_to_halves(n_heads: usize, head_dim: usize) -> Vec<usize> {
    let half = head_dim / 2;
    let in_head = move |i: usize| if i < half { 2 * i } else { 2 * (i - half) + 1 };
    (0..n_heads)
        .flat_map(|h| (0..head_dim).map(move |i| h * head_dim + in_head(i)))
        .collect()
}

/// The row order of the way back: the inverse of [`adjacent_to_halves`].
#[must_use]
pub fn halves_to_adjacent(n_heads: usize, head_dim: usize) -> Vec<usize> {
    let half = head_dim / 2;
    let in_head = move |i: usize| i / 2 + half * (i % 2);
    (0..n_heads)
        .flat_map(|h| (0..head_dim).map(move |i| h * head_dim + in_head(i)))
        .collect()
}
