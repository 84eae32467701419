//! What happens to activations between the products: norm, rotation, gate, softmax, sum.

use gollm_tensor::Place;

use crate::simd::{LANES, Simd, Task};
use crate::threads::Shared;

/// `e^x`, within 2 units in the last place, for `x` clamped to −87.3 … 88.3.
///
/// `e^x = 2^n · e^r` with `n` the whole number nearest to `x / ln 2`, so `|r| ≤ ln 2 / 2`, where
/// six terms of the series are exact to f32. Source: Cody & Waite 1980, "Software Manual for the
/// Elementary Functions", chapter 6 (the two-part `ln 2`).
#[inline(always)]
pub(crate) fn exp<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    const LOWEST: f32 = -87.3;
    const HIGHEST: f32 = 88.3;
    const TERMS: [f32; 7] = [
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ];
    let negative = simd.mul(simd.splat(-1.0), x);
    // Written so that a NaN stays one: `max` returns its second argument when either is a NaN.
    let at_most = simd.mul(simd.splat(-1.0), simd.max(simd.splat(-HIGHEST), negative));
    let x = simd.max(simd.splat(LOWEST), at_most);
    let n = simd.round(simd.mul(x, simd.splat(std::f32::consts::LOG2_E)));
    // ln 2 in two parts, the first with so few bits that its product with n is exact.
    let r = simd.fma(n, simd.splat(-0.693_359_4), x);
    let r = simd.fma(n, simd.splat(2.121_944_4e-4), r);
    let mut y = simd.splat(1.0 / 5040.0);
    for i in 0..TERMS.len() {
        y = simd.fma(y, r, simd.splat(TERMS[i]));
    }
    simd.mul(y, simd.power_of_two(n))
}

/// What is done to each number. A trait and not a closure: see [`Simd`].
trait Map<const N: usize>: Copy {
    fn apply<S: Simd>(self, simd: S, inputs: [S::F32; N]) -> S::F32;
}

/// Applies `f` to vectors of 16 and, with zeros filled in, to what is left.
#[inline(always)]
fn map<S: Simd, F: Map<N>, const N: usize>(simd: S, inputs: [&[f32]; N], out: &mut [f32], f: F) {
    let len = out.len();
    for input in inputs {
        assert!(input.len() == len);
    }
    let mut i = 0;
    while i + LANES <= len {
        let mut values = [simd.splat(0.0); N];
        // SAFETY: 16 elements from `i` on are inside every slice (asserted above).
        unsafe {
            for j in 0..N {
                values[j] = simd.load(inputs[j].as_ptr().add(i));
            }
            simd.store(out.as_mut_ptr().add(i), f.apply(simd, values));
        }
        i += LANES;
    }
    if i < len {
        let mut values = [simd.splat(0.0); N];
        for j in 0..N {
            let mut room = [0.0f32; LANES];
            room[..len - i].copy_from_slice(&inputs[j][i..]);
            // SAFETY: an array of 16.
            values[j] = unsafe { simd.load(room.as_ptr()) };
        }
        let mut last = [0.0f32; LANES];
        // SAFETY: an array of 16.
        unsafe { simd.store(last.as_mut_ptr(), f.apply(simd, values)) };
        out[i..].copy_from_slice(&last[..len - i]);
    }
}

/// How numbers are gathered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fold {
    Sum,
    SumOfSquares,
    Largest,
}

/// Gathers all numbers of a slice into one.
#[inline(always)]
fn fold<S: Simd>(simd: S, values: &[f32], how: Fold) -> f32 {
    let fill = if how == Fold::Largest {
        f32::NEG_INFINITY
    } else {
        0.0
    };
    let rest = values.chunks_exact(LANES).remainder();
    let mut last = [fill; LANES];
    last[..rest.len()].copy_from_slice(rest);
    let mut total = simd.splat(fill);
    let whole = values.len() / LANES;
    for i in 0..=whole {
        let chunk = if i < whole {
            &values[i * LANES..(i + 1) * LANES]
        } else {
            &last
        };
        // SAFETY: 16 elements.
        let x = unsafe { simd.load(chunk.as_ptr()) };
        total = match how {
            Fold::Sum => simd.add(total, x),
            Fold::SumOfSquares => simd.fma(x, x, total),
            Fold::Largest => simd.max(total, x),
        };
    }
    match how {
        Fold::Largest => simd.largest(total),
        _ => simd.sum(total),
    }
}

/// `out = a + b`.
pub(crate) struct Add<'a> {
    pub(crate) a: &'a [f32],
    pub(crate) b: &'a [f32],
    pub(crate) out: &'a mut [f32],
}

impl Task for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        map(simd, [self.a, self.b], self.out, Plus);
    }
}

#[derive(Clone, Copy)]
struct Plus;

impl Map<2> for Plus {
    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, [a, b]: [S::F32; 2]) -> S::F32 {
        simd.add(a, b)
    }
}

/// `out += scale · x`.
pub(crate) struct AddScaled<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) scale: f32,
    pub(crate) out: &'a mut [f32],
}

impl Task for AddScaled<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (x, out) = (self.x, self.out);
        assert!(x.len() == out.len());
        let scale = simd.splat(self.scale);
        let whole = x.len() / LANES * LANES;
        for i in (0..whole).step_by(LANES) {
            // SAFETY: 16 elements from `i` on are inside both slices, which have one length.
            unsafe {
                let sum = simd.load(out.as_ptr().add(i));
                let x = simd.load(x.as_ptr().add(i));
                simd.store(out.as_mut_ptr().add(i), simd.fma(scale, x, sum));
            }
        }
        for i in whole..x.len() {
            out[i] += self.scale * x[i];
        }
    }
}

/// `out = silu(gate) · up`.
pub(crate) struct Swiglu<'a> {
    pub(crate) gate: &'a [f32],
    pub(crate) up: &'a [f32],
    pub(crate) out: &'a mut [f32],
}

impl Task for Swiglu<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        map(simd, [self.gate, self.up], self.out, Gate);
    }
}

#[derive(Clone, Copy)]
struct Gate;

impl Map<2> for Gate {
    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, [gate, up]: [S::F32; 2]) -> S::F32 {
        let down = exp(simd, simd.mul(gate, simd.splat(-1.0)));
        simd.mul(simd.div(gate, simd.add(simd.splat(1.0), down)), up)
    }
}

/// `out_i = x_i / sqrt(mean(x²) + eps) · weight_i`, row by row.
pub(crate) struct RmsNorm<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) weight: &'a [f32],
    pub(crate) eps: f32,
    pub(crate) out: &'a mut [f32],
}

impl Task for RmsNorm<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let width = self.weight.len().max(1);
        let rows = self.x.chunks_exact(width);
        for (x, out) in rows.zip(self.out.chunks_exact_mut(width)) {
            let squares = fold(simd, x, Fold::SumOfSquares);
            let scale = 1.0 / (squares / width as f32 + self.eps).sqrt();
            map(simd, [x, self.weight], out, Scaled(scale));
        }
    }
}

#[derive(Clone, Copy)]
struct Scaled(f32);

impl Map<2> for Scaled {
    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, [x, weight]: [S::F32; 2]) -> S::F32 {
        simd.mul(simd.mul(x, simd.splat(self.0)), weight)
    }
}

/// `out_i = e^{x_i} / Σ_j e^{x_j}`, row by row.
pub(crate) struct Softmax<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) width: usize,
    pub(crate) out: &'a mut [f32],
}

impl Task for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let rows = self.x.chunks_exact(self.width.max(1));
        for (x, out) in rows.zip(self.out.chunks_exact_mut(self.width.max(1))) {
            let largest = fold(simd, x, Fold::Largest);
            map(simd, [x], out, ExpMinus(largest));
            let scale = 1.0 / fold(simd, out, Fold::Sum);
            for value in out {
                *value *= scale;
            }
        }
    }
}

#[derive(Clone, Copy)]
struct ExpMinus(f32);

impl Map<1> for ExpMinus {
    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, [x]: [S::F32; 1]) -> S::F32 {
        exp(simd, simd.add(x, simd.splat(-self.0)))
    }
}

/// Rotates the pairs `(i, i + head_dim / 2)` of every head of some rows, as it copies them.
pub(crate) struct Rope<'a> {
    /// `[n_tokens, width]`.
    pub(crate) x: &'a [f32],
    pub(crate) out: Shared<'a, f32>,
    pub(crate) width: usize,
    /// `[context_length, head_dim / 2]`.
    pub(crate) cos: &'a [f32],
    pub(crate) sin: &'a [f32],
    pub(crate) half: usize,
    pub(crate) places: &'a [Place],
    /// Which rows.
    pub(crate) range: std::ops::Range<usize>,
}

impl Task for Rope<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let half = self.half;
        for row in self.range {
            let at = self.places[row].position * half;
            let (cos, sin) = (&self.cos[at..at + half], &self.sin[at..at + half]);
            let x = &self.x[row * self.width..(row + 1) * self.width];
            // SAFETY: the threads of a region work on different rows.
            let out = unsafe { self.out.part(row * self.width, self.width) };
            let heads = x.chunks_exact(2 * half).zip(out.chunks_exact_mut(2 * half));
            for (x, out) in heads {
                let (a, b) = x.split_at(half);
                let (to_a, to_b) = out.split_at_mut(half);
                map(simd, [a, b, cos, sin], to_a, Rotate(-1.0));
                map(simd, [b, a, cos, sin], to_b, Rotate(1.0));
            }
        }
    }
}

/// `a · cos ± b · sin`.
#[derive(Clone, Copy)]
struct Rotate(f32);

impl Map<4> for Rotate {
    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, [a, b, cos, sin]: [S::F32; 4]) -> S::F32 {
        simd.fma(a, cos, simd.mul(simd.splat(self.0), simd.mul(b, sin)))
    }
}
