//! The example of the chapter, repeatable numbers, and a comparison that says where it fails.

use gollm_model::ladder::HeadWeights;
use ndarray::{Array2, array};

/// "Your journey starts with one step", one embedding of three numbers for each word (section 3.3.1).
pub(crate) fn journey() -> Array2<f32> {
    array![
        [0.43, 0.15, 0.89], // Your
        [0.55, 0.87, 0.66], // journey
        [0.57, 0.85, 0.64], // starts
        [0.22, 0.58, 0.33], // with
        [0.77, 0.25, 0.10], // one
        [0.05, 0.80, 0.55], // step
    ]
}

/// Numbers between −√3 and √3, of mean 0 and variance 1, the same for the same seed (splitmix64).
pub(crate) fn numbers(seed: u64, rows: usize, columns: usize) -> Array2<f32> {
    let mut state = seed;
    Array2::from_shape_simple_fn((rows, columns), || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let uniform = ((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 24) as f32;
        (2.0 * uniform - 1.0) * 3.0f32.sqrt()
    })
}

/// One head's projections; divided by √emb_dim so that queries and keys keep about unit size.
pub(crate) fn head(seed: u64, head_dim: usize, emb_dim: usize) -> HeadWeights {
    let projection = |i| numbers(seed * 10 + i, head_dim, emb_dim) / (emb_dim as f32).sqrt();
    HeadWeights {
        q_proj: projection(1),
        k_proj: projection(2),
        v_proj: projection(3),
    }
}

/// Says where two matrices differ most, if by more than `tolerance` (absolute: all values are near 1).
#[track_caller]
pub(crate) fn assert_close(found: &Array2<f32>, expected: &Array2<f32>, tolerance: f32) {
    assert_eq!(found.shape(), expected.shape());
    let differences = (found - expected).mapv(f32::abs);
    let (mut worst, mut at) = (0.0, (0, 0));
    for (index, &difference) in differences.indexed_iter() {
        // NaN is the worst of all, and a comparison with it is false.
        if difference > worst || difference.is_nan() {
            (worst, at) = (difference, index);
        }
    }
    let mean = differences.mean().unwrap_or(0.0);
    assert!(
        worst <= tolerance,
        "worst at {at:?}: {} against {}, difference {worst:e}, mean {mean:e}, allowed {tolerance:e}",
        found[at],
        expected[at],
    );
}

/// f32 arithmetic on a few dozen numbers of unit size, summed in another order.
pub(crate) const ROUNDING: f32 = 1e-5;
/// The book prints four digits.
pub(crate) const PRINTED: f32 = 0.5e-4 + 1e-7;
