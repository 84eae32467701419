//! The tests every backend must pass: random shapes, odd sizes, every storage type and every fused
//! form, against the reference.
//!
//! This crate is for tests only. A backend crate calls [`assert_conforms`] from its own tests and is
//! done when that passes, and not before:
//!
//! ```
//! use gollm_conformance::{Bounds, assert_conforms};
//! use gollm_tensor::Device;
//!
//! // The reference conforms to itself, of course; its own meaning is tested against PyTorch.
//! assert_conforms(&Device::reference(), &Bounds::default());
//! ```

mod attention;
mod cases;
mod numbers;
mod some_rows;

use std::fmt;

use gollm_tensor::{DType, Device, Result};

/// How far a backend's result may be from the reference's, relative to the largest magnitude in the
/// result.
///
/// Relative to the largest rather than to each number: a sum that cancels to almost nothing has an
/// error as large as its terms, in any order of summation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// f32 operations: only the order of summation may differ.
    pub f32: f32,
    /// Attention, which reads a cache: as `f32`, unless the backend keeps caches in f16.
    pub cache: f32,
    /// Weights stored as f16 or bf16, on a backend that may round activations to the same type.
    pub half: f32,
    /// Weights stored as q8_0 or q4_0, compared on the same dequantized weights. A backend that
    /// quantizes activations to 8 bits states a larger bound of its own.
    pub quantized: f32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            f32: 1e-5,
            cache: 1e-5,
            half: 1e-3,
            quantized: 1e-3,
        }
    }
}

impl Bounds {
    /// The bound for a product with a weight stored as `dtype`.
    #[must_use]
    pub fn of(&self, dtype: DType) -> f32 {
        match dtype {
            DType::F32 => self.f32,
            DType::F16 | DType::BF16 => self.half,
            DType::Q8_0 | DType::Q4_0 => self.quantized,
        }
    }
}

/// One comparison of a backend with the reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// The operation and its sizes.
    pub case: String,
    /// The largest difference, relative to the largest magnitude of the expected result.
    pub difference: f32,
    /// How large it may be.
    pub bound: f32,
}

impl Check {
    /// Whether the difference is within the bound. NaN is not.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.difference <= self.bound
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.passed() { "ok" } else { "FAILED" };
        write!(
            f,
            "{:<64} {:9.2e} of {:7.0e}  {verdict}",
            self.case, self.difference, self.bound
        )
    }
}

/// Compares every operation of `device` with the reference, and returns each comparison.
///
/// # Errors
///
/// If an operation that the reference can do fails on `device`.
pub fn run(device: &Device, bounds: &Bounds) -> Result<Vec<Check>> {
    cases::all(device, bounds)
}

/// Runs the suite and panics with the failed comparisons, if there are any.
///
/// # Panics
///
/// If an operation fails or differs from the reference by more than its bound. This is an assertion,
/// for tests.
pub fn assert_conforms(device: &Device, bounds: &Bounds) {
    let name = device.backend().name();
    let checks = match run(device, bounds) {
        Ok(checks) => checks,
        Err(error) => panic!("device `{name}` does not conform: {error}"),
    };
    let failed: Vec<String> = checks
        .iter()
        .filter(|check| !check.passed())
        .map(Check::to_string)
        .collect();
    assert!(
        failed.is_empty(),
        "device `{name}` fails {} of {} comparisons:\n{}",
        failed.len(),
        checks.len(),
        failed.join("\n")
    );
}
