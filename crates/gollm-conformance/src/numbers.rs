//! Random numbers for the suite, and the measure of a difference.

/// A small generator, so that every backend sees the same numbers on every machine.
///
/// Source: Steele, Lea & Flood 2014, SplitMix64, <https://doi.org/10.1145/2660193.2660195>.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// `n` numbers between -1 and 1.
    pub(crate) fn values(&mut self, n: usize) -> Vec<f32> {
        (0..n)
            .map(|_| (self.next() >> 40) as f32 / (1u64 << 23) as f32 - 1.0)
            .collect()
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

/// The largest difference, relative to the largest magnitude that was expected; infinite when the
/// lengths differ, NaN when a number is.
pub(crate) fn difference(found: &[f32], expected: &[f32]) -> f32 {
    if found.len() != expected.len() {
        return f32::INFINITY;
    }
    // `f32::max` drops NaN, which must fail the comparison instead.
    let largest = |values: &mut dyn Iterator<Item = f32>| {
        values.fold(0.0f32, |m, v| {
            if v.is_nan() || m.is_nan() {
                f32::NAN
            } else {
                m.max(v.abs())
            }
        })
    };
    let scale = largest(&mut expected.iter().copied());
    let error = largest(&mut found.iter().zip(expected).map(|(a, b)| a - b));
    if error == 0.0 { 0.0 } else { error / scale }
}
