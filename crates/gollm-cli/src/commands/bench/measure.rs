//! Repeating and averaging.

use std::time::{Duration, Instant};

/// Mean and spread of several measurements.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sample {
    pub(super) mean: f64,
    /// The standard deviation of the repetitions; 0 for a single one.
    pub(super) deviation: f64,
}

impl Sample {
    pub(super) fn of(values: &[f64]) -> Self {
        let n = values.len().max(1) as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        let deviation = if n > 1.0 {
            (squares / (n - 1.0)).sqrt()
        } else {
            0.0
        };
        Self { mean, deviation }
    }
}

/// Runs `work` once to warm up and then `repetitions` times; what it did divided by the seconds it
/// took. `work` returns the time that counts.
pub(super) fn rates<E>(
    amount: f64,
    repetitions: usize,
    mut work: impl FnMut() -> Result<Duration, E>,
) -> Result<Sample, E> {
    work()?;
    let mut rates = Vec::with_capacity(repetitions);
    for _ in 0..repetitions {
        rates.push(amount / work()?.as_secs_f64());
    }
    Ok(Sample::of(&rates))
}

/// The time that `work` takes.
pub(super) fn timed<E>(work: impl FnOnce() -> Result<(), E>) -> Result<Duration, E> {
    let started = Instant::now();
    work()?;
    Ok(started.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_deviation_are_those_of_a_sample() {
        let sample = Sample::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        // Squared distances add up to 32; 32 / 7 is the variance of a sample.
        assert!((sample.mean - 5.0).abs() < 1e-12);
        assert!((sample.deviation - (32.0f64 / 7.0).sqrt()).abs() < 1e-12);
        assert!(Sample::of(&[3.0]).deviation.abs() < 1e-12);
    }

    #[test]
    fn the_first_run_does_not_count() {
        let mut calls = 0;
        let sample = rates(10.0, 2, || {
            calls += 1;
            Ok::<_, ()>(Duration::from_secs(if calls == 1 { 100 } else { 5 }))
        });
        assert_eq!(sample.map(|s| s.mean), Ok(2.0));
        assert_eq!(calls, 3);
    }
}
