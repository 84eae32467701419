//! The random numbers behind the draws: xoshiro256**, seeded by SplitMix64.
//!
//! Written here rather than taken from a crate so that one seed means one text
//! in every version, and because it is ten lines. Not for secrets: anyone who
//! sees a few outputs can continue the sequence.
//!
//! Source: Blackman & Vigna 2018, "Scrambled Linear Pseudorandom Number
//! Generators", <https://arxiv.org/abs/1805.01407>, and the reference code at
//! <https://prng.di.unimi.it/> (public domain).

/// A seeded sequence of uniform random numbers, with a period of 2²⁵⁶ − 1.
///
/// # Examples
///
/// ```
/// use gollm_sampler::Random;
///
/// let mut random = Random::new(42);
/// assert_eq!(random.next_u64(), 1546998764402558742);
/// assert!((0.0..1.0).contains(&random.next_f64()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// Starts the sequence of a seed.
    ///
    /// The four words of state are four outputs of [`split_mix_64`], as the
    /// authors advise: neighbouring seeds start far apart, and the one state
    /// that would stay at zero for ever cannot come up.
    pub fn new(seed: u64) -> Self {
        let mut mixer = seed;
        Self {
            state: std::array::from_fn(|_| split_mix_64(&mut mixer)),
        }
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        let [s0, s1, s2, s3] = &mut self.state;
        let output = s1.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = *s1 << 17;
        *s2 ^= *s0;
        *s3 ^= *s1;
        *s1 ^= *s2;
        *s0 ^= *s3;
        *s2 ^= shifted;
        *s3 = s3.rotate_left(45);
        output
    }

    /// A number in `[0, 1)`: one of the 2⁵³ multiples of 2⁻⁵³ there, all equally
    /// likely, which is what an f64's 53 bits of precision can tell apart.
    pub fn next_f64(&mut self) -> f64 {
        const UNIT: f64 = 1.0 / (1u64 << 53) as f64;
        (self.next_u64() >> 11) as f64 * UNIT
    }
}

/// One step of SplitMix64: advances `state` and returns 64 well-mixed bits.
///
/// Source: Steele, Lea & Flood 2014, "Fast Splittable Pseudorandom Number
/// Generators", <https://doi.org/10.1145/2714064.2660195>, with Vigna's
/// constants (`splitmix64.c`, public domain).
pub fn split_mix_64(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_mix_64_gives_the_published_outputs() {
        // Rosetta Code, "Pseudo-random numbers/Splitmix64".
        let mut state = 1_234_567;
        let found: [u64; 5] = std::array::from_fn(|_| split_mix_64(&mut state));
        let expected = [
            6457827717110365317,
            3203168211198807973,
            9817491932198370423,
            4593380528125082431,
            16408922859458223821,
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn xoshiro_gives_the_reference_outputs() {
        // Outputs of the authors' C code from state 1, 2, 3, 4, as in the tests
        // of the crate rand_xoshiro.
        let mut random = Random {
            state: [1, 2, 3, 4],
        };
        let found: [u64; 10] = std::array::from_fn(|_| random.next_u64());
        let expected = [
            11520,
            0,
            1509978240,
            1215971899390074240,
            1216172134540287360,
            607988272756665600,
            16172922978634559625,
            8476171486693032832,
            10595114339597558777,
            2904607092377533576,
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_seed_is_expanded_by_split_mix_64() {
        let mut random = Random::new(42);
        let found: [u64; 4] = std::array::from_fn(|_| random.next_u64());
        let expected = [
            1546998764402558742,
            6990951692964543102,
            12544586762248559009,
            17057574109182124193,
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn fractions_stay_below_one_and_average_one_half() {
        let n_draws = 100_000;
        let mut random = Random::new(1);
        let draws: Vec<f64> = (0..n_draws).map(|_| random.next_f64()).collect();
        assert!(draws.iter().all(|draw| (0.0..1.0).contains(draw)));
        // The mean of n uniform draws has standard deviation sqrt(1/12/n) = 0.0009; allow 5 of them.
        let mean = draws.iter().sum::<f64>() / f64::from(n_draws);
        assert!((mean - 0.5).abs() < 0.0046, "mean {mean}");
    }
}
