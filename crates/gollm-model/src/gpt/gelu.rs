//! GELU: a smooth ReLU. Each number is kept in proportion to how likely it beats a normal draw.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// GELU in the tanh form that GPT-2 was trained with.
///
/// `gelu(x) = x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))`
///
/// It differs from [`gelu_exact`] by less than 0.0005 everywhere.
///
/// Source: Hendrycks & Gimpel 2016, <https://arxiv.org/abs/1606.08415>, section 2; "Build a Large
/// Language Model (From Scratch)", S. Raschka, 2024, section 4.3.
#[must_use]
pub fn gelu(x: f32) -> f32 {
    let sqrt_2_over_pi = (2.0 / PI).sqrt() as f32;
    0.5 * x * (1.0 + (sqrt_2_over_pi * (x + 0.044_715 * x * x * x)).tanh())
}

/// GELU as it is defined: `x · Φ(x)`, where `Φ(x) = (1 + erf(x/√2)) / 2` is the chance that a standard
/// normal draw is below `x`.
///
/// Source: Hendrycks & Gimpel 2016, <https://arxiv.org/abs/1606.08415>, section 2.
#[must_use]
pub fn gelu_exact(x: f32) -> f32 {
    let x = f64::from(x);
    (x * 0.5 * (1.0 + erf(x * FRAC_1_SQRT_2))) as f32
}

/// The error function, by `erf(x) = 2x/√π · exp(−x²) · Σ_n (2x²)^n / (1·3·5···(2n+1))`.
///
/// All terms are positive, so nothing cancels. Source: Abramowitz & Stegun 1964, eq. 7.1.6.
fn erf(x: f64) -> f64 {
    // From here on 1 − |erf(x)| is below f64's resolution; NaN goes on and comes out as NaN.
    if x.abs() >= 6.0 {
        return x.signum();
    }
    let square = x * x;
    let (mut term, mut sum) = (1.0, 1.0);
    // The terms fall from n ≈ x² on; at |x| < 6, 200 of them are more than enough.
    for n in 1..200 {
        term *= 2.0 * square / f64::from(2 * n + 1);
        sum += term;
        if term < sum * f64::EPSILON {
            break;
        }
    }
    2.0 * x / PI.sqrt() * (-square).exp() * sum
}
