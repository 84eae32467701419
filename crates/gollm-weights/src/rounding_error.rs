//! How far rounded numbers lie from what they were.

/// The difference between numbers and what a storage type made of them, over any number of tensors.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RoundingError {
    /// How many numbers were compared.
    n_values: u64,
    /// The sum of their squares.
    squares: f64,
    /// The sum of the squares of the differences.
    error_squares: f64,
    /// The largest difference.
    largest: f64,
}

impl RoundingError {
    /// Compares `rounded` with `values`, number by number.
    pub(crate) fn add(&mut self, values: &[f32], rounded: &[f32]) {
        self.n_values += values.len() as u64;
        for (value, rounded) in values.iter().zip(rounded) {
            let (value, rounded) = (f64::from(*value), f64::from(*rounded));
            let error = (value - rounded).abs();
            self.squares += value * value;
            self.error_squares += error * error;
            self.largest = self.largest.max(error);
        }
    }

    /// The error of these numbers and others together.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            n_values: self.n_values + other.n_values,
            squares: self.squares + other.squares,
            error_squares: self.error_squares + other.error_squares,
            largest: self.largest.max(other.largest),
        }
    }

    /// The root of the mean squared difference, relative to the root of the mean squared number: 0.01
    /// is one percent. 0 where all numbers are zero.
    #[must_use]
    pub fn relative_rms(&self) -> f64 {
        match self.squares {
            0.0 => 0.0,
            squares => (self.error_squares / squares).sqrt(),
        }
    }

    /// The largest difference, relative to the root of the mean squared number.
    ///
    /// Not relative to the number it belongs to: a blocked type rounds every small enough number to
    /// zero, which would always count as 100 %.
    #[must_use]
    pub fn relative_largest(&self) -> f64 {
        match self.squares {
            0.0 => 0.0,
            squares => self.largest / (squares / self.n_values as f64).sqrt(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_relative_to_the_root_mean_square_of_all_numbers() {
        let mut first = RoundingError::default();
        first.add(&[3.0, 4.0], &[3.5, 4.0]);
        // Errors 0.5 and 0 beside numbers whose squares sum to 25.
        assert_eq!(first.relative_rms(), 0.1);
        assert_eq!(first.relative_largest(), 0.5 / 12.5f64.sqrt());
        let mut second = RoundingError::default();
        second.add(&[0.0], &[-1.0]);
        let both = first.with(second);
        assert_eq!(both.relative_rms(), (1.25f64 / 25.0).sqrt());
        assert_eq!(both.relative_largest(), 1.0 / (25.0f64 / 3.0).sqrt());
        assert_eq!(second.relative_rms(), 0.0, "nothing to be relative to");
    }
}
